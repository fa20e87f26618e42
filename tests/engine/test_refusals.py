"""A refused stack file, as the CLI shows it: its sentences, and nothing else of Python. No cluster is needed for that."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal import project as projects
from rehearsal.engine import Engine, environment, variables
from rehearsal.parts.plugins import plugins
from rehearsal.parts.toolchain import Toolchain
from rehearsal.session import CHECKOUT
from tests.gke_plans import GKE

NOISE = ("Traceback", "KeyboardInterrupt", "unhandled", "exit code", "SystemExit", "RunError", '.py"')
NVIDIA = {"accelerator": "nvidia"}
MADE = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": GKE}
#: The stack file's text, and the beginnings of all its messages.
REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a value of another type": (
        {"serving": NVIDIA | {"prefill": {"replicas": "many"}}},
        ["llmd-pd:serving.prefill.replicas: `many` cannot be used"],
    ),
    "a rule that fails": (
        {"serving": NVIDIA | {"prefill": {"devices": 16}}},
        ["llmd-pd:serving.prefill.devices: nvidia.com/gpu: a pod asks for 16"],
    ),
    "two problems": (
        {"name": "Not-A-Name", "serving": NVIDIA | {"fabric": "coreweve"}},
        ["llmd-pd:name: ", "llmd-pd:serving.fabric: "],
    ),
    "an SDK that is missing": (
        {"serving": NVIDIA | {"fabric": "gke-rdma"}, "cluster": MADE},
        ["llmd-pd:cluster.provider: the package pulumi-gcp is not installed"],
    ),
}  # fmt: skip
#: Refused before anything is made, but not in a preview, which says that it knows nothing of the cluster.
UNREACHABLE = (
    {"serving": NVIDIA, "cluster": {"kubeconfig": "/nowhere/kubeconfig", "context": "nowhere"}},
    ["llmd-pd:cluster"],
)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of an environment that has all this one's packages but Google's SDK."""
    made = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    (packages,) = made.glob("lib/python3*/site-packages")
    there = [path for path in map(Path, sys.path) if path.name == "site-packages"]
    found = {
        entry.name: entry for directory in reversed(there) for entry in directory.iterdir() if entry.suffix != ".pth"
    }
    for package in found.values():
        if not package.name.startswith("pulumi_gcp"):
            (packages / package.name).symlink_to(package)
    (packages / "checkout.pth").write_text(f"{CHECKOUT}\n")
    return made / "bin" / "python"


@pytest.fixture
def pulumi(toolchain: Toolchain, python: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs `pulumi ARGUMENTS` on a stack file with these keys."""
    env = environment({"PATH": f"{toolchain['pulumi'].path.parent}:/usr/bin:/bin"}, variables(tmp_path))
    plugins(Path(env["PULUMI_HOME"]), toolchain, Path(sys.executable), CHECKOUT)

    def run(config: dict[str, Any], *arguments: str) -> tuple[int, str]:
        source = tmp_path / "Pulumi.refused.yaml"
        source.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
        project = projects.write(tmp_path / "project", CHECKOUT, python, source, "refused")
        engine = Engine(project, env)
        engine.select()
        done = subprocess.run(
            [toolchain["pulumi"].path, *arguments, "--non-interactive", "--color", "never", "--stack", "refused"],
            env=env, cwd=project.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (["preview"], [*REFUSED.values()]),
        (["up", "--yes", "--skip-preview"], [*REFUSED.values(), UNREACHABLE]),
    ],
    ids=["preview", "up"],
)
def test_it_shows_its_sentences_and_nothing_of_python(
    command: list[str], refused: list[tuple[dict[str, Any], list[str]]], pulumi: Callable[..., tuple[int, str]]
) -> None:
    for config, sentences in refused:
        code, text = pulumi(config, *command)
        print(text)
        assert code != 0
        said = text.partition("Diagnostics:")[2]
        for sentence in sentences:
            assert said.count(sentence) == 1, sentence
        assert said.count("error: ") == 1
        assert [word for word in NOISE if word in text] == []
