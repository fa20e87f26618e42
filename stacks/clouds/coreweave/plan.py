"""What a stack makes on CoreWeave beneath its node pools, as data: a VPC, and a CKS cluster in it.

`components/cluster/cks` registers exactly this. A pure function of a stack file: nothing is asked of CoreWeave. The nodes are
Kubernetes objects in the cluster: `stacks.clouds.coreweave.pools`.
"""

from dataclasses import dataclass

from stacks.clouds.coreweave.addresses import PODS, SERVICES, internal_lb, prefixes
from stacks.clouds.coreweave.spec import Cks
from stacks.clouds.gke.site import shortened
from stacks.clouds.resource import Ref, Resource, Timeouts
from stacks.spec.stack import StackSpec

VPC, CLUSTER = "NetworkingVpc", "CksCluster"
#: CoreWeave takes no longer names.
NAME_LENGTH = 30
#: The provider itself waits for 45 minutes for a cluster and for 20 for a VPC; the engine a little longer.
_VPC_PATIENCE = Timeouts(create="30m", update="30m", delete="30m")
_CLUSTER_PATIENCE = Timeouts(create="60m", update="60m", delete="30m")


@dataclass(frozen=True)
class CksPlan:
    """A CKS cluster and its VPC, the VPC first."""

    vpc: Resource
    cluster: Resource

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Both, in the order they are made."""
        return self.vpc, self.cluster


def cks_plan(spec: StackSpec) -> CksPlan | None:
    """The plan of a stack file that obeys the rules; None where the cluster is there."""
    cks = spec.cluster.cks_to_make
    if cks is None:
        return None
    name = cluster_name(spec, cks)
    vpc = _vpc(spec, cks, cks.vpc.name or name)
    cluster = Resource(
        name=f"{spec.name}-cluster",
        type=CLUSTER,
        title="CKS cluster",
        args={
            "name": name,
            "zone": cks.zone,
            "version": cks.version,
            "vpc_id": Ref(vpc.name),
            "pod_cidr_name": PODS,
            "service_cidr_name": SERVICES,
            "internal_lb_cidr_names": [internal_lb(index) for index in range(len(cks.vpc.internal_load_balancers))],
            "public": cks.public,
        },
        protect=spec.cluster.protect,
        timeouts=_CLUSTER_PATIENCE,
        delete_before_replace=True,
    )
    return CksPlan(vpc, cluster)


def cluster_name(spec: StackSpec, cks: Cks) -> str:
    """What the cluster is called at CoreWeave."""
    return cks.name or shortened(spec.name, NAME_LENGTH)


def _vpc(spec: StackSpec, cks: Cks, name: str) -> Resource:
    hosts = [{"name": "primary", "type": "PRIMARY", "prefixes": [cks.vpc.hosts]}]
    return Resource(
        name=f"{spec.name}-vpc",
        type=VPC,
        title="VPC",
        args={
            "name": name,
            "zone": cks.zone,
            "vpc_prefixes": [{"name": key, "value": given} for key, given in prefixes(cks.vpc).items()],
            **({"host_prefixes": hosts} if cks.vpc.hosts else {}),
        },
        protect=spec.cluster.protect,
        timeouts=_VPC_PATIENCE,
        # The name is taken, and the cluster goes with it.
        delete_before_replace=True,
    )
