"""A stack that makes a cluster where the SDK of its cloud is not installed: one sentence, before anything begins."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from commands.cli import run
from rehearsal import session
from stacks.findings import StackFileError
from stacks.rules.sdk import need_sdk
from stacks.spec.stack import StackSpec
from tests import cks_plans
from tests.gke_plans import stack
from tests.unit.test_rules import spec

ROOT = Path(__file__).parents[2]
SENTENCE = (
    "llmd-pd:cluster.provider: the package pulumi-gcp is not installed, because `provider: gke` needs it, and it is an extra: "
    "its plugin is 300 MB; run `make gke` (docs/gke.md), "
    "or `.venv/bin/pip install -e '.[gke]'`. (SDK) [docs/stack-files.md]"
)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Whether the SDK is found; everything else is as it is."""
    find, found = importlib.util.find_spec, object() if request.param else None

    def found_or_not(name: str, package: str | None = None) -> Any:
        return found if name in ("pulumi_gcp", "pulumi_coreweave") else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", found_or_not)


@pytest.mark.parametrize("installed", [False], indirect=True)
@pytest.mark.parametrize("given", [stack(), StackSpec.model_construct(cluster=stack().cluster)])
@pytest.mark.usefixtures("installed")
def test_without_it_whoever_makes_a_cluster_on_gke_is_told(given: StackSpec) -> None:
    with pytest.raises(StackFileError) as refusal:
        need_sdk(given.cluster)
    assert str(refusal.value) == SENTENCE


@pytest.mark.parametrize("installed", [False], indirect=True)
@pytest.mark.parametrize("given", [cks_plans.stack(), StackSpec.model_construct(cluster=cks_plans.stack().cluster)])
@pytest.mark.usefixtures("installed")
def test_whoever_makes_one_on_coreweave_likewise(given: StackSpec) -> None:
    with pytest.raises(StackFileError) as refusal:
        need_sdk(given.cluster)
    assert str(refusal.value) == (
        "llmd-pd:cluster.coreweave.cluster: the package pulumi-coreweave is not installed, because a CKS cluster of the stack's "
        "own needs it, and it is an extra; run `make coreweave` (docs/coreweave.md), "
        "or `.venv/bin/pip install -e '.[coreweave]'`. (SDK) [docs/stack-files.md]"
    )


@pytest.mark.parametrize(
    ("installed", "given"),
    [
        (True, stack()),
        (True, cks_plans.stack()),
        (False, spec({"accelerator": "tpu"}, cluster={"machine": "gke-tpu7x"})),
        (False, spec({"accelerator": "nvidia"}, cluster={"provider": "stack", "stack": "gke"})),
        (False, spec({"accelerator": "nvidia", "fabric": "coreweave"}, cluster={"provider": "coreweave", "nodes": 2})),
    ],
    indirect=["installed"],
)
@pytest.mark.usefixtures("installed")
def test_with_it_and_of_others_nothing_is_said(given: StackSpec) -> None:
    need_sdk(given.cluster)


@pytest.mark.parametrize("installed", [False], indirect=True)
@pytest.mark.usefixtures("installed")
def test_a_rehearsal_ends_before_it_gets_a_tool(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(*_: object) -> None:
        raise AssertionError("a tool is got")

    monkeypatch.setattr(session, "ensure", ensure)
    assert run(["rehearse", str(ROOT / "Pulumi.gke-h200.yaml")]) == 1
    assert capsys.readouterr() == ("", f"{SENTENCE}\n")


@pytest.mark.parametrize("installed", [False], indirect=True)
@pytest.mark.usefixtures("installed")
def test_on_other_machines_it_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is then an existing one."""

    class GotError(Exception):
        pass

    def ensure(*_: object) -> None:
        raise GotError

    monkeypatch.setattr(session, "ensure", ensure)
    with pytest.raises(GotError):
        run(["rehearse", str(ROOT / "Pulumi.gke-h200.yaml"), "--machine", "gke-a3-ultragpu-8g-dra"])
