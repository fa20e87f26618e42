"""The look before a GKE cluster is changed: what the change would replace of the last plan, and whether the project is ready."""

import re
from typing import Any

import pytest

from stacks.clouds.changes import fingerprint
from stacks.clouds.gke.leftovers.google import Google, UnansweredError
from stacks.clouds.gke.readiness import Connect
from stacks.clouds.gke.replaces import GKE
from stacks.clouds.outputs import PLANNED
from stacks.findings import ERROR, Problem
from stacks.spec.stack import StackSpec
from tests.gke_changes import Answers, asked
from tests.gke_plans import planned, stack

#: Of whose driver nothing need be said.
VERSION = {"version": "1.36.0-gke.2459000"}
NOW = stack(gke=VERSION)
OTHER = {**VERSION, "capacity": {"reservation": "projects/acme-serving/reservations/other"}}


def look(outputs: dict[str, Any], after: StackSpec, connect: Connect | None = None) -> list[Problem]:
    """Returns the findings for a stack with these outputs; without `connect`, Google offers all versions."""
    found = asked(after, connect or offering, outputs.get(PLANNED) or {}, outputs)
    return [*found.errors, *found.warnings]


def offering(project: str) -> Google:
    """A Google that offers all that the stacks of this module state, in a project that is ready."""
    offered = {"channel": "REGULAR", "validVersions": [VERSION["version"], "1.36.1-gke.1"]}
    return Answers(
        project, {"serviceusage/services:batchGet": {"services": []}, "container/serverConfig": {"channels": [offered]}}
    )


def kept(before: StackSpec) -> dict[str, Any]:
    return {PLANNED: fingerprint(planned(before).resources, GKE)}


@pytest.mark.parametrize("outputs", [{}, kept(NOW)])
def test_a_new_stack_and_one_that_is_as_it_was_are_fine(outputs: dict[str, Any]) -> None:
    assert look(outputs, NOW) == []


def test_a_pool_that_would_be_replaced_is_refused_by_its_fields() -> None:
    (found,) = look(kept(NOW), stack(gke=OTHER))
    assert str(found).startswith("llmd-pd:cluster.gke.acceleratorPool: node_config.reservation_affinity of ")
    assert "`allowReplace: [acceleratorPool]`" in str(found)
    assert look(kept(NOW), stack(gke=OTHER, cluster={"allowReplace": ["acceleratorPool"]})) == []


def test_a_network_that_would_be_replaced_is_not_to_be_allowed() -> None:
    (found,) = look(kept(NOW), stack(gke={**VERSION, "network": {"base": "10.0.0.0/11"}}))
    assert found.path == "llmd-pd:cluster.gke"
    assert "allowReplace" not in str(found)
    assert "make another stack for another one" in str(found)


def test_nodes_that_are_made_anew_are_a_warning() -> None:
    warnings = look(kept(NOW), stack(gke={"version": "1.36.1-gke.1"}))
    assert len(warnings) == 2
    for warning in warnings:
        assert warning.rule == "GKE-31"
        assert "would be made anew, one after the other, because version changes" in str(warning)


# --- the project ---------------------------------------------------------------------------------------------------------


def looked(outputs: dict[str, Any], after: StackSpec) -> tuple[list[str], list[Problem]]:
    """The projects, one for each question, that a Google was asked about which has no answer; that is a warning."""
    projects = list[str]()

    def connect(project: str) -> Google:
        projects.append(project)
        raise UnansweredError("nobody is there", "call later")

    found = look(outputs, after, connect)
    assert bool(projects) == any(row.rule == "GKE-32" and row.why == "nobody is there" for row in found)
    return projects, found


def test_a_new_stack_looks_at_its_project_and_goes_on_without_an_answer() -> None:
    projects, found = looked({}, NOW)
    assert projects == ["acme-serving", "acme-serving"]
    assert not [row for row in found if row.severity is ERROR]


@pytest.mark.parametrize("outputs", [kept(NOW), {"namespace": "of a stack from before plans were kept"}])
def test_an_existing_stack_does_not(outputs: dict[str, Any]) -> None:
    assert looked(outputs, NOW) == ([], [])


def test_its_upgrade_looks_for_the_version() -> None:
    projects, _ = looked(kept(NOW), stack(gke={"version": "1.36.1-gke.1"}))
    assert projects == ["acme-serving"]
    problems = [row for row in look(kept(NOW), stack(gke={"version": "1.36.2-gke.1"})) if row.severity is ERROR]
    (gone,) = problems
    assert re.search(r"GKE does not offer 1\.36\.2-gke\.1 .* write 1\.36\.1-gke\.1 or ", str(gone))


def test_a_change_that_is_refused_is_not_asked_about() -> None:
    projects, found = looked(kept(NOW), stack(gke={**OTHER, "version": "1.36.1-gke.1"}))
    assert projects == []
    assert [row.rule for row in found if row.severity is ERROR] == ["IMM"]
