"""Rules over several arguments that no schema has: each refuses one pair, and takes what plans say."""

import importlib.util
from typing import Any

import pytest

from rehearsal.clouds.gke.combinations import COMBINATIONS, Combination, combination_problems
from rehearsal.plugins.values import UNKNOWN
from stacks.clouds.resource import Arguments
from tests.gke_plans import VARIANTS, planned, variant
from tests.pretend_cloud import declares

CLUSTER, POOL, NAT = "container.Cluster", "container.NodePool", "compute.RouterNat"
DYNAMIC = {"enable_dynamic_port_allocation": True}
SURGE = {"max_surge": 0, "max_unavailable": 1}

#: Kind, arguments that exclude one another, and the path that is named.
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    (CLUSTER, {"node_version": "1.35", "remove_default_node_pool": True}, "node_version"),
    (CLUSTER, {"location": "us-south1-b", "node_locations": ["us-south1-b"]}, "node_locations"),
    (POOL, {"name": "gpu", "name_prefix": "gpu"}, "name_prefix"),
    (POOL, {"initial_node_count": 1, "node_count": 2}, "initial_node_count"),
    (POOL, {"upgrade_settings": {"strategy": "BLUE_GREEN", "max_surge": 1}}, "upgrade_settings.max_surge"),
    (POOL, {"upgrade_settings": {"strategy": "BLUE_GREEN", "max_unavailable": 1}}, "upgrade_settings.max_unavailable"),
    (POOL, {"upgrade_settings": {"max_surge": 0, "max_unavailable": 0}}, "upgrade_settings.max_surge"),
    *[
        (POOL, {"autoscaling": {zonal: 1, total: 1}}, f"autoscaling.{total}")
        for zonal in ("min_node_count", "max_node_count")
        for total in ("total_min_node_count", "total_max_node_count")
    ],
    (POOL, {"autoscaling": {"min_node_count": 2, "max_node_count": 1}}, "autoscaling.min_node_count"),
    (POOL, {"autoscaling": {"total_min_node_count": 2, "total_max_node_count": 1}}, "autoscaling.total_min_node_count"),
    (NAT, {**DYNAMIC, "enable_endpoint_independent_mapping": True}, "enable_endpoint_independent_mapping"),
    (NAT, {"max_ports_per_vm": 64}, "max_ports_per_vm"),
    (NAT, {**DYNAMIC, "min_ports_per_vm": 1024, "max_ports_per_vm": 1024}, "max_ports_per_vm"),
]
ROWS = [(kind, row) for kind, rows in COMBINATIONS.items() for row in rows]


def found(kind: str, args: Arguments) -> dict[str, str]:
    return dict(combination_problems(kind, args))


@pytest.mark.parametrize(("kind", "args", "path"), BROKEN, ids=[f"{kind} {args}" for kind, args, _ in BROKEN])
def test_what_excludes_one_another_is_named(kind: str, args: dict[str, Any], path: str) -> None:
    ((place, words),) = found(kind, args).items()
    assert place == path
    assert words


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=[f"{kind} {' '.join(row.of)}" for kind, row in ROWS])
def test_every_rule_is_broken_once(kind: str, row: Combination) -> None:
    broken = [
        args for one, args, path in BROKEN if (one, path) == (kind, row.at) and row.words == found(kind, args)[path]
    ]
    assert len(broken) == len([other for _, other in ROWS if (other.at, other.words) == (row.at, row.words)])


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        (CLUSTER, {"location": "us-south1", "node_locations": ["us-south1-b"], "remove_default_node_pool": True}),
        (POOL, {"upgrade_settings": {"strategy": "SURGE", **SURGE}, "node_count": 2}),
        (POOL, {"upgrade_settings": SURGE, "autoscaling": {"total_min_node_count": 0, "total_max_node_count": 2}}),
        (
            NAT,
            {**DYNAMIC, "enable_endpoint_independent_mapping": False, "min_ports_per_vm": 64, "max_ports_per_vm": 128},
        ),
        (NAT, {"enable_dynamic_port_allocation": UNKNOWN, "max_ports_per_vm": 64}),
    ],
)
def test_what_goes_together_is_taken(kind: str, args: dict[str, Any]) -> None:
    assert found(kind, args) == {}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_plan_obeys(name: str) -> None:
    assert {one.name: said for one in planned(variant(name)).resources if (said := found(one.type, one.args))} == {}


@pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")
def test_every_path_is_one_of_the_sdks() -> None:
    assert {(kind, path) for kind, row in ROWS for path in (row.at, *row.of) if not declares(kind, path)} == set()
