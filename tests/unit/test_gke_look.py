"""What is looked at before a GKE cluster is changed: the plan its stack keeps, and what the change would replace of it."""

from typing import Any

import pulumi
import pytest

from stacks.change_look import OUTPUT
from stacks.changes import fingerprint
from stacks.gke_immutable import GKE
from stacks.gke_look import look_at_changes
from stacks.problems import StackFileError
from stacks.spec import StackSpec
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
    look_at_changes(planned(after), OWNER)
    assert engine.asked == [OWNER]
    return engine


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
