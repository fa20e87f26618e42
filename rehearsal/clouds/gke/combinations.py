"""Rules over several arguments that are in no schema, but in the provider's code or its documentation.

Sources are of terraform-provider-google-beta 7.45.0: `…:123` is a line of Go code, which refuses during apply; the others are
pages under `website/docs/r`, which document what Google refuses. Only rules about arguments that a stack on GKE sets are here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.plugins.values import contains_unknown
from stacks.clouds.gke.laws.view import look_up
from stacks.clouds.resource import Arguments


@dataclass(frozen=True)
class Combination:
    """Arguments that exclude one another: the path that is reported, the condition, and the message.

    `breaks` is called only if all of `of` are known; an argument that is left out is None.
    """

    at: str
    of: tuple[str, ...]
    breaks: Callable[..., bool]
    words: str
    source: str


def _both(one: Any, other: Any) -> bool:
    return bool(one) and bool(other)


_SURGE = "Surge upgrade settings may not be changed when surge strategy is not enabled"
_PER_ZONE, _TOTAL = ("min_node_count", "max_node_count"), ("total_min_node_count", "total_max_node_count")
_POOL_GO, _POOL_PAGE = "container/resource_container_node_pool.go", "container_node_pool.html.markdown"
_NAT_PAGE = "compute_router_nat.html.markdown"

COMBINATIONS: Mapping[str, tuple[Combination, ...]] = {
    "container.Cluster": (
        Combination(
            "node_version",
            ("node_version", "remove_default_node_pool"),
            _both,
            "node_version can only be specified if remove_default_node_pool is not true",
            "container/resource_container_cluster.go:9154",
        ),
        Combination(
            "node_locations",
            ("node_locations", "location"),
            lambda zones, location: location in (zones or ()),
            "when using a multi-zonal cluster, node_locations should not contain the original 'zone'",
            "container/resource_container_cluster.go:3283",
        ),
    ),
    "container.NodePool": (
        Combination(
            "name_prefix",
            ("name", "name_prefix"),
            _both,
            "Cannot specify both name and name_prefix for a node_pool",
            f"{_POOL_GO}:1226",
        ),
        Combination(
            "initial_node_count",
            ("initial_node_count", "node_count"),
            _both,
            "Cannot set both initial_node_count and node_count on node pool",
            f"{_POOL_GO}:1241",
        ),
        *(
            Combination(
                f"upgrade_settings.{setting}",
                (f"upgrade_settings.{setting}", "upgrade_settings.strategy"),
                lambda nodes, strategy: bool(nodes) and strategy not in (None, "SURGE"),
                _SURGE,
                f"{_POOL_GO}:1323",
            )
            for setting in ("max_surge", "max_unavailable")
        ),
        Combination(
            "upgrade_settings.max_surge",
            ("upgrade_settings.max_surge", "upgrade_settings.max_unavailable"),
            lambda surge, unavailable: surge == unavailable == 0,
            "`max_surge` and `max_unavailable` must not be negative and at least one of them must be greater than zero",
            _POOL_PAGE,
        ),
        *(
            Combination(
                f"autoscaling.{total}",
                (f"autoscaling.{zonal}", f"autoscaling.{total}"),
                _both,
                f"{total} cannot be used with per zone limits",
                _POOL_PAGE,
            )
            for total in _TOTAL
            for zonal in _PER_ZONE
        ),
        *(
            Combination(
                f"autoscaling.{least}",
                (f"autoscaling.{least}", f"autoscaling.{most}"),
                lambda fewest, many: fewest is not None and many is not None and fewest > many,
                f"{least} must be >= 0 and <= {most}",
                _POOL_PAGE,
            )
            for least, most in (_PER_ZONE, _TOTAL)
        ),
    ),
    "compute.RouterNat": (
        Combination(
            "enable_endpoint_independent_mapping",
            ("enable_dynamic_port_allocation", "enable_endpoint_independent_mapping"),
            _both,
            "enable_dynamic_port_allocation and enable_endpoint_independent_mapping are mutually exclusive",
            _NAT_PAGE,
        ),
        Combination(
            "max_ports_per_vm",
            ("enable_dynamic_port_allocation", "max_ports_per_vm"),
            lambda dynamic, most: most is not None and not dynamic,
            "max_ports_per_vm can only be set when enable_dynamic_port_allocation is enabled",
            _NAT_PAGE,
        ),
        Combination(
            "max_ports_per_vm",
            ("min_ports_per_vm", "max_ports_per_vm"),
            lambda least, most: least is not None and most is not None and most <= least,
            "max_ports_per_vm must be greater than min_ports_per_vm",
            _NAT_PAGE,
        ),
    ),
}


def combination_problems(kind: str, args: Arguments) -> Iterator[tuple[str, str]]:
    """Yields the path in the SDK's spelling and the message, for arguments that exclude one another."""
    for row in COMBINATIONS.get(kind, ()):
        values = [look_up(args, path) for path in row.of]
        if not contains_unknown(values) and row.breaks(*values):
            yield row.at, row.words
