"""What all parts of a GKE plan go by: one stack's choices, looked up and named once."""

import hashlib
from dataclasses import dataclass

from hardware.machines import GKE_POOLS, GkePool, Machine, RdmaMode
from stacks.clouds.gke.addresses import AddressPlan, Demand, address_plan
from stacks.clouds.gke.spec import Gke
from stacks.clouds.pools import PoolKey
from stacks.spec.stack import StackSpec

#: The system pool's own upgrades add a node before they take one away; the accelerators' never do.
SURGE = 1


@dataclass(frozen=True)
class Site:
    """A cluster to be made: where, of what, how large.

    `nodes` are the accelerator nodes, `gateway` whether clients come through a Gateway of GKE's, `protect` whether the engine
    refuses to delete or replace what bills.
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
        """The name of a part, in the plan and wherever a name of 63 characters can be had."""
        return f"{self.name}-{part}"

    @property
    def project(self) -> str:
        """The project's id."""
        return self.gke.project


def site(spec: StackSpec, machine: Machine) -> Site:
    """The site of a stack file that obeys the rules, on a machine as the stack has it.

    Raises:
        AddressPlanError: the base cannot be used.
    """
    gke, nodes = spec.cluster.gke, spec.cluster.nodes
    if gke is None or nodes is None:
        raise ValueError("not a stack file that obeys the rules: `cluster.gke` or `cluster.nodes` is missing")
    pool = GKE_POOLS[machine.key]
    return Site(
        name=spec.name,
        gke=gke,
        machine=machine,
        pool=pool,
        rdma=gke.rdma or pool.rdma,
        nodes=nodes,
        addresses=address_plan(gke.network.base, demand(gke, nodes), gke.network.peers),
        gateway=has_gateways(spec, gke),
        protect=spec.cluster.protect,
        allow_replace=spec.cluster.allow_replace,
    )


def has_gateways(spec: StackSpec, gke: Gke) -> bool:
    """Whether there can be Gateways of GKE's."""
    if gke.gateways is not None:
        return gke.gateways
    stated = spec.router.gateway
    return spec.serving is None or (stated is not None and stated.provider == "gke")


def demand(gke: Gke, nodes: int) -> Demand:
    """What the addresses have to be enough for: the most that the autoscalers may make."""
    scaling = gke.accelerator_pool.autoscaling
    return Demand(max(nodes, scaling.max if scaling else 0), gke.system_pool.max, SURGE)


def shortened(name: str, most: int) -> str:
    """The name where it is short enough, else its beginning and a hash of all of it."""
    if len(name) <= most:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: most - 7].rstrip('-')}-{digest}"
