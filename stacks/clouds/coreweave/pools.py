"""The NodePools of a stack on CoreWeave, and the affinity of its pods that keeps prefill and decode on one InfiniBand fabric.

Field names and the meaning of the status are those of https://docs.coreweave.com/products/cks/reference/node-pool. CoreWeave
brings drivers, device plugins and network operators itself; nothing of that kind is ever made here.
"""

from collections.abc import Mapping
from typing import Any

from hardware.vocabulary import Fragment
from stacks.clouds.cloud import ClusterRequest
from stacks.clouds.coreweave.spec import CoreWeave
from stacks.clouds.pools import NodePool, PoolKey
from stacks.schema import Section

Object = dict[str, Any]

#: The label by which a node says which pool it is of.
POOL = "compute.coreweave.com/node-pool"
API = "/apis/compute.coreweave.com/v1alpha1/nodepools"
FABRIC, LEAFGROUP = "backend.coreweave.cloud/fabric", "backend.coreweave.cloud/leafgroup"
FLAVOR = "backend.coreweave.cloud/flavor"
#: Labels of which nodes with one value are on one fabric.
WITHIN_A_FABRIC = frozenset(
    f"{prefix}.coreweave.cloud/{part}" for prefix in ("backend", "ib") for part in ("fabric", "superpod", "leafgroup")
)
#: On nodes that are always there: the cluster's own agents run on these, so that others may be scaled to nothing.
SYSTEM_CRITICAL = {"cks.coreweave.cloud/system-critical": "true"}


#: Label of the namespaces of a CKS cluster that are CoreWeave's own ("control plane namespaces"), as key and value:
#: docs.coreweave.com/products/cks/clusters/scheduling/workload-scheduling. Their pods run on customers' nodes too, unbilled.
NAMESPACES = ("ns.coreweave.cloud/org", "control-plane")
API_VERSION = "compute.coreweave.com/v1alpha1"
#: A node takes 20 to 30 minutes from bare metal to Ready, and pools of many come in waves: twice that.
POOL_SECONDS = 3600


def node_pools(request: ClusterRequest) -> list[NodePool]:
    """Returns the pools of a valid request, in the order they are made."""
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
        # A node with pods on it never goes because a number in a file became smaller.
        "lifecycle": {"scaleDownStrategy": "IdleOnly"},
    }
    return [*pools, _pool(request, "acceleratorPool", accelerator)]


def pool_names(name: str, section: CoreWeave) -> dict[PoolKey, str]:
    """The pools' names in the cluster, for the stack of this name."""
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
    """Required: on InfiniBand, and on one fabric with every pod of these labels. Wished for: in one leaf group.

    The flavor is asked for because nodes without InfiniBand carry the fabric's label too, empty, and so would match each other.
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
