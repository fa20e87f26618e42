"""NodePools on CoreWeave, and the affinity of pods that keeps prefill and decode on one InfiniBand fabric.

Field names and the meaning of the status are those of https://docs.coreweave.com/products/cks/reference/node-pool. CoreWeave
brings drivers, device plugins and network operators itself; the stack makes none of them.
"""

from collections.abc import Mapping
from typing import Any

from hardware.vocabulary import Fragment
from stacks.clouds.cloud import ClusterRequest
from stacks.clouds.coreweave.spec import CoreWeave
from stacks.clouds.pools import NodePool, PoolKey
from stacks.schema import Section

Object = dict[str, Any]

#: The node label that names the node's pool.
POOL = "compute.coreweave.com/node-pool"
API = "/apis/compute.coreweave.com/v1alpha1/nodepools"
FABRIC, LEAFGROUP = "backend.coreweave.cloud/fabric", "backend.coreweave.cloud/leafgroup"
FLAVOR = "backend.coreweave.cloud/flavor"
#: Node labels: nodes with equal values are on one fabric.
WITHIN_A_FABRIC = frozenset(
    f"{prefix}.coreweave.cloud/{part}" for prefix in ("backend", "ib") for part in ("fabric", "superpod", "leafgroup")
)
#: The label of nodes that always exist: the cluster's own agents run on them, so that other pools can be scaled to nothing.
SYSTEM_CRITICAL = {"cks.coreweave.cloud/system-critical": "true"}


#: Label of the namespaces of a CKS cluster that are CoreWeave's own ("control plane namespaces"), as key and value:
#: docs.coreweave.com/products/cks/clusters/scheduling/workload-scheduling. Their pods run on customers' nodes too, unbilled.
NAMESPACES = ("ns.coreweave.cloud/org", "control-plane")
API_VERSION = "compute.coreweave.com/v1alpha1"
#: Seconds to wait for a pool: a node takes 20 to 30 minutes from bare metal to Ready, and large pools come in waves, hence twice.
POOL_SECONDS = 3600


def node_pools(request: ClusterRequest) -> list[NodePool]:
    """Returns the pools of a valid request, in the order of creation."""
    section = _stated(request.section)
    pools = []
    if section.system_pool.manage:
        system = {
            "computeClass": "default",
            "instanceType": section.system_pool.instance_type,
            "autoscaling": False,
            "targetNodes": section.system_pool.nodes,
            "nodeLabels": SYSTEM_CRITICAL,
        }
        pools.append(_pool(request, "systemPool", system))
    pool, bounds = section.accelerator_pool, section.accelerator_pool.autoscaling
    accelerator: Object = {
        "computeClass": pool.compute_class,
        "instanceType": request.machine.instance_type,
        "autoscaling": bounds is not None,
        "targetNodes": request.nodes,
        **({"minNodes": bounds.min, "maxNodes": bounds.max} if bounds else {}),
        **({"nodeLabels": dict(pool.labels)} if pool.labels else {}),
        **({"nodeTaints": [dict(taint) for taint in pool.taints]} if pool.taints else {}),
        # CoreWeave removes idle nodes only: a smaller number in a file never removes a node with pods.
        "lifecycle": {"scaleDownStrategy": "IdleOnly"},
    }
    return [*pools, _pool(request, "acceleratorPool", accelerator)]


def pool_names(name: str, section: CoreWeave) -> dict[PoolKey, str]:
    """Returns the pools' names in the cluster, for the stack of this name."""
    return {
        "systemPool": section.system_pool.name or f"{name}-cpu",
        "acceleratorPool": section.accelerator_pool.name or f"{name}-gpu",
    }


def _stated(section: Section) -> CoreWeave:
    assert isinstance(section, CoreWeave)
    return section


def _pool(request: ClusterRequest, key: PoolKey, content: Object) -> NodePool:
    return NodePool(
        key=key,
        name=pool_names(request.name, _stated(request.section))[key],
        instance_type=content["instanceType"],
        api_version=API_VERSION,
        spec=content,
        nodes=None if content["autoscaling"] else content["targetNodes"],
        protect=request.protect and key not in request.allow_replace,
        size="spec.targetNodes",
        ready="status.currentNodes",
        fixed=("spec.instanceType",),
        seconds=POOL_SECONDS,
    )


def same_fabric(labels: Mapping[str, str]) -> Fragment:
    """Returns an affinity. Required: nodes with InfiniBand, on one fabric with all pods of these labels. Preferred: one leaf
    group.

    The flavor is required because nodes without InfiniBand have the fabric's label too, with an empty value, and would match each
    other.
    """
    own = {"labelSelector": {"matchLabels": dict(labels)}}
    infiniband = {"matchExpressions": [{"key": FLAVOR, "operator": "In", "values": ["infiniband"]}]}
    near = {"weight": 100, "podAffinityTerm": {**own, "topologyKey": LEAFGROUP}}
    return {
        "affinity": {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [infiniband]}},
            "podAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{**own, "topologyKey": FABRIC}],
                "preferredDuringSchedulingIgnoredDuringExecution": [near],
            },
        }
    }
