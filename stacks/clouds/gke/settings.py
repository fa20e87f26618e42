"""The settings of a GKE plan: the stack's choices, resolved once for all parts of the plan."""

from dataclasses import dataclass

from hardware.machines import GKE_POOLS, GkePool, Machine, RdmaMode
from stacks.clouds.cloud import ClusterRequest
from stacks.clouds.gke.addresses import AddressPlan, Demand, address_plan
from stacks.clouds.gke.spec import Gke
from stacks.clouds.pools import PoolKey

#: Upgrades of the system pool add this many nodes before they remove one; upgrades of the accelerator pool add none.
SURGE = 1


@dataclass(frozen=True)
class Settings:
    """The cluster to make: its place, machines and size.

    `nodes` is the number of accelerator nodes. `gateway`: clients may come through a Gateway of GKE. `protect`: the engine
    refuses to delete or replace resources that bill.
    """

    name: str
    gke: Gke
    machine: Machine
    pool: GkePool
    rdma: RdmaMode
    nodes: int
    addresses: AddressPlan
    gateway: bool
    protect: bool
    allow_replace: tuple[PoolKey, ...]

    def named(self, part: str) -> str:
        """Returns the name of a part, in the plan and at Google if 63 characters are allowed there."""
        return f"{self.name}-{part}"

    @property
    def project(self) -> str:
        """The project's id."""
        return self.gke.project


def stated(request: ClusterRequest) -> Gke:
    """Returns the section of a request to GKE."""
    assert isinstance(request.section, Gke)
    return request.section


def settings(request: ClusterRequest) -> Settings:
    """Returns the settings of a valid request.

    Raises:
        AddressPlanError: the base cannot be used.
    """
    gke, nodes = stated(request), request.nodes
    if nodes is None:
        raise ValueError("not a valid stack file: `cluster.nodes` is missing")
    pool = GKE_POOLS[request.machine.key]
    return Settings(
        name=request.name,
        gke=gke,
        machine=request.machine,
        pool=pool,
        rdma=gke.rdma or pool.rdma,
        nodes=nodes,
        addresses=address_plan(gke.network.base, demand(gke, nodes), gke.network.peers),
        gateway=has_gateways(request),
        protect=request.protect,
        allow_replace=request.allow_replace,
    )


def has_gateways(request: ClusterRequest) -> bool:
    """Whether the cluster can have Gateways of GKE: as the file says, else if the stack may use some."""
    said = stated(request).gateways
    return request.wants_gateway if said is None else said


def demand(gke: Gke, nodes: int) -> Demand:
    """Returns the demand for addresses: the largest number of nodes that the autoscalers may make."""
    scaling = gke.accelerator_pool.autoscaling
    return Demand(max(nodes, scaling.max if scaling else 0), gke.system_pool.max, SURGE)
