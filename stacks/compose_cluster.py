"""Composes a cluster and its nodes from a plan, or the connection to an existing cluster; and platform stacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pulumi

from components.cluster.addons import ClusterAddons
from components.cluster.cloud import CloudCluster, CloudClusterArgs, Sdk
from components.cluster.connection import ExistingCluster
from components.cluster.guard import ClusterGuard, PoolGuard
from components.cluster.node_pools import NodePools, Pool
from components.kube_client import path_of
from stacks.blueprint import Blueprint
from stacks.clouds.cloud import ByHand, Cloud, ClusterPlan, Follows
from stacks.clouds.outputs import CLUSTER, NEXT
from stacks.clouds.pools import NodePool
from stacks.kube.context import Context
from stacks.platform import Foundation


@dataclass(frozen=True)
class ClusterHandles:
    """A registered or connected cluster: its two Kubernetes providers and its kubeconfig (a path, or the whole text).

    Model servers depend on `nodes`, everything else on `first`: the CPU nodes, and the cluster's guard if it has one.
    """

    cluster: ExistingCluster
    kubeconfig: pulumi.Input[str] | None
    nodes: Sequence[pulumi.Resource]
    first: Sequence[pulumi.Resource]


def register_cluster(blueprint: Blueprint, owner: str) -> ClusterHandles:
    """Registers the cluster and its node pools, or connects to an existing cluster.

    The router does not wait for accelerator nodes: `first` holds the CPU nodes alone, if the stack makes some.
    """
    made = _nodes(blueprint, owner)
    if blueprint.cluster.cluster_name is None:
        return made
    # After the CPU nodes alone, like the router, which must be deleted before the guard.
    guard = _cluster_guard(blueprint, made, owner, made.first)
    return replace(made, nodes=[*made.nodes, guard], first=[*made.first, guard])


def _nodes(blueprint: Blueprint, owner: str) -> ClusterHandles:
    """Registers the cluster, its nodes and their add-ons, without the guard."""
    plan = blueprint.cluster
    made = registered(plan, blueprint.cloud) if plan.cluster_name else None
    reached, context = _reached(plan, made)
    # The provider depends on a cluster that the stack makes but reaches by a context. If the kubeconfig follows from the
    # cluster, it is a dependency already.
    after = pulumi.ResourceOptions(depends_on=[made.cluster]) if made and isinstance(plan.reached_by, Context) else None
    cluster = ExistingCluster("cluster", {"kubeconfig": reached, "context": context}, after)
    pools = [made.resources[name] for name in plan.node_resources] if made else []
    first = pools[:1]
    if plan.pools:
        by_key = node_pools(plan.pools, owner, pulumi.ResourceOptions(providers=[cluster.shared]))
        pools, first = [*by_key.values()], [pool for key, pool in by_key.items() if key == "systemPool"]
    return ClusterHandles(cluster, reached, [*pools, *_addons(plan, owner, cluster, pools)], first)


def _reached(plan: ClusterPlan, made: CloudCluster | None) -> tuple[pulumi.Input[str] | None, str | None]:
    """Returns the kubeconfig and the context that lead to the cluster."""
    match plan.reached_by:
        case Context() as context:
            return path_of(context.kubeconfig) or context.kubeconfig, context.context
        case Follows() if made is not None:
            return made.kubeconfig, None
    raise ValueError("the cluster cannot be reached yet")


def _addons(
    plan: ClusterPlan, owner: str, cluster: ExistingCluster, pools: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """Registers the add-ons of a new cluster: objects and charts that must exist before anything runs in it."""
    if not isinstance(plan.reached_by, Follows):
        return []
    files = plan.files()
    args = {
        "waves": [*plan.waves, *([files] if files else [])],
        "releases": plan.charts,
        "owner": owner,
        "after": pools,
    }
    return ClusterAddons("addons", args, pulumi.ResourceOptions(providers=[cluster.cluster])).resources  # type: ignore[arg-type]


def registered(plan: ClusterPlan, cloud: Cloud) -> CloudCluster:
    """Registers the resources of the cloud."""
    extra, access = cloud.extra, plan.reached_by
    assert extra is not None  # a cloud that makes a cluster has an SDK
    assert plan.cluster_name is not None
    args = CloudClusterArgs(
        sdk=Sdk(extra.module, extra.package, extra.name, extra.key),
        provider=plan.provider_args,
        resources=plan.resources,
        cluster=plan.cluster_name,
        endpoint=plan.endpoint,
        kubeconfig=access.kubeconfig if isinstance(access, Follows) else None,
    )
    return CloudCluster(cloud.key, args)


def node_pools(
    pools: Sequence[NodePool], owner: str, opts: pulumi.ResourceOptions
) -> Mapping[str, pulumi.CustomResource]:
    """Registers node pools and returns them by their keys in the stack file.

    `opts` name a provider that takes over existing objects: the owners of pools with these names were checked before.
    """
    registered: dict[str, Pool] = {
        pool.key: Pool(
            object=pool.manifest(owner),
            nodes=pool.nodes,
            protect=pool.protect,
            size=pool.size,
            ready=pool.ready,
            fixed=pool.fixed,
            seconds=pool.seconds,
        )
        for pool in pools
    }
    return NodePools("node-pools", {"pools": registered}, opts).resources


def _cluster_guard(
    blueprint: Blueprint, made: ClusterHandles, owner: str, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Registers the guard of a cluster. It is deleted before the resources in `after` and the cluster itself; its deletion checks
    whether other stacks use the cluster.
    """
    asked = blueprint.cluster.in_use
    assert asked is not None
    props = {
        "cluster": asked.cluster,
        **({"namespaces": [*asked.namespaces]} if asked.namespaces else {}),
        **_guarded(blueprint, made.kubeconfig, owner),
    }
    # Protected like the cluster, so that `--exclude-protected`, which deletes the service alone, does not run its check.
    options = pulumi.ResourceOptions(depends_on=[*after], protect=blueprint.spec.cluster.protect)
    return ClusterGuard("cluster-guard", props, options)


def pool_guard(
    blueprint: Blueprint, owner: str, kubeconfig: pulumi.Input[str] | None, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Registers the guard of node pools in a cluster that stays. It is deleted before the resources in `after`; its deletion
    checks which stacks' pods run on the nodes of these pools.
    """
    plan = blueprint.cluster
    assert plan.in_use is not None
    props = {
        "pools": [pool.name for pool in plan.pools],
        "label": plan.in_use.pool_label,
        **_guarded(blueprint, kubeconfig, owner),
    }
    protected = any(pool.protect for pool in plan.pools)
    return PoolGuard("pool-guard", props, pulumi.ResourceOptions(depends_on=[*after], protect=protected))


def _guarded(blueprint: Blueprint, kubeconfig: pulumi.Input[str] | None, owner: str) -> dict[str, Any]:
    access, asked = blueprint.cluster.reached_by, blueprint.cluster.in_use
    assert asked is not None
    return {
        "kubeconfig": kubeconfig,
        "context": access.context if isinstance(access, Context) else None,
        "owner": owner,
        "section": asked.section,
        "deleteInUse": asked.delete_in_use,
    }


def compose_alone(blueprint: Blueprint, access: ByHand) -> None:
    """Registers the cluster with nothing in it, and exports the next step: the first of two (docs/adr/0021)."""
    made, plan = registered(blueprint.cluster, blueprint.cloud), blueprint.cluster
    pulumi.export(NEXT, {"endpoint": made.endpoint, "kubeconfig": access.kubeconfig, "then": access.then})
    title, name = plan.cluster.title, plan.cluster.args["name"]
    pulumi.log.info(
        f"This creates {title} {name} and its network, and nothing in it, because no `context` under `llmd-pd:cluster` "
        f"leads there yet. The output `{NEXT}` says how to go on."
    )


def compose_platform(blueprint: Blueprint, owner: str) -> None:
    """Registers a platform stack, and exports the cluster for the stacks that serve on its nodes.

    `owner` is the stack's full name.
    """
    found, base = Foundation.made_by(blueprint), _nodes(blueprint, owner)
    made = [*base.nodes]
    # After all other resources, so that a destroy runs its check before it deletes anything.
    if blueprint.cluster.cluster_name is not None:
        made.append(_cluster_guard(blueprint, base, owner, made))
    else:
        made.append(pool_guard(blueprint, owner, base.kubeconfig, made))
    reached = base.kubeconfig if isinstance(blueprint.cluster.reached_by, Follows) else found.kubeconfig
    there = pulumi.Output.all(reached, *(resource.urn for resource in made))
    pulumi.export(CLUSTER, there.apply(lambda known: replace(found, kubeconfig=known[0]).output()))
