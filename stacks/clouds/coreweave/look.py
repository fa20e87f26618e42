"""Checks of a CKS cluster and its node pools before anything is applied, because the provider reports them late or not at all.

- The stack's own cluster: whether a changed stack file would replace it, and whether the context leads to it.
- Node pools: their owners, changes that would replace them, and refusals by CoreWeave.
- Pods that keep a node from being idle: users' own, and neither a DaemonSet's nor CoreWeave's. CoreWeave removes idle nodes from
  a pool that becomes smaller. Its HPC verification runs on nodes exactly while they are idle, hourly and for up to 30 minutes
  (docs.coreweave.com/platform/fleet-management/hpc-verification).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from hardware.render.namespace import OWNER
from stacks.clouds.changes import changes
from stacks.clouds.cloud import ClusterPlan, ClusterRequest, Previous
from stacks.clouds.coreweave.plan import VPC
from stacks.clouds.coreweave.pools import API, NAMESPACES, POOL
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.rules import CW_03, CW_10, CW_11, CW_15, CW_16, HERE
from stacks.clouds.outputs import NEXT
from stacks.clouds.pools import NodePool
from stacks.clouds.resource import Resource, plain
from stacks.clouds.rules import IMM
from stacks.findings import Place, Problem
from stacks.kube.api import Api, Object
from stacks.kube.commands import kubectl_flags
from stacks.kube.context import Context
from stacks.kube.errors import asking
from stacks.kube.owner import owner_of, owner_text
from stacks.kube.rules import CLUSTER, EXISTS

#: The key of the stack file for an argument, by class and argument.
KEYS: Mapping[tuple[str, str], Place] = {
    (VPC, "name"): ("vpc", "name"),
    (VPC, "host_prefixes"): ("vpc", "hosts"),
    ("CksCluster", "internal_lb_cidr_names"): ("vpc", "internalLoadBalancers"),
}


def check_cluster(request: ClusterRequest, plan: ClusterPlan, previous: Previous) -> Iterator[Problem]:
    """Yields problems of a change that would replace a protected resource or change an immutable field, or of a wrong context."""
    yield from _refused(previous.planned, plan)
    yield from _left(previous, request.context)
    yield from _elsewhere(previous, plan, request.context)


def _refused(before: Mapping[str, Any], plan: ClusterPlan) -> Iterator[Problem]:
    for change in changes(before, plan.resources, CKS):
        for field in change.fields if change.refused else ():
            key = KEYS.get((change.resource.type, field), (field,))
            what = f"{field} of {_named(change.resource)} would change"
            why, fix = "it would be deleted with all that is in it, and made anew", "make another stack for another one"
            yield IMM.problem(at=(*HERE, *key), what=what, why=why, fix=f"take it back, or {fix}")
    for resource in plan.resources:
        known = before.get(resource.name)
        if known and known["type"] == resource.type:
            old, new = known["args"], plain(resource.args)
            for field in unchangeable_fields(old, new, resource.type):
                yield _unchangeable(field, old, new, resource)


def _unchangeable(field: str, old: Mapping[str, Any], new: Mapping[str, Any], resource: Resource) -> Problem:
    if field == "version":
        return CW_11.problem(
            at=(*HERE, "version"), what=f"{_named(resource)} is {old['version']}, and would become {new['version']}",
            why="CoreWeave upgrades to the next minor version, and never back", fix="go one version at a time",
        )  # fmt: skip
    return IMM.problem(
        at=(*HERE, "vpc"), what=f"{field} of {_named(resource)} would lose a range or move one",
        why="things in the cluster have addresses in it", fix="take it back; `internalLoadBalancers` takes more at its end",
    )  # fmt: skip


def _left(previous: Previous, context: Context) -> Iterator[Problem]:
    """Yields a problem if `context` was removed: the engine would delete everything in the cluster as removed from the stack."""
    if _lived_in(previous) and context.context is None:
        yield _context(
            "`context` was removed",
            "this would delete all that the stack has in its cluster",
            "write it again; `pulumi destroy` takes a stack down",
        )


def _elsewhere(previous: Previous, plan: ClusterPlan, context: Context) -> Iterator[Problem]:
    """Yields a problem if the context leads to another cluster: named too early, or by mistake, where others have nodes."""
    if context.context is None or _lived_in(previous):
        return
    name, endpoint = plan.cluster.args["name"], (previous.outputs.get(NEXT) or {}).get("endpoint")
    unanswered: list[Problem] = []
    with asking(context, unanswered.append):
        api = Api(context.kubeconfig, context.context)
        theirs = [pool["metadata"]["name"] for pool in api.items(API) if owner_of(pool) != previous.owner]
        if theirs and endpoint is None:
            what = f"context `{context.context}` leads to a cluster with NodePool {theirs[0]}"
            yield _context(what, f"CKS cluster {name} is not made yet", "leave `context` out until it is")
        elif theirs and _host(api.server) != _host(str(endpoint)):
            what = f"context `{context.context}` leads to {api.server}, where NodePool {theirs[0]} belongs to another owner"
            yield _context(what, f"CKS cluster {name} answers at {endpoint}", "name the context that leads there")
    if unanswered and endpoint is None:
        what, why = f"context `{context.context}` leads nowhere", f"CKS cluster {name} is not made yet"
        yield _context(what, why, "leave `context` out until it is")


def _lived_in(previous: Previous) -> bool:
    """Whether an earlier `up` made things in the cluster."""
    return bool(previous.planned) and NEXT not in previous.outputs


def _host(url: str) -> str:
    return urlsplit(url if "//" in url else f"//{url}").netloc.lower()


def _context(what: str, why: str, fix: str) -> Problem:
    return CW_15.problem(at=("cluster", "context"), what=what, why=why, fix=fix)


def _named(resource: Resource) -> str:
    return f"{resource.title} {resource.name}"


#: The key of the stack file for the instance type of a pool.
TYPE_OF: dict[str, Place] = {
    "systemPool": ("cluster", "coreweave", "systemPool", "instanceType"),
    "acceleratorPool": ("cluster", "machine"),
}


def look_at_pools(api: Api, request: ClusterRequest, pools: Sequence[NodePool], owner: str) -> Iterator[Problem]:
    """Yields problems if the cluster knows no NodePools, or if pools of these names have another owner or would be replaced."""
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
            yield _foreign_pool(request, pool, live, owner)
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
            yield from _refused_pool(request, pool, live)


def _refused_pool(request: ClusterRequest, pool: NodePool, live: Object) -> Iterator[Problem]:
    """Yields a problem if CoreWeave has refused the pool, unless the stack file changes the pool, which may then be valid."""
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
    """Yields a problem if a pool would become smaller than its number of busy nodes: CoreWeave removes idle nodes only, and the
    engine waits for the pool before it deletes any pod.
    """
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


def _foreign_pool(request: ClusterRequest, pool: NodePool, live: Object, owner: str) -> Problem:
    mark = f"kubectl annotate nodepool {pool.name} {OWNER}={owner} --overwrite{kubectl_flags(request.context)}"
    return EXISTS.problem(
        at=("cluster", "coreweave", pool.key, "name"), what=f"NodePool {pool.name} exists already",
        why=f"it belongs to {owner_text(live)}, and this stack would change what is billed to them",
        fix=f"choose another name, or take it over: `{mark}` makes it this stack's, and the next `pulumi up` takes it as it is",
    )  # fmt: skip


_SELECTOR = quote("=".join(NAMESPACES))


def namespaces_of_coreweave(api: Api) -> frozenset[str]:
    """Returns CoreWeave's own namespaces; none if the role may not list namespaces."""
    found = api.items(f"/api/v1/namespaces?labelSelector={_SELECTOR}")
    return frozenset(namespace["metadata"]["name"] for namespace in found)


def keeps_its_node(pod: Object, coreweaves: Collection[str]) -> bool:
    """Whether a pod keeps its node from being idle. `coreweaves` are CoreWeave's own namespaces."""
    metadata = pod["metadata"]
    return (
        metadata.get("namespace") not in coreweaves
        and not any(owner["kind"] == "DaemonSet" for owner in metadata.get("ownerReferences") or ())
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    )
