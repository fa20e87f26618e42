"""Composing what a stack makes of its cluster: the two providers on it, and its node pools; and a stack that is nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pulumi

from components.cluster.addons import ClusterAddons
from components.cluster.connection import ExistingCluster
from components.cluster.gke import GkeCluster
from components.cluster.guard import ClusterGuard
from components.cluster.node_pools import NodePools, Pool
from components.cluster.pool_guard import PoolGuard
from components.kube_client import path_of
from stacks.blueprint import Blueprint
from stacks.clouds.coreweave.plan import CksPlan
from stacks.clouds.coreweave.pools import POOL, NodePool
from stacks.clouds.gke.plan import GkePlan
from stacks.compose_cks import SECTION, guard_of_cks, registered
from stacks.platform_stack import Foundation
from stacks.spec.cluster import Cluster

#: The output by which a stack that makes nodes tells others how to reach them, and what they are.
OUTPUT = "cluster"


def existing_cluster(cluster: Cluster, cks: CksPlan | None = None) -> ExistingCluster:
    """The providers on the cluster a stack names, after that cluster where the stack makes it."""
    after = pulumi.ResourceOptions(depends_on=[registered(cks).cluster]) if cks else None
    return ExistingCluster("cluster", {"kubeconfig": kubeconfig(cluster), "context": cluster.context}, after)


def kubeconfig(cluster: Cluster) -> str | None:
    """The path of the kubeconfig a stack names, or all of it as text; None for the one kubectl would use."""
    return path_of(cluster.kubeconfig) or cluster.kubeconfig


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
    what its model servers come after, what the rest does, and what is deleted after everything in the cluster."""

    cluster: ExistingCluster
    kubeconfig: pulumi.Input[str] | None
    nodes: Sequence[pulumi.Resource]
    first: Sequence[pulumi.Resource]
    guard: Sequence[pulumi.Resource] = ()


def ground(plan: Blueprint, owner: str) -> Ground:
    """Registers the cluster and the nodes that are the stack's to make; of those that are there, the way to them.

    The router need not wait for the accelerators: what comes first is the CPU nodes alone, if the stack makes some.
    """
    if plan.gke is not None:
        made = _gke(plan.gke, owner)
        # After the CPU nodes alone, as the router, which is to be gone before it.
        guard = _guard(plan.gke, made, owner, made.first)
        return replace(made, nodes=[*made.nodes, guard], first=[*made.first, guard], guard=[guard])
    cluster = existing_cluster(plan.spec.cluster, plan.cks)
    opts = pulumi.ResourceOptions(providers=[cluster.shared])
    pools = node_pools(plan.pools, owner, opts) if plan.pools else {}
    cpus = [pool for key, pool in pools.items() if key == "systemPool"]
    guards = [guard_of_cks(plan.cks, plan.spec.cluster, owner, cpus)] if plan.cks else []
    return Ground(cluster, kubeconfig(plan.spec.cluster), [*pools.values(), *guards], [*cpus, *guards], guards)


def _gke(plan: GkePlan, owner: str) -> Ground:
    made = GkeCluster("gke", {"project": plan.site.project, "resources": plan.resources, "cluster": plan.cluster.name})
    cluster = ExistingCluster("cluster", {"kubeconfig": made.kubeconfig, "context": None})
    pools, files = [made.resources[resource.name] for resource in plan.of("container.NodePool")], plan.files()
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


def _guard(plan: GkePlan, made: Ground, owner: str, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
    props = {
        "cluster": plan.site.name,
        "kubeconfig": made.kubeconfig,
        "owner": owner,
        "deleteInUse": plan.site.gke.delete_in_use,
    }
    # Protected as what it guards: who takes the service alone away (`--exclude-protected`) need not ask it.
    return ClusterGuard("cluster-guard", props, pulumi.ResourceOptions(depends_on=[*after], protect=plan.site.protect))


def pool_guard(
    pools: Sequence[NodePool], cluster: Cluster, owner: str, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """What a destroy asks whose pods run on the nodes of pools in a cluster that stays, before what it comes `after` goes."""
    props = {
        "pools": [pool.name for pool in pools],
        "label": POOL,
        "kubeconfig": kubeconfig(cluster),
        "context": cluster.context,
        "owner": owner,
        "section": SECTION,
        "deleteInUse": cluster.coreweave is not None and cluster.coreweave.delete_in_use,
    }
    protected = any(pool.protect for pool in pools)
    return PoolGuard("pool-guard", props, pulumi.ResourceOptions(depends_on=[*after], protect=protected))


def compose_platform(plan: Blueprint, owner: str) -> None:
    """Registers what a platform stack makes, and exports how other stacks find it once it exists.

    `owner` is the stack's full name.
    """
    found = Foundation.made_by(plan.spec)
    if plan.gke is not None:
        base = _gke(plan.gke, owner)
        # After all that is made, so that a destroy asks it before anything is gone.
        made, reached = [*base.nodes, _guard(plan.gke, base, owner, base.nodes)], base.kubeconfig
    else:
        opts = pulumi.ResourceOptions(providers=[existing_cluster(plan.spec.cluster, plan.cks).shared])
        made, reached = [*node_pools(plan.pools, owner, opts).values()], found.kubeconfig
        # As above.
        guard = guard_of_cks(plan.cks, plan.spec.cluster, owner, made) if plan.cks else None
        made.append(guard or pool_guard(plan.pools, plan.spec.cluster, owner, made))
    there = pulumi.Output.all(reached, *(resource.urn for resource in made))
    pulumi.export(OUTPUT, there.apply(lambda known: replace(found, kubeconfig=known[0]).output()))
