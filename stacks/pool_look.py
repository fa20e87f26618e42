"""A look at the node pools a stack makes, before anything is applied: what the provider would say late, or not say at all."""

from collections.abc import Iterator, Sequence

from hardware.namespace import OWNER
from stacks.cluster_spec import Cluster
from stacks.commands import kubectl_flags
from stacks.coreweave import API, NodePool
from stacks.kube_api import Api
from stacks.problems import Problem

SOURCE = "docs.coreweave.com/products/cks/reference/node-pool"
#: Where a stack file says what a pool's nodes are.
TYPE_OF = {"systemPool": "cluster.coreweave.systemPool.instanceType", "acceleratorPool": "cluster.machine"}


def look_at_pools(api: Api, cluster: Cluster, pools: Sequence[NodePool], owner: str) -> Iterator[Problem]:
    """Whether the cluster has NodePools at all, whose those of our names are, and whether they would have to be replaced."""
    if not pools:
        return
    if api.get(API) is None:
        yield Problem(
            "CLUSTER", "llmd-pd:cluster.provider", "the cluster knows no NodePools",
            "it is no CKS cluster, or your role may not see them", "check the context, and that your role is CKS Admin",
        )  # fmt: skip
        return
    for pool in pools:
        live = api.get(f"{API}/{pool.name}")
        if live is None:
            continue
        holder = live["metadata"].get("annotations", {}).get(OWNER)
        if holder != owner:
            yield _somebody_elses(cluster, pool, holder, owner)
        elif live["spec"]["instanceType"] != pool.instance_type and pool.key not in cluster.allow_replace:
            yield Problem(
                "CW-03", f"llmd-pd:{TYPE_OF[pool.key]}",
                f"NodePool {pool.name} is of {live['spec']['instanceType']}, and would become {pool.instance_type}",
                "an instance type never changes: the pool would be deleted with its nodes, and a new one has to find capacity",
                f"take it back, or write `allowReplace: [{pool.key}]` under `cluster` to replace it", SOURCE,
            )  # fmt: skip


def _somebody_elses(cluster: Cluster, pool: NodePool, holder: str | None, owner: str) -> Problem:
    mark = f"kubectl annotate nodepool {pool.name} {OWNER}={owner} --overwrite{kubectl_flags(cluster)}"
    adopt = f"pulumi import kubernetes:compute.coreweave.com/v1alpha1:NodePool {pool.name} {pool.name}"
    return Problem(
        "EXISTS", f"llmd-pd:cluster.coreweave.{pool.key}.name", f"NodePool {pool.name} exists already",
        f"it belongs to {f'stack {holder}' if holder else 'somebody else'}, and this stack would change what is billed to them",
        f"choose another name, or take it over: `{mark}`, then `{adopt}`",
    )  # fmt: skip
