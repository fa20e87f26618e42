"""`cluster.coreweave` of a stack file: node pools on CoreWeave, and the CKS cluster and VPC beneath them if the stack makes them.

Rules that need more than one field are in `stacks.clouds.coreweave.rules`, what is made of it in `stacks.clouds.coreweave.plan`.
"""

from typing import Annotated, Literal

from pydantic import Field

from stacks.clouds.pools import AcceleratorPool, PoolName
from stacks.schema import CoreWeaveZone, DnsLabel, NonEmpty, Positive, Section


class Vpc(Section):
    """The network of the cluster. A range never moves, and never goes, once the cluster has it.

    `name` left out: the cluster's. `hosts` left out: the zone's own, which CoreWeave recommends. None overlaps `peers`, the
    networks it is connected to.
    """

    name: DnsLabel | None = None
    # Sizes that CoreWeave recommends: 4,000 nodes with 100 pods each, 1,000 Services, 1,000 load balancers. Where they lie is
    # the example of CoreWeave's own provider, beside the host ranges of its zones.
    pods: NonEmpty = "10.0.0.0/13"
    services: NonEmpty = "10.16.0.0/22"
    internal_load_balancers: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ("10.32.4.0/22",)
    hosts: NonEmpty | None = None
    peers: tuple[NonEmpty, ...] = ()


class Cks(Section):
    """A CKS cluster and the VPC it is in, both in one zone, where the nodes will be.

    `version` is a minor one, `v1.35`; another is an upgrade, one at a time and never back. `name` left out: the stack's, cut at
    the 30 characters that CoreWeave takes. `public: false`: its API server answers in the VPC only.
    """

    zone: CoreWeaveZone
    version: NonEmpty
    name: DnsLabel | None = None
    public: bool = True
    vpc: Vpc = Vpc()


class CoreWeavePool(AcceleratorPool):
    """The accelerator nodes on CoreWeave. `name` left out: the stack's, and `-gpu`."""

    compute_class: Literal["default", "spot"] = "default"


class SystemPool(Section):
    """The nodes of everything that needs no accelerator: CoreWeave's own pods, and the router.

    `name` left out: the stack's, and `-cpu`. `manage: false`: the cluster has such nodes already. Without any, a GPU pool could
    never be scaled to nothing.
    """

    manage: bool = True
    name: PoolName | None = None
    # The smallest that CoreWeave has; the router asks for 12 cores at most.
    instance_type: NonEmpty = "cd-gp-i64-erapids"
    nodes: Positive = 1


class CoreWeave(Section):
    """The section of a stack on a CKS cluster: its node pools, and with `cluster` the cluster and its VPC.

    `deleteInUse`: a destroy takes the nodes with pods of other stacks on them, and a cluster with what others run in it.
    """

    cluster: Cks | None = None
    delete_in_use: bool = False
    system_pool: SystemPool = SystemPool()
    accelerator_pool: CoreWeavePool = CoreWeavePool()
