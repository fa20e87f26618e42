"""`cluster` of a stack file: whose cluster it is, what its accelerator nodes are, and which of them the stack makes."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from stacks.clouds.coreweave.spec import Cks
from stacks.clouds.gke.spec import Gke, GkeAcceleratorPool
from stacks.clouds.pools import Autoscaling, PoolKey, Taint
from stacks.schema import DnsLabel, LabelKey, LabelValue, NonEmpty, Positive, Section, StackName

#: The providers with which a stack makes its nodes.
MAKERS = ("coreweave", "gke")


class AcceleratorPool(Section):
    """The nodes the model servers run on, `cluster.nodes` of `cluster.machine`. `name` left out: the stack's, and `-gpu`.

    `labels` and `taints` come on top of what the provider puts on such nodes.
    """

    name: Annotated[DnsLabel, StringConstraints(max_length=40)] | None = None
    compute_class: Literal["default", "spot"] = "default"
    autoscaling: Autoscaling | None = None
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


class SystemPool(Section):
    """The nodes of everything that needs no accelerator: CoreWeave's own pods, and the router.

    `name` left out: the stack's, and `-cpu`. `manage: false`: the cluster has such nodes already. Without any, a GPU pool could
    never be scaled to nothing.
    """

    manage: bool = True
    name: Annotated[DnsLabel, StringConstraints(max_length=40)] | None = None
    # The smallest that CoreWeave has; the router asks for 12 cores at most.
    instance_type: NonEmpty = "cd-gp-i64-erapids"
    nodes: Positive = 1


class CoreWeave(Section):
    """What the stack makes on a CKS cluster: its node pools, and with `cluster` that itself, with its VPC.

    `deleteInUse`: a destroy takes the nodes with pods of other stacks on them, and a cluster with what others run in it.
    """

    cluster: Cks | None = None
    delete_in_use: bool = False
    system_pool: SystemPool = SystemPool()
    accelerator_pool: AcceleratorPool = AcceleratorPool()


class Cluster(Section):
    """Whose cluster it is, by a context of a kubeconfig, which the program is told and never guesses.

    `existing`: its nodes are somebody else's. `machine` and `nodes` are then facts about its accelerator nodes: the rules check
    the fit against them and a rehearsal simulates them. Left out, they are the first machine of the table that serves the
    fabric, and as many nodes as the sizing needs.

    `coreweave`: the stack makes the node pools, of this machine and with this many nodes; and the cluster, if it says so. The
    context leads to that then, and is left out until it is there.

    `gke`: the stack makes the cluster with all it stands on, and the node pools likewise.
    `stack`: as existing, by reference to a stack that makes the nodes and nothing else. `stack` is its name, or
    `organization/project/name` where it is of another project; kubeconfig, context, machine and nodes are what it says.

    `protect`: nothing of what bills is deleted or replaced by an `up` or a `destroy` until it is set to false and `up` has run.
    `allowReplace` lets a change replace the pools it names, once.
    """

    provider: Literal["existing", "coreweave", "gke", "stack"] = "existing"
    stack: StackName | None = None
    kubeconfig: NonEmpty | None = None
    context: NonEmpty | None = None
    machine: NonEmpty | None = None
    nodes: Positive | None = None
    coreweave: CoreWeave | None = None
    gke: Gke | None = None
    protect: bool = True
    allow_replace: tuple[PoolKey, ...] = ()

    @property
    def makes_nodes(self) -> bool:
        """Whether the accelerator nodes are the stack's own, and so exactly what it says."""
        return self.provider in MAKERS

    @property
    def cks_to_make(self) -> Cks | None:
        """What it says of a CKS cluster, where the stack makes one."""
        return self.coreweave.cluster if self.provider == "coreweave" and self.coreweave else None

    @property
    def gke_to_make(self) -> Gke | None:
        """What it says of a cluster on GKE, where the stack makes one."""
        return self.gke if self.provider == "gke" else None

    @property
    def is_new(self) -> bool:
        """Whether the stack makes the cluster and names none that exists: on GKE always, on CoreWeave without a context."""
        return self.gke_to_make is not None or (self.cks_to_make is not None and self.context is None)

    @property
    def made(self) -> CoreWeave | Gke | None:
        """What is said of the nodes by the stack that makes them: this one, or the one it refers to once that was looked up.
        None of nodes that no stack of this project makes."""
        if self.provider == "coreweave":
            return self.coreweave or CoreWeave()
        return (self.gke or self.coreweave) if self.provider in ("gke", "stack") else None

    @property
    def on_gke(self) -> Gke | None:
        """What is said of a cluster on GKE that a stack of this project makes."""
        return self.made if isinstance(self.made, Gke) else None

    @property
    def accelerator_pool(self) -> AcceleratorPool | GkeAcceleratorPool:
        """What is said of the accelerator nodes, whichever provider has them."""
        return self.made.accelerator_pool if self.made else AcceleratorPool()
