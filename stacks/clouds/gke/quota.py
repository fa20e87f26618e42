"""The quota that a GKE plan needs in its project.

The accelerator pool counts only if its nodes do not come from a reservation, which has its quota already. The provider reports a
missing quota late, with half of the stack made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hardware.fit import quantities
from stacks.clouds.gke.laws.view import Pool, look_up, pools
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.resource import Resource

#: GiB of a local SSD.
SSD_GIB = 375


@dataclass(frozen=True)
class Need:
    """An amount of a resource. `what` names the resource for people, and is unique in a list of needs."""

    what: str
    amount: int

    def __str__(self) -> str:
        return f"{self.amount:,} {self.what.removesuffix('s') if self.amount == 1 else self.what}"


def quota_needs(plan: GkePlan) -> list[Need]:
    """Returns what the plan needs at its largest, each resource once. The system pool's small share is left out."""
    accelerators = [pool for pool in pools(plan.resources) if pool.has_accelerators and not _reserved(pool)]
    return [need for pool in accelerators for need in _of_pool(plan, pool)] + [*_of_networks(plan.resources)]


def _reserved(pool: Pool) -> bool:
    return bool(pool.get("node_config.reservation_affinity.consume_reservation_type") == "SPECIFIC_RESERVATION")


def _of_pool(plan: GkePlan, pool: Pool) -> Iterator[Need]:
    row, nodes = plan.settings.pool, pool.most_nodes
    region, spot = plan.settings.gke.region, "preemptible " if pool.get("node_config.spot") else ""
    devices = nodes * row.machine.devices_per_node
    kind = f"{row.gpu} GPUs" if row.gpu else f"{row.machine.instance_type.split('-')[0]} chips"
    quota = row.spot_quota if spot else row.quota
    yield Need(f"{spot}{kind} in {region}" + (f" ({quota})" if quota else ""), devices)
    vcpus = int(quantities.parse(row.machine.capacity["cpu"]))
    yield Need(f"{spot}vCPU of {row.machine.instance_type} in {region}", nodes * vcpus)
    if row.local_ssds:
        yield Need(f"{spot}GiB of local SSD in {region}", nodes * row.local_ssds * SSD_GIB)
    disk = int(look_up(pool.resource.args, "node_config.boot_disk.size_gb"))
    yield Need(f"GiB of hyperdisk in {region}", nodes * disk)


def _of_networks(resources: Sequence[Resource]) -> Iterator[Need]:
    kinds = [resource.type for resource in resources]
    yield Need("networks", kinds.count("compute.Network"))
    yield Need("subnetworks", kinds.count("compute.Subnetwork"))
