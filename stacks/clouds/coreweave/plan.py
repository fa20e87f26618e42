"""The plan of a stack on CoreWeave: node pools, and a CKS cluster with its VPC if the stack makes them.

A pure function of a request: CoreWeave is not asked.
"""

from stacks.clouds.cloud import ByHand, ClusterPlan, ClusterRequest, InUse
from stacks.clouds.coreweave.addresses import PODS, SERVICES, internal_lb, prefixes
from stacks.clouds.coreweave.pools import NAMESPACES, POOL, node_pools
from stacks.clouds.coreweave.spec import Cks, CoreWeave
from stacks.clouds.naming import shortened
from stacks.clouds.resource import Ref, Resource, Timeouts

VPC, CLUSTER = "NetworkingVpc", "CksCluster"
#: The longest name that CoreWeave allows.
NAME_LENGTH = 30
#: The section of the stack file that has `deleteInUse`.
SECTION = "cluster.coreweave"
#: The provider itself waits 45 minutes for a cluster and 20 for a VPC; the engine waits a little longer.
_VPC_TIMEOUTS = Timeouts(create="30m", update="30m", delete="30m")
_CLUSTER_TIMEOUTS = Timeouts(create="60m", update="60m", delete="30m")


def stated(request: ClusterRequest) -> CoreWeave:
    """Returns the section of a request to CoreWeave."""
    assert isinstance(request.section, CoreWeave)
    return request.section


def coreweave_plan(request: ClusterRequest) -> ClusterPlan:
    """Returns the plan of a valid request: node pools alone, or the cluster and its VPC too.

    A kubeconfig for CKS holds a token, so the stack does not make one (docs/adr/0021): the user names the context once the
    cluster exists.
    """
    section, pools = stated(request), node_pools(request)
    text = " and ".join(f"{pool.spec['targetNodes']} × {pool.instance_type}" for pool in pools)
    if (cks := section.cluster) is None:
        in_use = InUse(SECTION, section.delete_in_use, pool_label=POOL)
        return ClusterPlan(pools=tuple(pools), reached_by=request.context, in_use=in_use, nodes_text=text)
    name = cluster_name(request.name, cks)
    vpc, cluster = _vpc(request, cks, cks.vpc.name or name), f"{request.name}-cluster"
    by_hand = ByHand(
        kubeconfig=f"`cwic cluster auth {name}`, or https://console.coreweave.com/tokens; it holds a token of yours",
        then=f"name the context that leads to {name} as `context` under `llmd-pd:cluster`, and `pulumi up` again",
    )
    return ClusterPlan(
        resources=(vpc, _cluster(request, cks, cluster, name, vpc)),
        cluster_name=cluster,
        endpoint=("api_server_endpoint",),
        pools=tuple(pools),
        reached_by=request.context if request.context.context else by_hand,
        in_use=InUse(SECTION, section.delete_in_use, cluster=name, namespaces=NAMESPACES, pool_label=POOL),
        nodes_text=text,
    )


def _cluster(request: ClusterRequest, cks: Cks, logical: str, name: str, vpc: Resource) -> Resource:
    return Resource(
        name=logical,
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
        protect=request.protect,
        timeouts=_CLUSTER_TIMEOUTS,
        delete_before_replace=True,
    )


def cluster_name(name: str, cks: Cks) -> str:
    """Returns the cluster's name at CoreWeave, for the stack of this name."""
    return cks.name or shortened(name, NAME_LENGTH)


def _vpc(request: ClusterRequest, cks: Cks, name: str) -> Resource:
    hosts = [{"name": "primary", "type": "PRIMARY", "prefixes": [cks.vpc.hosts]}]
    return Resource(
        name=f"{request.name}-vpc",
        type=VPC,
        title="VPC",
        args={
            "name": name,
            "zone": cks.zone,
            "vpc_prefixes": [{"name": key, "value": given} for key, given in prefixes(cks.vpc).items()],
            **({"host_prefixes": hosts} if cks.vpc.hosts else {}),
        },
        protect=request.protect,
        timeouts=_VPC_TIMEOUTS,
        # The new one would have the same name, and the cluster is deleted with its VPC.
        delete_before_replace=True,
    )
