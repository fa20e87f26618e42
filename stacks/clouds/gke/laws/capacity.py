"""Laws of node pools' sizes, of where their nodes come from, and of TPU slices (see `stacks.clouds.gke.laws.nics`)."""

from collections.abc import Iterator, Sequence
from math import prod

from hardware.machines import TPU_HOSTS, TPU_TOPOLOGIES
from stacks.clouds.gke.laws.view import Broken, Pool, pools
from stacks.clouds.resource import Resource

#: Flex-start packs nodes together only of these (cluster-toolkit).
COMPACT_FLEX = ("a3-ultragpu-", "a4-", "h4d-")
#: 7 days, the longest that flex-start gives.
FLEX_SECONDS = 604_800


def _sizes(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-18: one owner of the number of nodes. CAP-06: an upgrade that can go on."""
    for pool in pools(resources):
        if pool.get("node_count") is not None and pool.get("autoscaling"):
            yield pool.broken("GKE-18", "node_count", "the autoscaler sets the number of nodes")
        if pool.get("initial_node_count") is not None:
            yield pool.broken("GKE-18", "initial_node_count", "every other number would replace the pool")
        surge, unavailable = pool.get("upgrade_settings.max_surge"), pool.get("upgrade_settings.max_unavailable")
        if surge is not None and surge + (unavailable or 0) == 0:
            yield pool.broken(
                "CAP-06", "upgrade_settings", "no node may be added and none may go: no upgrade can begin"
            )


def _sources(resources: Sequence[Resource]) -> Iterator[Broken]:
    """CAP-01, CAP-02, CAP-04: at most one source, a reservation in full, and none that no Deployment can use."""
    for pool in pools(resources):
        reserved = _affinity(pool) == "SPECIFIC_RESERVATION"
        queued = bool(pool.get("queued_provisioning.enabled"))
        said = [
            name
            for name, given in (
                ("a reservation", reserved),
                ("spot", pool.get("node_config.spot")),
                ("flex_start", pool.get("node_config.flex_start")),
                ("queued_provisioning", queued),
            )
            if given
        ]
        if len(said) > 1:
            yield pool.broken("CAP-01", "node_config", f"{' and '.join(said)}: nodes come from one source")
        if queued:
            yield pool.broken(
                "CAP-04", "queued_provisioning", "Deployments ask for no provisioning, so none would come"
            )
        yield from _reservation(pool, reserved)


def _reservation(pool: Pool, reserved: bool) -> Iterator[Broken]:
    place = "node_config.reservation_affinity"
    key, values = pool.get(f"{place}.key"), pool.get(f"{place}.values") or ()
    if reserved and (not key or len(values) != 1):
        yield pool.broken("CAP-02", place, f"a specific reservation has a key and one value, not {len(values)}")
    if reserved and not pool.get("node_locations"):
        yield pool.broken("CAP-02", "node_locations", "a reservation is in one zone, which the pool has to name")
    if not reserved and (key or values):
        yield pool.broken("CAP-02", place, f"{_affinity(pool)} takes neither key nor values")


def _flex_start(resources: Sequence[Resource]) -> Iterator[Broken]:
    """CAP-03: what flex-start asks of a pool."""
    for pool in pools(resources):
        if not pool.get("node_config.flex_start"):
            continue
        if pool.get("node_count") is not None:
            yield pool.broken("CAP-03", "node_count", "flex-start makes nodes when pods ask for them")
        if pool.get("management.auto_repair") is not False:
            yield pool.broken("CAP-03", "management.auto_repair", "flex-start nodes are not repaired")
        if _affinity(pool) != "NO_RESERVATION":
            yield pool.broken("CAP-03", "node_config.reservation_affinity", "flex-start uses no reservation")
        seconds = str(pool.get("node_config.max_run_duration") or "")
        if not seconds.removesuffix("s").isdigit() or not 0 < int(seconds.removesuffix("s")) <= FLEX_SECONDS:
            yield pool.broken("CAP-03", "node_config.max_run_duration", f"`{seconds}` is not within {FLEX_SECONDS}s")


def _placement(resources: Sequence[Resource]) -> Iterator[Broken]:
    """CAP-05: where nodes can be packed together."""
    for pool in pools(resources):
        if pool.get("placement_policy.type") != "COMPACT":
            continue
        queued = bool(pool.get("queued_provisioning.enabled"))
        blue_green = pool.get("upgrade_settings.strategy") == "BLUE_GREEN"
        if len(pool.get("node_locations") or ()) != 1 or blue_green or (queued and not pool.is_tpu):
            what = "nodes are packed in one zone, without blue-green upgrades, and not when queued"
            yield pool.broken("CAP-05", "placement_policy", what)
        if pool.get("node_config.flex_start") and not pool.is_tpu and not pool.machine_type.startswith(COMPACT_FLEX):
            yield pool.broken("CAP-05", "placement_policy", f"flex-start does not pack {pool.machine_type}")


def _slices(resources: Sequence[Resource]) -> Iterator[Broken]:
    """TPU-01: a shape there is. TPU-02: as many hosts as it has, placed as slices of many hosts are, and only those."""
    for pool in pools(resources):
        if not pool.is_tpu:
            continue
        chips = TPU_HOSTS.get(pool.machine_type)
        if chips is None:
            yield pool.broken("TPU-01", "node_config.machine_type", f"{pool.machine_type} is no TPU host that is known")
            continue
        family = pool.machine_type.split("-")[0]
        shape = pool.get("placement_policy.tpu_topology")
        if shape is None:
            if pool.get("placement_policy"):
                yield pool.broken("TPU-02", "placement_policy", "a host that is a slice of its own is placed alone")
            continue
        if shape not in TPU_TOPOLOGIES[family] or prod(map(int, shape.split("x"))) % chips:
            yield pool.broken(
                "TPU-01", "placement_policy.tpu_topology", f"{family} has no slice of {shape} in such hosts"
            )
            continue
        hosts = prod(map(int, shape.split("x"))) // chips
        if hosts == 1:
            yield pool.broken("TPU-02", "placement_policy", "a host that is a slice of its own is placed alone")
        elif pool.get("node_count") != hosts:
            yield pool.broken("TPU-02", "node_count", f"a slice of {shape} is {hosts} hosts, and a pool one slice")
        elif family == "tpu7x" and not pool.get("placement_policy.policy_name"):
            yield pool.broken(
                "TPU-02", "placement_policy.policy_name", "a slice of many TPU7x hosts has a workload policy"
            )


def _affinity(pool: Pool) -> str | None:
    found: str | None = pool.get("node_config.reservation_affinity.consume_reservation_type")
    return found


CAPACITY_CHECKS = (_sizes, _sources, _flex_start, _placement, _slices)
