"""Every shipped stack file as a user rehearses it: after the `up` neither a preview nor a refresh has anything to do.

On a cluster as its provider makes it, and on one that has the CRDs already, as a second team finds it. With a node to spare: on
nodes that are exactly full the order of the pods decides whether all are placed.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
import yaml

from rehearsal.control_plane.registry import Registry
from rehearsal.engine import Engine
from rehearsal.parts.toolchain import PROVIDER
from rehearsal.report import PlainReport
from rehearsal.session import CHECKOUT, Stage, perform, stage
from rehearsal.stack import rehearsable
from tests.engine.test_rehearse import on_nodes
from tests.engine.waiting import PATIENCE

FILES = sorted(path.name for path in CHECKOUT.glob("Pulumi.*.yaml"))


def test_the_files_are_those_the_project_ships() -> None:
    assert {"Pulumi.rehearsal.yaml", "Pulumi.coreweave-h200.yaml", "Pulumi.gke-h200.yaml", "Pulumi.gke-tpu.yaml"} <= {
        *FILES
    }


def pulumi(engine: Engine, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs the CLI on the stack as it is rehearsed."""
    command = [*engine._command(arguments), "--non-interactive"]
    done = subprocess.run(
        command,
        env=dict(engine.env),
        cwd=engine.project.directory,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    return done


def had(made: Stage) -> Sequence[str]:
    """Applies by kubectl all CRDs that the stack brings, and returns their names."""
    crds = made.plan.crds()
    environment = {**made.engine.env, **made.plane.environment()}
    content = yaml.safe_dump_all(crds)
    command = ["kubectl", "apply", "--server-side", "--field-manager=another-team", "-f", "-"]
    subprocess.run(command, env=environment, input=content, text=True, capture_output=True, check=True)
    names = [crd["metadata"]["name"] for crd in crds]
    wait = ["kubectl", "wait", "--for=condition=Established", *(f"crd/{name}" for name in names)]
    subprocess.run(wait, env=environment, capture_output=True, check=True)
    return names


def nothing_to_do(run: Callable[..., object]) -> None:
    """Neither a preview nor a refresh changes anything; `run` fails if the CLI does."""
    run("preview", "--diff", "--expect-no-changes")
    run("refresh", "--preview-only", "--diff", "--expect-no-changes")


def official_provider(home: Path) -> None:
    """The Kubernetes provider that a CLI with this PULUMI_HOME loads is a program; a stand-in is a script."""
    (loaded,) = (home / "plugins").glob(f"resource-kubernetes-*/{PROVIDER}")
    assert not loaded.read_bytes().startswith(b"#!")


def cases() -> Iterator[tuple[str, bool]]:
    """Each file on a new cluster, and on one that has the CRDs. Files that make a GKE cluster are rehearsed by `test_gke`."""
    for name in FILES:
        if yaml.safe_load((CHECKOUT / name).read_text())["config"]["llmd-pd:cluster"]["provider"] != "gke":
            yield name, False
            yield name, True


@pytest.mark.parametrize(("name", "there"), [*cases()])
def test_nothing_is_left_to_do(name: str, there: bool, tmp_path: Path) -> None:
    report, file = PlainReport(), on_nodes(3, tmp_path, CHECKOUT / name)
    with stage(rehearsable(file), kept=False, report=report, registry=Registry(tmp_path / "rehearsals")) as made:
        if there:
            assert had(made)
        outcome = perform(made, report)
        assert outcome.passed, outcome
        nothing_to_do(partial(pulumi, made.engine))
        (provider,) = [part for part in made.parts if "resource-kubernetes" in part.name]
        assert provider.official
        assert provider.name.startswith("plugin resource-kubernetes 4.")
        official_provider(Path(made.engine.env["PULUMI_HOME"]))
