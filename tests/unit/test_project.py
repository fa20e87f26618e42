"""The rehearsed project: the program is the checkout's, the cluster is the fleet's whatever the stack file says."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.control_plane import shell
from rehearsal.engine import AGENT_VARIABLES
from rehearsal.project import PLACEHOLDER, Project, write
from rehearsal.stack import fit_left_to_scheduler, rehearsable
from stacks.file.load import load
from stacks.findings import StackFileError

CHECKOUT = Path(__file__).parents[2]
FLEET = {"cluster": {"kubeconfig": "/fleet/kubeconfig", "context": "fleet"}}


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    return tmp_path / "Pulumi.prod.yaml"


def rehearsed(stack_file: Path, content: dict[str, Any], *overrides: dict[str, Any]) -> Project:
    stack_file.write_text(yaml.safe_dump(content))
    return write(stack_file.parent / "project", CHECKOUT, Path(sys.executable), stack_file, "prod", *overrides)


def config_of(project: Project) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(project.stack_file.read_text())["config"]
    return config


def test_only_our_keys_and_only_the_fleets_cluster(stack_file: Path) -> None:
    content = {
        "encryptionsalt": "v1:of-the-real-stack",
        "config": {
            "llmd-pd:cluster": {
                "kubeconfig": "~/.kube/prod",
                "context": "prod",
                "machine": "coreweave-h200",
                "nodes": 2,
            },
            "llmd-pd:serving": {"accelerator": "nvidia", "env": {"HF_TOKEN": {"secure": "v1:abc"}}},
            "kubernetes:kubeconfig": "~/.kube/prod",
            "aws:region": "eu-central-1",
        },
    }
    before = yaml.safe_dump(content)
    project = rehearsed(stack_file, content, FLEET, {"router": {"chart": {"source": "/standin.tgz"}}})
    assert config_of(project) == {
        "llmd-pd:cluster": {**FLEET["cluster"], "machine": "coreweave-h200", "nodes": 2},
        "llmd-pd:serving": {"accelerator": "nvidia", "env": {"HF_TOKEN": PLACEHOLDER}},
        "llmd-pd:router": {"chart": {"source": "/standin.tgz"}},
    }
    assert "of-the-real-stack" not in project.stack_file.read_text()
    assert stack_file.read_text() == before
    program = yaml.safe_load((project.directory / "Pulumi.yaml").read_text())
    assert Path(program["main"]) == CHECKOUT
    assert program["name"] == yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["name"]


@pytest.mark.parametrize("left", ["", "config: {}\n", "encryptionsalt: v1:kept\nconfig: {}\n"])
def test_a_file_of_an_earlier_rehearsal_keeps_its_salt(stack_file: Path, left: str) -> None:
    content = {"config": {"llmd-pd:serving": {"accelerator": "nvidia"}}}
    earlier = stack_file.parent / "project" / "Pulumi.prod.yaml"
    earlier.parent.mkdir()
    earlier.write_text(left)
    project = rehearsed(stack_file, content, FLEET)
    assert yaml.safe_load(project.stack_file.read_text()).get("encryptionsalt") == (
        "v1:kept" if "kept" in left else None
    )
    assert sorted(path.name for path in project.directory.iterdir()) == ["Pulumi.prod.yaml", "Pulumi.yaml"]


MISFIT = {
    "llmd-pd:cluster": {"machine": "nvidia-generic", "nodes": 1},
    "llmd-pd:serving": {"accelerator": "nvidia", "fabric": "coreweave"},
}


def test_what_the_scheduler_is_asked_the_program_is_not(stack_file: Path) -> None:
    stack_file.write_text(yaml.safe_dump({"config": MISFIT}))
    with pytest.raises(StackFileError):
        load(stack_file)
    spec = rehearsable(stack_file).spec
    assert (spec.cluster.machine, spec.cluster.nodes) == ("nvidia-generic", 1)
    project = rehearsed(stack_file, {"config": MISFIT}, FLEET, {"cluster": fit_left_to_scheduler(spec)})
    assert load(project.stack_file).spec.serving == spec.serving


def test_another_machine_gets_as_many_nodes_as_it_needs_unless_told(stack_file: Path) -> None:
    stack_file.write_text(yaml.safe_dump({"config": MISFIT}))
    assert rehearsable(stack_file, machine="coreweave-h200").spec.cluster.nodes is None
    assert rehearsable(stack_file, machine="coreweave-h200", nodes=3).spec.cluster.nodes == 3
    assert rehearsable(stack_file, nodes=4).spec.cluster.machine == "nvidia-generic"


@pytest.mark.parametrize(
    ("serving", "machine", "words"),
    [
        ({"accelerator": "nvidia", "fabric": "tin-cans"}, None, "tin-cans"),
        ({"accelerator": "nvidia"}, "abacus", "machine `abacus` is not in the table"),
        # There is nothing to ask the scheduler: no machine of the table has 16 devices.
        ({"accelerator": "nvidia", "decode": {"devices": 16}}, None, "nvidia.com/gpu: a pod asks for 16"),
    ],
)
def test_refused_before_anything_is_started(
    stack_file: Path, serving: dict[str, Any], machine: str | None, words: str
) -> None:
    stack_file.write_text(yaml.safe_dump({"config": {"llmd-pd:serving": serving}}))
    with pytest.raises(StackFileError) as refused:
        rehearsable(stack_file, machine=machine)
    assert words in str(refused.value)


def test_the_shell_file_quotes_and_unsets(tmp_path: Path) -> None:
    path = tmp_path / "env"
    shell.write(path, {"PATH": "/it's here/bin:/usr/bin", "KUBECONFIG": "/it's here/k"}, tmp_path)
    lines = path.read_text().splitlines()
    assert "export KUBECONFIG='/it'\\''s here/k'" in lines
    assert "/usr/bin" not in path.read_text()
    unset = next(line for line in lines if line.startswith("unset ")).split()
    assert set(AGENT_VARIABLES) <= set(unset)
