"""Leftovers of a stack on CoreWeave: node pools, which cost most, and a CKS cluster with its VPC.

The only sign of an existing cluster is its API server's answer: CoreWeave's own API is not asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.coreweave.plan import VPC
from stacks.clouds.coreweave.pools import API
from stacks.clouds.pools import NodePool
from stacks.findings import Problem
from stacks.kube.api import Object
from stacks.kube.leftover import Leftover, Search, ending
from stacks.kube.owner import owner_of, owner_text
from stacks.kube.rules import CLUSTER

CONSOLE = "https://console.coreweave.com"


def cluster_left(plan: ClusterPlan) -> Iterator[Leftover]:
    """Yields the stack's own cluster, which has answered, and its VPC; nothing if the stack does not make the cluster."""
    if plan.cluster_name is None:
        return
    yield Leftover("CKS cluster", plan.cluster.args["name"], "it answers")
    yield Leftover("VPC", _vpc(plan), "the cluster is in it")


def unreached(plan: ClusterPlan) -> Problem:
    """Returns the problem that no context is named; kubectl's current context could lead to any cluster."""
    what, why = "`context` is left out", "without it nothing leads to the cluster that the stack makes"
    return CLUSTER.problem(at=("cluster", "context"), what=what, why=why, fix=f"name it; {_listed(plan)}")


def maybe_gone(plan: ClusterPlan, problem: Problem) -> Problem:
    """Returns the problem with a fix for a cluster that does not answer, which may have been deleted as intended."""
    fix = f"{problem.fix}; after a destroy nothing answers: {_listed(plan)}"
    return replace(problem, finding=replace(problem.finding, fix=fix))


def _listed(plan: ClusterPlan) -> str:
    names = f"cluster {plan.cluster.args['name']} and VPC {_vpc(plan)}"
    return f"{CONSOLE} shows whether {names} still exist"


def _vpc(plan: ClusterPlan) -> str:
    name: str = plan.of(VPC)[0].args["name"]
    return name


NO_POOLS = CLUSTER.problem(
    at=("cluster", "provider"), what="the cluster knows no NodePools", why="it is no CKS cluster",
    fix="check that the context leads to the stack's cluster",
)  # fmt: skip


def node_pools_left(search: Search, pools: Sequence[NodePool]) -> Iterator[Leftover]:
    """Yields the stack's node pools: by their mark, or by their name if they have no mark.

    Raises:
        StackFileError: the cluster does not know NodePools, so it is another cluster.
    """
    named = {pool.name for pool in pools}
    for pool in search.items("NodePools", API, NO_POOLS):
        name, marked = pool["metadata"]["name"], owner_of(pool) is not None
        if search.ours(pool) or (name in named and not marked):
            unmarked = "" if marked else "; it is not marked as any stack's"
            yield Leftover("NodePool", name, f"{_nodes(pool)}{unmarked}{ending(pool)}", bills=_current(pool) > 0)
        elif name in named:
            search.others.append(f"NodePool {name} exists and belongs to {owner_text(pool)}")


def _current(pool: Object) -> int:
    return int(pool.get("status", {}).get("currentNodes") or 0)


def _nodes(pool: Object) -> str:
    spec, current = pool["spec"], _current(pool)
    if current:
        return f"{current} {'node' if current == 1 else 'nodes'} of {spec['instanceType']}, billed per node"
    return f"no node of {spec['instanceType']} now, {spec.get('targetNodes', 0)} wanted"
