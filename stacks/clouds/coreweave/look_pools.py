"""A look at the node pools a stack makes, before anything is applied: what the provider would say late, or not say at all."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from hardware.render.namespace import OWNER
from stacks.clouds.cloud import ClusterRequest
from stacks.clouds.coreweave.idle import keeps_its_node, namespaces_of_coreweave
from stacks.clouds.coreweave.pools import API, POOL
from stacks.clouds.coreweave.rules import CW_03, CW_10, CW_16
from stacks.clouds.pools import NodePool
from stacks.findings import Place, Problem
from stacks.kube.api import Api, Object
from stacks.kube.commands import kubectl_flags
from stacks.kube.owner import owner_of, owner_text
from stacks.kube.rules import CLUSTER, EXISTS

#: Where a stack file says what a pool's nodes are.
TYPE_OF: dict[str, Place] = {
    "systemPool": ("cluster", "coreweave", "systemPool", "instanceType"),
    "acceleratorPool": ("cluster", "machine"),
}


def look_at_pools(api: Api, request: ClusterRequest, pools: Sequence[NodePool], owner: str) -> Iterator[Problem]:
    """Whether the cluster has NodePools at all, whose those of our names are, and whether they would have to be replaced."""
    if not pools:
        return
    if api.get(API) is None:
        yield CLUSTER.problem(
            at=("cluster", "provider"), what="the cluster knows no NodePools",
            why="it is no CKS cluster, or your role may not see them", fix="check the context, and that your role is CKS Admin",
        )  # fmt: skip
        return
    for pool in pools:
        live = api.get(f"{API}/{pool.name}")
        if live is None:
            continue
        if owner_of(live) != owner:
            yield _somebody_elses(request, pool, live, owner)
        elif live["spec"]["instanceType"] != pool.instance_type and pool.key not in request.allow_replace:
            yield CW_03.problem(
                at=TYPE_OF[pool.key],
                what=f"NodePool {pool.name} is of {live['spec']['instanceType']}, and would become {pool.instance_type}",
                why="an instance type never changes: the pool would be deleted with its nodes, and a new one has to find "
                "capacity",
                fix=f"take it back, or write `allowReplace: [{pool.key}]` under `cluster` to replace it",
            )  # fmt: skip
        elif pool.nodes is not None and live["spec"].get("targetNodes", 0) > pool.nodes:
            yield from _shrinking(api, pool)
        else:
            yield from _refused(request, pool, live)


def _refused(request: ClusterRequest, pool: NodePool, live: Object) -> Iterator[Problem]:
    """A pool that CoreWeave has refused, and that this stack file would not change. One that it changes may be valid then."""
    status = live.get("status") or {}
    complete = status.get("currentNodes", 0) >= live["spec"].get("targetNodes", 0)
    if complete or any(live["spec"].get(key) != wanted for key, wanted in pool.spec.items()):
        return
    for row in status.get("conditions") or ():
        if (row["type"], row["status"]) == ("Validated", "False"):
            said = f"{row.get('message') or 'it does not say why'} (Validated: {row.get('reason')})"
            describe = f"kubectl describe nodepool {pool.name}{kubectl_flags(request.context)}"
            yield CW_16.problem(
                at=TYPE_OF[pool.key], what=f"CoreWeave has refused NodePool {pool.name}: {said}",
                why="no node will ever come, and this would wait for an hour",
                fix=f"see `{describe}`; where the zone does not have {pool.instance_type}, name a type that it has, with "
                f"`allowReplace: [{pool.key}]` under `cluster`",
            )  # fmt: skip


def _shrinking(api: Api, pool: NodePool) -> Iterator[Problem]:
    """CoreWeave takes idle nodes only, and the pool is waited for before a pod is taken away."""
    nodes = [
        node["metadata"]["name"] for node in api.items(f"/api/v1/nodes?labelSelector={quote(f'{POOL}={pool.name}')}")
    ]
    coreweaves = namespaces_of_coreweave(api)
    busy = [node for node in nodes if any(keeps_its_node(pod, coreweaves) for pod in _pods(api, node))]
    if len(busy) > (pool.nodes or 0):
        system = ("cluster", "coreweave", "systemPool", "nodes")
        yield CW_10.problem(
            at=("cluster", "nodes") if pool.key == "acceleratorPool" else system,
            what=f"NodePool {pool.name} would have {pool.nodes} nodes, and pods run on {len(busy)}",
            why="CoreWeave takes nodes without pods only, and this would wait for an hour",
            fix="take pods away first: `up` with fewer replicas, or drain nodes; then write fewer nodes",
        )  # fmt: skip


def _pods(api: Api, node: str) -> list[Object]:
    return api.items(f"/api/v1/pods?fieldSelector={quote(f'spec.nodeName={node}')}")


def _somebody_elses(request: ClusterRequest, pool: NodePool, live: Object, owner: str) -> Problem:
    mark = f"kubectl annotate nodepool {pool.name} {OWNER}={owner} --overwrite{kubectl_flags(request.context)}"
    return EXISTS.problem(
        at=("cluster", "coreweave", pool.key, "name"), what=f"NodePool {pool.name} exists already",
        why=f"it belongs to {owner_text(live)}, and this stack would change what is billed to them",
        fix=f"choose another name, or take it over: `{mark}` makes it this stack's, and the next `pulumi up` takes it as it is",
    )  # fmt: skip
