"""What a stack makes on CoreWeave: NodePools, and the word to its pods that keeps prefill and decode on one InfiniBand fabric.

Field names and the meaning of the status are those of https://docs.coreweave.com/products/cks/reference/node-pool. CoreWeave
brings drivers, device plugins and network operators itself; nothing of that kind is ever made here.
"""

from dataclasses import dataclass
from typing import Any

from hardware.machines import Machine
from hardware.render.namespace import OWNER
from hardware.vocabulary import Fragment
from stacks.clouds.pools import PoolKey
from stacks.spec.cluster import CoreWeave
from stacks.spec.stack import StackSpec

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


@dataclass(frozen=True)
class NodePool:
    """A NodePool as the stack makes it. `nodes` is how many there are when it is ready, None where an autoscaler says."""

    key: PoolKey
    name: str
    spec: Object
    nodes: int | None
    protect: bool

    @property
    def instance_type(self) -> str:
        """What its nodes are; CoreWeave never lets it change."""
        found: str = self.spec["instanceType"]
        return found

    def manifest(self, owner: str | None = None) -> Object:
        """The object, annotated with the stack it belongs to when there is one."""
        metadata: Object = {"name": self.name}
        if owner is not None:
            metadata["annotations"] = {OWNER: owner}
        return {
            "apiVersion": "compute.coreweave.com/v1alpha1",
            "kind": "NodePool",
            "metadata": metadata,
            "spec": self.spec,
        }


def node_pools(spec: StackSpec, machine: Machine) -> list[NodePool]:
    """The pools of a stack file that obeys the rules, in the order they are made; none where nodes are somebody else's."""
    cluster = spec.cluster
    if cluster.provider != "coreweave":
        return []
    stated = cluster.coreweave or CoreWeave()
    pools = []
    if stated.system_pool.manage:
        system = {
            "computeClass": "default",
            "instanceType": stated.system_pool.instance_type,
            "autoscaling": False,
            "targetNodes": stated.system_pool.nodes,
            "nodeLabels": SYSTEM_CRITICAL,
        }
        pools.append(_pool(spec, "systemPool", system))
    pool, bounds = stated.accelerator_pool, stated.accelerator_pool.autoscaling
    accelerator: Object = {
        "computeClass": pool.compute_class,
        "instanceType": machine.instance_type,
        "autoscaling": bounds is not None,
        "targetNodes": cluster.nodes,
        **({"minNodes": bounds.min, "maxNodes": bounds.max} if bounds else {}),
        **({"nodeLabels": dict(pool.labels)} if pool.labels else {}),
        **({"nodeTaints": [dict(taint) for taint in pool.taints]} if pool.taints else {}),
        # A node with pods on it never goes because a number in a file became smaller.
        "lifecycle": {"scaleDownStrategy": "IdleOnly"},
    }
    return [*pools, _pool(spec, "acceleratorPool", accelerator)]


def pool_names(spec: StackSpec) -> dict[PoolKey, str]:
    """What the pools are called in the cluster."""
    stated = spec.cluster.coreweave or CoreWeave()
    return {
        "systemPool": stated.system_pool.name or f"{spec.name}-cpu",
        "acceleratorPool": stated.accelerator_pool.name or f"{spec.name}-gpu",
    }


def _pool(spec: StackSpec, key: PoolKey, content: Object) -> NodePool:
    nodes = None if content["autoscaling"] else content["targetNodes"]
    protect = spec.cluster.protect and key not in spec.cluster.allow_replace
    return NodePool(key, pool_names(spec)[key], content, nodes, protect)


def same_fabric(labels: dict[str, str]) -> Fragment:
    """Required: on InfiniBand, and on one fabric with every pod of these labels. Wished for: in one leaf group.

    The flavor is asked for because nodes without InfiniBand carry the fabric's label too, empty, and so would match each other.
    """
    own = {"labelSelector": {"matchLabels": labels}}
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
