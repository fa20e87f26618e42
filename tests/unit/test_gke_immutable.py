"""IMM: which changes replace a resource or its nodes; of every field in the tables, and of some that are in neither."""

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.clouds.gke.replaces import DISRUPTIVE, GKE, REPLACING
from tests.gke_plans import planned, stack, variant

POOL, CLUSTER, NETWORK, SUBNET = "container.NodePool", "container.Cluster", "compute.Network", "compute.Subnetwork"
LISTED = [(kind, path) for kind, fixed in REPLACING.items() if not fixed.but_for for path in fixed.paths]
ANEW = [(kind, path) for kind, paths in DISRUPTIVE.items() for path in paths]
CHEAP = [
    "node_count", "autoscaling", "management", "upgrade_settings", "node_drain_configs", "node_config.labels",
    "node_config.taints", "node_config.tags", "node_config.resource_labels", "network_config.enable_private_nodes",
]  # fmt: skip


def at(path: str, value: Any) -> dict[str, Any]:
    nested: Any = value
    for step in reversed(path.split(".")):
        nested = {step: nested}
    found: dict[str, Any] = nested | {"ip_cidr_range": "10.0.0.0/24"}
    return found


@pytest.mark.parametrize(("kind", "path"), LISTED)
def test_a_listed_field_replaces_its_resource(kind: str, path: str) -> None:
    assert GKE.replacing_fields(at(path, "a"), at(path, "b"), kind) == [path]
    assert GKE.replacing_fields(at(path, "a"), at(path, "a"), kind) == []
    assert GKE.replacing_fields(at("other", 1), at(path, {"deep": 1}), kind) == [path]
    assert GKE.disruptive_fields(at(path, "a"), at(path, "b"), kind) == []


@pytest.mark.parametrize(("kind", "path"), ANEW)
def test_a_disruptive_field_makes_every_node_anew(kind: str, path: str) -> None:
    assert GKE.disruptive_fields(at(path, "a"), at(path, "b"), kind) == [path]
    assert GKE.disruptive_fields(at(path, "a"), at(path, "a"), kind) == []
    assert GKE.replacing_fields(at(path, "a"), at(path, "b"), kind) == []


@pytest.mark.parametrize("path", CHEAP)
def test_the_rest_changes_in_place(path: str) -> None:
    assert (
        GKE.replacing_fields(at(path, "a"), at(path, "b"), POOL)
        == GKE.disruptive_fields(at(path, "a"), at(path, "b"), POOL)
        == []
    )


def test_of_a_network_almost_everything_replaces_it() -> None:
    assert GKE.replacing_fields(
        {"network_profile": "a", "mtu": 1460}, {"network_profile": "b", "mtu": 8896}, NETWORK
    ) == ["network_profile"]
    assert GKE.replacing_fields({}, {"routing_mode": "GLOBAL", "deletion_policy": "ABANDON"}, NETWORK) == []
    assert GKE.replacing_fields({"region": "a"}, {"region": "b"}, "compute.ResourcePolicy") == ["region"]
    assert GKE.replacing_fields({"deletion_policy": "a"}, {"deletion_policy": "b"}, "compute.ResourcePolicy") == []


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ("10.0.0.0/24", "10.0.0.0/24", []),
        ("10.0.0.0/24", "10.0.0.0/20", []),
        ("10.0.0.0/20", "10.0.0.0/24", ["ip_cidr_range"]),
        ("10.0.0.0/24", "10.0.1.0/24", ["ip_cidr_range"]),
    ],
)
def test_a_range_grows_in_place_and_moves_with_its_subnet(before: str, after: str, replaced: list[str]) -> None:
    assert GKE.replacing_fields({"ip_cidr_range": before}, {"ip_cidr_range": after}, SUBNET) == replaced


def test_of_a_class_that_nobody_lists_nothing_is_said() -> None:
    assert GKE.replacing_fields({"a": 1}, {"a": 2}, "projects.Service") == []
    assert GKE.disruptive_fields({"a": 1}, {"a": 2}, "projects.Service") == []


def args(name: str, part: str) -> Mapping[str, Any]:
    plan = planned(variant(name))
    return plan.resource(plan.settings.named(part)).args


def test_another_way_to_the_nics_replaces_the_pool_and_keeps_the_cluster() -> None:
    old, new = args("dranet", "accelerators"), args("multinet", "accelerators")
    assert GKE.replacing_fields(old, new, POOL) == [
        "network_config.accelerator_network_profile",
        "network_config.additional_node_network_configs",
        "node_config.guest_accelerators",
    ]
    assert GKE.replacing_fields(args("dranet", "cluster"), args("multinet", "cluster"), CLUSTER) == []


def test_other_capacity_replaces_the_pool() -> None:
    assert GKE.replacing_fields(args("dranet", "accelerators"), args("spot", "accelerators"), POOL) == [
        "node_config.spot",
        "node_config.reservation_affinity",
    ]


def test_another_version_or_disk_makes_the_nodes_anew_and_another_number_does_not() -> None:
    def pool(**gke: Any) -> Mapping[str, Any]:
        return planned(stack(gke=gke)).of(POOL)[1].args

    plain = pool()
    assert GKE.disruptive_fields(plain, pool(version="1.35.3-gke.1"), POOL) == ["version"]
    assert GKE.disruptive_fields(plain, pool(acceleratorPool={"bootDiskGb": 300}), POOL) == ["node_config.boot_disk"]
    more = planned(stack(cluster={"nodes": 4})).of(POOL)[1].args
    assert GKE.disruptive_fields(plain, more, POOL) == GKE.replacing_fields(plain, more, POOL) == []
