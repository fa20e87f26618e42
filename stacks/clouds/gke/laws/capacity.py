"""Laws of node pools' sizes, of where their nodes come from, and of TPU slices."""

from collections.abc import Iterator, Sequence

from hardware.machines import TPU_HOSTS
from stacks.clouds.gke.laws.view import Pool, pools
from stacks.clouds.resource import Resource
from stacks.findings import Finding

#: 7 days, the longest that flex-start gives.
FLEX_SECONDS = 604_800


def one_owner_of_size(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-18: one owner of the number of nodes."""
    for pool in pools(resources):
        if pool.get("node_count") is not None and pool.get("autoscaling"):
            yield pool.broken("node_count", "the autoscaler sets the number of nodes")


def possible_upgrade(resources: Sequence[Resource]) -> Iterator[Finding]:
    """CAP-06: an upgrade that can go on."""
    for pool in pools(resources):
        surge, unavailable = pool.get("upgrade_settings.max_surge"), pool.get("upgrade_settings.max_unavailable")
        if surge is not None and surge + (unavailable or 0) == 0:
            yield pool.broken("upgrade_settings", "no node may be added and none may go: no upgrade can begin")


def one_source(resources: Sequence[Resource]) -> Iterator[Finding]:
    """CAP-01: at most one source of nodes."""
    for pool in pools(resources):
        sources = {
            "a reservation": _affinity(pool) == "SPECIFIC_RESERVATION",
            "spot": pool.get("node_config.spot"),
            "flex_start": pool.get("node_config.flex_start"),
        }
        chosen = [name for name, given in sources.items() if given]
        if len(chosen) > 1:
            yield pool.broken("node_config", f"{' and '.join(chosen)}: nodes come from one source")


def whole_reservation(resources: Sequence[Resource]) -> Iterator[Finding]:
    """CAP-02: a reservation in full."""
    place = "node_config.reservation_affinity"
    for pool in pools(resources):
        key, values = pool.get(f"{place}.key"), pool.get(f"{place}.values") or ()
        reserved = _affinity(pool) == "SPECIFIC_RESERVATION"
        if reserved and (not key or len(values) != 1):
            yield pool.broken(place, f"a specific reservation has a key and one value, not {len(values)}")
        if reserved and not pool.get("node_locations"):
            yield pool.broken("node_locations", "a reservation is in one zone, which the pool has to name")
        if not reserved and (key or values):
            yield pool.broken(place, f"{_affinity(pool)} takes neither key nor values")


def flex_start(resources: Sequence[Resource]) -> Iterator[Finding]:
    """CAP-03: what flex-start asks of a pool."""
    for pool in pools(resources):
        if not pool.get("node_config.flex_start"):
            continue
        if pool.get("node_count") is not None:
            yield pool.broken("node_count", "flex-start makes nodes when pods ask for them")
        if pool.get("management.auto_repair") is not False:
            yield pool.broken("management.auto_repair", "flex-start nodes are not repaired")
        if _affinity(pool) != "NO_RESERVATION":
            yield pool.broken("node_config.reservation_affinity", "flex-start uses no reservation")
        seconds = str(pool.get("node_config.max_run_duration") or "")
        if not seconds.removesuffix("s").isdigit() or not 0 < int(seconds.removesuffix("s")) <= FLEX_SECONDS:
            yield pool.broken("node_config.max_run_duration", f"`{seconds}` is not within {FLEX_SECONDS}s")


def hosts(resources: Sequence[Resource]) -> Iterator[Finding]:
    """TPU-01: hosts that there are. Each is a slice of its own; slices of many hosts are not made."""
    for pool in pools(resources):
        if pool.is_tpu and pool.machine_type not in TPU_HOSTS:
            yield pool.broken("node_config.machine_type", f"{pool.machine_type} is no TPU host that is known")


def _affinity(pool: Pool) -> str | None:
    found: str | None = pool.get("node_config.reservation_affinity.consume_reservation_type")
    return found
