"""Composing what a stack makes of its cluster: the two providers on it, and its node pools; and a stack that is nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from components.cluster.coreweave import NodePools, Pool
from components.cluster.existing import ExistingCluster
from components.cluster.gke import GkeCluster
from components.cluster.gke_addons import ClusterAddons
from stacks.cks import CksPlan
from stacks.cluster_spec import Cluster
from stacks.compose_cks import registered
from stacks.coreweave import NodePool
from stacks.foundation import Foundation
from stacks.gke import GkePlan
from stacks.plan import Object, Plan
from stacks.platform import PlatformPlan

#: The output by which a stack that makes nodes tells others how to reach them, and what they are.
OUTPUT = "cluster"


def existing_cluster(cluster: Cluster, cks: CksPlan | None = None) -> ExistingCluster:
    """The providers on the cluster a stack names, after that cluster where the stack makes it."""
    after = pulumi.ResourceOptions(depends_on=[registered(cks).cluster]) if cks else None
    return ExistingCluster("cluster", {"kubeconfig": kubeconfig(cluster), "context": cluster.context}, after)


def kubeconfig(cluster: Cluster) -> str | None:
    """The path of the kubeconfig a stack names, None for the one kubectl would use."""
    return str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None


def node_pools(
    pools: Sequence[NodePool], owner: str, opts: pulumi.ResourceOptions
) -> Mapping[str, pulumi.CustomResource]:
    """The node pools, by their keys in the stack file.

    `opts` name a provider that takes over what exists: whose pools those of our names are has been looked at before.
    """
    registered: dict[str, Pool] = {pool.key: Pool(pool.manifest(owner), pool.nodes, pool.protect) for pool in pools}
    return NodePools("node-pools", {"pools": registered}, opts).resources


@dataclass(frozen=True)
class Ground:
    """What a stack stands on: the providers on its cluster and the kubeconfig that leads there (a path, or all of it as text),
    what its model servers come after, and what the rest does."""

    cluster: ExistingCluster
    kubeconfig: pulumi.Input[str] | None
    nodes: Sequence[pulumi.Resource]
    first: Sequence[pulumi.Resource]


def ground(plan: Plan, owner: str) -> Ground:
    """Registers the cluster and the nodes that are the stack's to make; of those that are there, the way to them.

    The router need not wait for the accelerators: what comes first is the CPU nodes alone, if the stack makes some.
    """
    if plan.gke is not None:
        return _gke(plan.gke, plan.cluster_files(), owner)
    cluster = existing_cluster(plan.spec.cluster, plan.cks)
    opts = pulumi.ResourceOptions(providers=[cluster.shared])
    pools = node_pools(plan.pools, owner, opts) if plan.pools else {}
    cpus = [pool for key, pool in pools.items() if key == "systemPool"]
    return Ground(cluster, kubeconfig(plan.spec.cluster), [*pools.values()], cpus)


def _gke(plan: GkePlan, files: Sequence[Object], owner: str) -> Ground:
    made = GkeCluster("gke", {"project": plan.site.project, "resources": plan.resources, "cluster": plan.cluster.name})
    cluster = ExistingCluster("cluster", {"kubeconfig": made.kubeconfig, "context": None})
    pools = [made.resources[resource.name] for resource in plan.of("container.NodePool")]
    addons = ClusterAddons(
        "addons",
        {
            "waves": [*plan.waves, *([files] if files else [])],
            "releases": plan.charts,
            "owner": owner,
            "after": pools,
        },
        pulumi.ResourceOptions(providers=[cluster.cluster]),
    )
    return Ground(cluster, made.kubeconfig, [*pools, *addons.resources], pools[:1])


def compose_platform(plan: PlatformPlan, owner: str) -> None:
    """Registers the node pools of a stack that only makes nodes, and exports how others find them once they are there.

    `owner` is the stack's full name.
    """
    opts = pulumi.ResourceOptions(providers=[existing_cluster(plan.spec.cluster, plan.cks).shared])
    there = pulumi.Output.all(*(pool.id for pool in node_pools(plan.pools, owner, opts).values()))
    found = Foundation.made_by(plan.spec).output()
    pulumi.export(OUTPUT, there.apply(lambda _: found))
