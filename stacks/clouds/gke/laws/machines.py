"""Laws of what a machine has by itself: a node pool says all of it as it is, or Google refuses it, or makes other nodes.

Of machine types in the table only (`hardware.machines.GKE_POOLS`): what others have is not known.
"""

from collections.abc import Iterator, Sequence

from hardware.machines import GKE_POOLS, GkePool, Taint
from stacks.clouds.gke.laws.view import Pool, pools
from stacks.clouds.gke.pools import EFFECTS
from stacks.clouds.resource import Resource
from stacks.findings import Finding

_GPUS = "node_config.guest_accelerators"
_SSDS = "node_config.ephemeral_storage_local_ssd_config"


def devices(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-23: accelerators, NICs and disks are the machine's."""
    for pool, row in _known(resources):
        machine = f"node_config.machine_type {pool.machine_type}"
        if not row.gpu:
            if pool.gpus:
                yield pool.broken(_GPUS, f"{machine} has no GPUs")
            continue
        has = {"type": row.gpu, "count": row.machine.devices_per_node}
        for key, value in has.items():
            if pool.gpus.get(key) != value:
                field = f"{_GPUS}.{key}" if pool.gpus else _GPUS
                yield pool.broken(field, f"{machine} has {has['count']} {has['type']}")
                break
        if pool.get("node_config.gvnic.enabled") is not True:
            yield pool.broken("node_config.gvnic.enabled", f"{machine} has gVNICs beside the NICs of RDMA")
        if pool.get(f"{_SSDS}.local_ssd_count") != row.local_ssds:
            what = f"{machine} has {row.local_ssds} local SSDs, and another number would replace the pool"
            yield pool.broken(f"{_SSDS}.local_ssd_count", what)


def ways(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-25: DRANET on machines whose NICs the pods can ask it for."""
    for pool, _ in _known(resources):
        rows = [row for row in GKE_POOLS.values() if row.machine.instance_type == pool.machine_type]
        if pool.dranet and not any("dranet" in row.since for row in rows):
            field = "network_config.accelerator_network_profile"
            what = f"the pods of node_config.machine_type {pool.machine_type} claim no NICs"
            yield pool.broken(field, what)


def own_taints(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-24: the taint that GKE puts on such nodes is said as it is, or not at all: then GKE adds it."""
    for pool, row in _known(resources):
        for own in row.machine.taints:
            said = [taint for taint in pool.get("node_config.taints") or () if taint.get("key") == own.key]
            if [taint for taint in said if (taint.get("value"), taint.get("effect")) != (own.value, _effect(own))]:
                what = f"{own.key} is {own.value}:{_effect(own)} on such nodes, which keeps other pods off them"
                yield pool.broken("node_config.taints", what)


def _effect(taint: Taint) -> str:
    return EFFECTS[taint.effect]


def _known(resources: Sequence[Resource]) -> Iterator[tuple[Pool, GkePool]]:
    """The pools of a machine in the table; of machines of one type, what is said here is the same."""
    for pool in pools(resources):
        row = next((row for row in GKE_POOLS.values() if row.machine.instance_type == pool.machine_type), None)
        if row is not None:
            yield pool, row
