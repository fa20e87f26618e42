"""Section `cluster.coreweave` of a stack file: node pools, and the CKS cluster with its VPC if the stack makes them.

Rules that need more than one field are in `stacks.clouds.coreweave.rules`; `stacks.clouds.coreweave.plan` makes the plan.
"""

from typing import Annotated, Literal

from pydantic import Field

from stacks.clouds.pools import AcceleratorPool, PoolName
from stacks.schema import CoreWeaveZone, DnsLabel, NonEmpty, Positive, Section


class Vpc(Section):
    """The VPC of the cluster. Once the cluster has a range, the range can neither move nor be removed.

    Default of `name`: the cluster's name. Default of `hosts`: the zone's own range, which CoreWeave recommends. No range may
    overlap `peers`, the networks to which the VPC is connected.
    """

    name: DnsLabel | None = None
    # Sizes that CoreWeave recommends: 4,000 nodes with 100 pods each, 1,000 Services, 1,000 load balancers. The addresses are
    # those in the example of CoreWeave's own provider, outside the host ranges of its zones.
    pods: NonEmpty = "10.0.0.0/13"
    services: NonEmpty = "10.16.0.0/22"
    internal_load_balancers: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ("10.32.4.0/22",)
    hosts: NonEmpty | None = None
    peers: tuple[NonEmpty, ...] = ()


class Cks(Section):
    """A CKS cluster and its VPC, both in the zone of the nodes.

    `version` is a minor version, `v1.35`. A change of it is an upgrade, by one minor version and never back. Default of `name`:
    the stack's name, cut at the 30 characters that CoreWeave allows. `public: false`: the API server answers in the VPC only.
    """

    zone: CoreWeaveZone
    version: NonEmpty
    name: DnsLabel | None = None
    public: bool = True
    vpc: Vpc = Vpc()


class CoreWeavePool(AcceleratorPool):
    """The accelerator nodes on CoreWeave. Default of `name`: the stack's name and `-gpu`."""

    compute_class: Literal["default", "spot"] = "default"


class SystemPool(Section):
    """The CPU nodes, for CoreWeave's own pods and the router.

    Default of `name`: the stack's name and `-cpu`. `manage: false`: the cluster has such nodes already. Without any, a GPU pool
    could never be scaled to nothing.
    """

    manage: bool = True
    name: PoolName | None = None
    # CoreWeave's smallest CPU type. The router requests 12 cores at most.
    instance_type: NonEmpty = "cd-gp-i64-erapids"
    nodes: Positive = 1


class CoreWeave(Section):
    """The stack's node pools in a CKS cluster and, with `cluster`, the CKS cluster and its VPC.

    `deleteInUse`: a destroy deletes nodes though pods of other stacks run on them, and a cluster though others use it.
    """

    cluster: Cks | None = None
    delete_in_use: bool = False
    system_pool: SystemPool = SystemPool()
    accelerator_pool: CoreWeavePool = CoreWeavePool()
