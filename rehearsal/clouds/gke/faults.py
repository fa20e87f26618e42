"""The faults of GKE, which its pretend cloud plays: how creating a node pool fails, or is slow."""

from collections.abc import Callable

from hardware.machines import TPU_HOSTS
from rehearsal.clouds.gke import messages
from rehearsal.clouds.gke.pool_machine import node_count, zone_of
from rehearsal.faults import Fault
from rehearsal.plugins.plugin import Failure
from stacks.clouds.gke.laws.view import has_accelerators, look_up, name_of
from stacks.clouds.resource import Arguments

FAULTS = (
    Fault("quota", "the quota for the accelerator is 0: no node comes"),
    Fault("stockout", "quota exists, but the zone has no capacity: the pool is refused"),
    Fault("slow-pool", "nodes come late, all after 20 s. The rehearsal passes"),
    Fault("apply-forbidden", "the role may not create or change node pools"),
    Fault("zone-mismatch", "the reservation is in another zone than the node pool"),
)
#: Seconds that a slow pool takes longer.
SLOW_SECONDS = 20


def play(fault: str | None, pool: Arguments, id_: str, wait: Callable[[float], bool]) -> None:
    """Plays a fault while a pool is created: it concerns pools of accelerators, and `apply-forbidden` all pools.

    `wait` waits for seconds, and returns whether it was interrupted. A fault that another part plays is ignored.

    Raises:
        Failure: the pool is not created.
    """
    project, name = str(pool.get("project")), name_of(pool.get("name"))
    if fault == "apply-forbidden":
        raise messages.forbidden("container.nodePools.create", id_.partition("/nodePools/")[0])
    if not has_accelerators(pool):
        return
    zone = zone_of(pool)
    if fault == "slow-pool":
        if wait(SLOW_SECONDS):
            raise Failure("interrupted while the nodes were underway; none exists")
    elif fault == "quota":
        raise messages.no_quota(*_metric(pool), project)
    elif fault == "stockout":
        instances = f"gke-{name_of(pool.get('cluster'))}-{name}"
        raise messages.no_capacity(instances, node_count(pool), project, zone)
    elif fault == "zone-mismatch":
        reserved = look_up(pool, "node_config.reservation_affinity.values")
        if reserved:
            raise messages.no_reservation(str(reserved[0]), name, zone)


def _metric(pool: Arguments) -> tuple[str, int]:
    """Returns the name of the quota, and how much of it the pool asks for."""
    gpus = look_up(pool, "node_config.guest_accelerators")
    nodes = node_count(pool)
    if not gpus:
        return "TPUS_PER_TPU_FAMILY", nodes * TPU_HOSTS.get(str(look_up(pool, "node_config.machine_type")), 1)
    model = str(gpus[0]["type"]).removeprefix("nvidia-").partition("-")[0].upper()
    spot = "PREEMPTIBLE_" if look_up(pool, "node_config.spot") else ""
    return f"{spot}NVIDIA_{model}_GPUS", nodes * int(gpus[0]["count"])
