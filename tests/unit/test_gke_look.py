"""What is looked at before a GKE cluster is changed: the plan its stack keeps, and what the change would replace of it."""

from typing import Any

import pulumi
import pytest
from stacks.clouds.last_plan import OUTPUT

from stacks.clouds.changes import fingerprint
from stacks.clouds.gke.leftovers.google import Google, UnansweredError
from stacks.clouds.gke.look import look_at_gke
from stacks.clouds.gke.replaces import GKE
from stacks.findings import StackFileError
from stacks.spec.stack import StackSpec
from tests.gke_plans import planned, stack

OWNER = "acme/llmd-pd/prod"
#: Of whose driver nothing need be said.
VERSION = {"version": "1.36.0-gke.2459000"}
NOW = stack(gke=VERSION)
OTHER = {**VERSION, "capacity": {"reservation": "projects/acme-serving/reservations/other"}}


class Engine:
    """Answers the one question that is asked, and keeps what it is warned of."""

    def __init__(self, outputs: dict[str, Any] | Exception) -> None:
        self.outputs = outputs
        self.asked: list[str] = []
        self.warnings: list[str] = []

    def invoke(self, token: str, arguments: dict[str, Any]) -> Any:
        assert token == "pulumi:pulumi:readStackOutputs"
        self.asked.append(arguments["name"])
        if isinstance(self.outputs, Exception):
            raise self.outputs
        return type("Answer", (), {"value": {"outputs": self.outputs}})


def look(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any] | Exception, after: StackSpec) -> Engine:
    engine = Engine(outputs)
    monkeypatch.setattr(pulumi.runtime, "invoke", engine.invoke)
    monkeypatch.setattr(pulumi.log, "warn", engine.warnings.append)
    look_at_gke(planned(after), OWNER, offering)
    assert engine.asked == [OWNER]
    return engine


def offering(project: str) -> Google:
    """A Google that offers all that the stacks of this module state, in a project that is ready."""
    offered = {"channel": "REGULAR", "validVersions": [VERSION["version"], "1.36.1-gke.1"]}
    return Answers(
        project, {"serviceusage/services:batchGet": {"services": []}, "container/serverConfig": {"channels": [offered]}}
    )


class Answers(Google):
    """Answers by the last part of the path."""

    def __init__(self, project: str, found: dict[str, Any]) -> None:
        self.project, self.found = project, found

    def read(self, api: str, path: str, **_: Any) -> dict[str, Any] | None:
        return self.found.get(f"{api}/{path.rpartition('/')[2]}")


def kept(before: StackSpec) -> dict[str, Any]:
    return {OUTPUT: fingerprint(planned(before).resources, GKE)}


@pytest.mark.parametrize("outputs", [{}, kept(NOW)])
def test_a_new_stack_and_one_that_is_as_it_was_are_fine(
    outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(monkeypatch, outputs, NOW).warnings == []


def test_a_pool_that_would_be_replaced_is_refused_by_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackFileError) as refusal:
        look(monkeypatch, kept(NOW), stack(gke=OTHER))
    (found,) = refusal.value.problems
    assert str(found).startswith("llmd-pd:cluster.gke.acceleratorPool: node_config.reservation_affinity of ")
    assert "`allowReplace: [acceleratorPool]`" in str(found)
    look(monkeypatch, kept(NOW), stack(gke=OTHER, cluster={"allowReplace": ["acceleratorPool"]}))


def test_a_network_that_would_be_replaced_is_not_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackFileError) as refusal:
        look(monkeypatch, kept(NOW), stack(gke={**VERSION, "network": {"base": "10.0.0.0/11"}}))
    (found,) = refusal.value.problems
    assert found.path == "llmd-pd:cluster.gke"
    assert "allowReplace" not in str(found)
    assert "make another stack for another one" in str(found)


def test_nodes_that_are_made_anew_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings = look(monkeypatch, kept(NOW), stack(gke={"version": "1.36.1-gke.1"})).warnings
    assert len(warnings) == 2
    assert all("version changes, and its nodes are made anew" in warning for warning in warnings)


def test_what_cannot_be_read_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Exception("invoke of pulumi:pulumi:readStackOutputs failed: the bucket is gone")
    (warning,) = look(monkeypatch, gone, stack(gke=OTHER)).warnings
    assert warning.endswith("a change is not looked at: the bucket is gone")


# --- the project ---------------------------------------------------------------------------------------------------------


def looked(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any], after: StackSpec) -> list[str]:
    """The projects, one for each question, that a Google was asked about which has no answer; that is a warning."""
    engine, asked = Engine(outputs), list[str]()

    def connect(project: str) -> Google:
        asked.append(project)
        raise UnansweredError("nobody is there", "call later")

    monkeypatch.setattr(pulumi.runtime, "invoke", engine.invoke)
    monkeypatch.setattr(pulumi.log, "warn", engine.warnings.append)
    look_at_gke(planned(after), OWNER, connect)
    assert bool(asked) == any(warning.endswith("nobody is there; call later.") for warning in engine.warnings)
    return asked


def test_a_new_stack_looks_at_its_project_and_goes_on_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, {}, NOW) == ["acme-serving", "acme-serving"]


@pytest.mark.parametrize("outputs", [kept(NOW), {"namespace": "of a stack from before plans were kept"}])
def test_a_stack_that_is_there_does_not(outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, outputs, NOW) == []


def test_its_upgrade_looks_for_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked(monkeypatch, kept(NOW), stack(gke={"version": "1.36.1-gke.1"})) == ["acme-serving"]
    gone = stack(gke={"version": "1.36.2-gke.1"})
    with pytest.raises(StackFileError, match=r"GKE does not offer 1\.36\.2-gke\.1 .* write 1\.36\.1-gke\.1 or "):
        look(monkeypatch, kept(NOW), gone)


def test_a_change_that_is_refused_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackFileError, match="IMM"):
        looked(monkeypatch, kept(NOW), stack(gke={**OTHER, "version": "1.36.1-gke.1"}))
