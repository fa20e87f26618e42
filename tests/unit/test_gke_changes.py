"""Replacements by a changed stack file, from the fingerprint of the last plan."""

import json
from typing import Any

import pytest

from stacks.clouds.changes import changes, fingerprint
from stacks.clouds.gke.replaces import GKE
from stacks.clouds.resource import from_the_engine
from stacks.spec.stack import StackSpec
from tests.gke_plans import DRANET, MULTINET, VARIANTS, planned, stack, variant


def told(before: StackSpec, after: StackSpec) -> list[tuple[str, tuple[str, ...], bool, bool]]:
    known = json.loads(json.dumps(fingerprint(planned(before).resources, GKE)))
    found = changes(known, planned(after).resources, GKE)
    parts = [change.resource.name.removeprefix("pd-disaggregation-") for change in found]
    return [(part, one.fields, one.replaced, one.refused) for part, one in zip(parts, found, strict=True)]


@pytest.mark.parametrize("name", VARIANTS)
def test_an_unchanged_plan_changes_nothing(name: str) -> None:
    assert told(variant(name), variant(name)) == []


SPOT = {"capacity": {"spot": True}}
AFFINITY = ("node_config.spot", "node_config.reservation_affinity")
NICS = (
    "network_config.accelerator_network_profile",
    "network_config.additional_node_network_configs",
    "node_config.guest_accelerators",
)


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        (stack(gke=SPOT), [("accelerators", AFFINITY, True, True)]),
        (stack(gke=SPOT, cluster={"allowReplace": ["acceleratorPool"]}), [("accelerators", AFFINITY, True, False)]),
        (stack(gke=SPOT, cluster={"protect": False}), [("accelerators", AFFINITY, True, False)]),
        (stack(MULTINET, {"rdma": "multinet"}), [("accelerators", NICS, True, True)]),
        (stack(gke={"acceleratorPool": {"name": "h200"}}), [("accelerators", ("name",), True, True)]),
        (
            stack(gke={"version": "1.35.3-gke.1"}),
            [("system", ("version",), False, False), ("accelerators", ("version",), False, False)],
        ),
        (
            stack(gke={"systemPool": {"machineType": "n2-standard-16"}}),
            [("system", ("node_config.machine_type",), False, False)],
        ),
        (
            stack(gke={"network": {"base": "10.0.0.0/11"}}),
            [("nodes", ("ip_cidr_range",), True, True)],
        ),
        (stack(cluster={"nodes": 4}), []),
        (stack(gke={"systemPool": {"max": 9}, "releaseChannel": "STABLE"}), []),
        (stack(gke={"acceleratorPool": {"labels": {"team": "chat"}}}), []),
    ],
)
def test_what_a_change_does_is_told_with_its_fields(after: StackSpec, wanted: list[Any]) -> None:
    assert told(stack(), after) == wanted


def test_another_region_is_another_cluster() -> None:
    replaced = {
        part
        for part, _, replaced, _ in told(stack(), stack(gke={"region": "us-east1", "zone": "us-east1-b"}))
        if replaced
    }
    assert replaced == {"cluster", "nodes", "system", "accelerators"}


def test_another_word_that_is_ignored_changes_nothing() -> None:
    known = fingerprint(planned(stack(DRANET)).resources, GKE)
    for one in known.values():
        one["args"] |= {"description": "another"} if "description" in one["args"] else {}
    assert changes(known, planned(stack(DRANET)).resources, GKE) == []


def test_what_was_not_there_or_was_something_else_is_not_changed() -> None:
    resources = planned(stack()).resources
    assert changes({}, resources, GKE) == []
    assert changes({one.name: {"type": "compute.Firewall", "args": {}} for one in resources}, resources, GKE) == []


def test_inputs_of_the_engine_are_read_in_the_words_of_a_plan() -> None:
    given = {
        "nodeCount": 2.0,
        "nodeConfig": {"labels": {"aB": "c"}, "taints": [{"key": "a"}], "bootDisk": {"sizeGb": 1.5}},
    }
    assert from_the_engine(given) == {
        "node_count": 2,
        "node_config": {"labels": {"aB": "c"}, "taints": [{"key": "a"}], "boot_disk": {"size_gb": 1.5}},
    }
