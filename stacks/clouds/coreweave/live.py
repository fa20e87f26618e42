"""Checks of node pools in a live CKS cluster: their owners, changes that would replace them, and refusals by CoreWeave.

A pool that becomes smaller loses idle nodes only. Pods that keep a node from being idle are users' own, neither a DaemonSet's nor
CoreWeave's: its HPC verification runs on nodes exactly while they are idle, hourly and for up to 30 minutes
(docs.coreweave.com/platform/fleet-management/hpc-verification).
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from hardware.render.namespace import OWNER
from stacks.clouds.coreweave.pools import API, NAMESPACES, POOL
from stacks.clouds.pools import NodePool
from stacks.findings import Finding, Place
from stacks.kube.api import Api, Object
from stacks.kube.commands import kubectl_flags
from stacks.kube.live import LiveCluster
from stacks.kube.owner import owner_of, owner_text

if TYPE_CHECKING:
    from stacks.rules.facts import Facts

#: The key of the stack file for the instance type of a pool.
TYPE_OF: dict[str, Place] = {
    "systemPool": ("cluster", "coreweave", "systemPool", "instanceType"),
    "acceleratorPool": ("cluster", "machine"),
}


def without_nodes(facts: "Facts", live: LiveCluster) -> Iterator[Finding]:
    """CLUSTER: a cluster that knows NodePools."""
    if facts.cluster.pools and live.get(API) is None:
        yield Finding(
            at=("cluster", "provider"), what="the cluster knows no NodePools",
            why="it is no CKS cluster, or your role may not see them", fix="check the context, and that your role is CKS Admin",
        )  # fmt: skip


def of_others(facts: "Facts", live: LiveCluster) -> Iterator[Finding]:
    """EXISTS: pools of the stack's names that another owner has."""
    for pool, found in _existing(facts, live):
        if owner_of(found) != live.owner:
            flags = kubectl_flags(facts.spec.cluster.at)
            mark = f"kubectl annotate nodepool {pool.name} {OWNER}={live.owner} --overwrite{flags}"
            yield Finding(
                at=("cluster", "coreweave", pool.key, "name"), what=f"NodePool {pool.name} exists already",
                why=f"it belongs to {owner_text(found)}, and this stack would change what is billed to them",
                fix=f"choose another name, or take it over: `{mark}` makes it this stack's, and the next `pulumi up` takes it "
                "as it is",
            )  # fmt: skip


def replaced_pools(facts: "Facts", live: LiveCluster) -> Iterator[Finding]:
    """CW-03: pools that would be replaced."""
    for pool, found in _own(facts, live):
        if _is_replaced(facts, pool, found):
            yield Finding(
                at=TYPE_OF[pool.key],
                what=f"NodePool {pool.name} is of {found['spec']['instanceType']}, and would become {pool.instance_type}",
                why="an instance type never changes: the pool would be deleted with its nodes, and a new one has to find "
                "capacity",
                fix=f"take it back, or write `allowReplace: [{pool.key}]` under `cluster` to replace it",
            )  # fmt: skip


def busy_nodes(facts: "Facts", live: LiveCluster) -> Iterator[Finding]:
    """CW-10: pools that would be smaller than the number of their busy nodes.

    CoreWeave removes idle nodes only, and the engine waits for the pool before it deletes any pod.
    """
    for pool, found in _own(facts, live):
        if _is_replaced(facts, pool, found) or not _shrinks(pool, found):
            continue
        listed = live.items(f"/api/v1/nodes?labelSelector={quote(f'{POOL}={pool.name}')}")
        nodes, coreweaves = [node["metadata"]["name"] for node in listed], namespaces_of_coreweave(live)
        busy = [node for node in nodes if any(keeps_its_node(pod, coreweaves) for pod in _pods(live, node))]
        if len(busy) > (pool.nodes or 0):
            system = ("cluster", "coreweave", "systemPool", "nodes")
            yield Finding(
                at=("cluster", "nodes") if pool.key == "acceleratorPool" else system,
                what=f"NodePool {pool.name} would have {pool.nodes} nodes, and pods run on {len(busy)}",
                why="CoreWeave takes nodes without pods only, and this would wait for an hour",
                fix="take pods away first: `up` with fewer replicas, or drain nodes; then write fewer nodes",
            )  # fmt: skip


def refused_pools(facts: "Facts", live: LiveCluster) -> Iterator[Finding]:
    """CW-16: pools that CoreWeave has refused, unless the stack file changes them: then they may be valid."""
    for pool, found in _own(facts, live):
        status = found.get("status") or {}
        complete = status.get("currentNodes", 0) >= found["spec"].get("targetNodes", 0)
        if (
            _shrinks(pool, found)
            or complete
            or any(found["spec"].get(key) != value for key, value in pool.spec.items())
        ):
            continue
        for row in status.get("conditions") or ():
            if (row["type"], row["status"]) == ("Validated", "False"):
                said = f"{row.get('message') or 'it does not say why'} (Validated: {row.get('reason')})"
                describe = f"kubectl describe nodepool {pool.name}{kubectl_flags(facts.spec.cluster.at)}"
                yield Finding(
                    at=TYPE_OF[pool.key], what=f"CoreWeave has refused NodePool {pool.name}: {said}",
                    why="no node will ever come, and this would wait for an hour",
                    fix=f"see `{describe}`; where the zone does not have {pool.instance_type}, name a type that it has, with "
                    f"`allowReplace: [{pool.key}]` under `cluster`",
                )  # fmt: skip


def _existing(facts: "Facts", live: LiveCluster) -> Iterator[tuple[NodePool, Object]]:
    """Yields the stack's pools that exist, each with its live object."""
    for pool in facts.cluster.pools:
        found = live.get(f"{API}/{pool.name}") if live.get(API) is not None else None
        if found is not None:
            yield pool, found


def _own(facts: "Facts", live: LiveCluster) -> Iterator[tuple[NodePool, Object]]:
    return ((pool, found) for pool, found in _existing(facts, live) if owner_of(found) == live.owner)


def _is_replaced(facts: "Facts", pool: NodePool, found: Object) -> bool:
    return found["spec"]["instanceType"] != pool.instance_type and pool.key not in facts.spec.cluster.allow_replace


def _shrinks(pool: NodePool, found: Object) -> bool:
    return pool.nodes is not None and found["spec"].get("targetNodes", 0) > pool.nodes


def _pods(api: Api, node: str) -> list[Object]:
    return api.items(f"/api/v1/pods?fieldSelector={quote(f'spec.nodeName={node}')}")


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
