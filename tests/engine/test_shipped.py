"""Every shipped stack file as a user rehearses it: after the `up` neither a preview nor a refresh has anything to do.

On a cluster as its provider makes it, and on one that has the CRDs already, as a second team finds it.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from rehearsal.control_plane.registry import Registry
from rehearsal.engine import Engine
from rehearsal.parts.toolchain import PROVIDER
from rehearsal.report import PlainReport
from rehearsal.session import CHECKOUT, Stage, perform, stage
from rehearsal.stack import rehearsable
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


def cases() -> Iterator[tuple[str, bool]]:
    """Each file on a cluster when new; and on one that has the CRDs, unless it makes its own, which has what GKE brings."""
    for name in FILES:
        yield name, False
        if yaml.safe_load((CHECKOUT / name).read_text())["config"]["llmd-pd:cluster"]["provider"] != "gke":
            yield name, True


@pytest.mark.parametrize(("name", "there"), [*cases()])
def test_nothing_is_left_to_do(name: str, there: bool, tmp_path: Path) -> None:
    report = PlainReport()
    with stage(rehearsable(CHECKOUT / name), kept=False, report=report, registry=Registry(tmp_path)) as made:
        if there:
            assert had(made)
        outcome = perform(made, report)
        assert outcome.passed, outcome
        assert pulumi(made.engine, "preview", "--diff", "--expect-no-changes").returncode == 0
        assert pulumi(made.engine, "refresh", "--preview-only", "--diff", "--expect-no-changes").returncode == 0
        (provider,) = [part for part in made.parts if "resource-kubernetes" in part.name]
        assert provider.official
        assert provider.name.startswith("plugin resource-kubernetes 4.")
        loaded = next(Path(made.engine.env["PULUMI_HOME"], "plugins").glob(f"resource-kubernetes-*/{PROVIDER}"))
        assert not loaded.read_bytes().startswith(b"#!"), "a stand-in is a script"
