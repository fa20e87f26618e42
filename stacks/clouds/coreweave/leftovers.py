"""Leftovers of a stack on CoreWeave: node pools, which cost most of all, and a CKS cluster with its VPC.

The cluster tells of itself only by answering.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.coreweave.plan import VPC
from stacks.clouds.coreweave.pools import API
from stacks.clouds.pools import NodePool
from stacks.findings import Problem
from stacks.kube.api import Object
from stacks.kube.leftover import Leftover, Look, ending
from stacks.kube.owner import owner_of, owner_text
from stacks.kube.rules import CLUSTER

CONSOLE = "https://console.coreweave.com"


def cluster_left(plan: ClusterPlan) -> Iterator[Leftover]:
    """A cluster of the stack's own that answers, and the VPC it is in; nothing if the cluster is not the stack's."""
    if plan.cluster_name is None:
        return
    yield Leftover("CKS cluster", plan.cluster.args["name"], "it answers")
    yield Leftover("VPC", _vpc(plan), "the cluster is in it")


def unreached(plan: ClusterPlan) -> Problem:
    """Nothing leads to the cluster, and the current context could lead to any."""
    what, why = "`context` is left out", "without it nothing leads to the cluster that the stack makes"
    return CLUSTER.problem(at=("cluster", "context"), what=what, why=why, fix=f"name it; {_listed(plan)}")


def maybe_gone(plan: ClusterPlan, problem: Problem) -> Problem:
    """A cluster that does not answer may be gone, as it should be; its VPC is listed elsewhere."""
    fix = f"{problem.fix}; after a destroy nothing answers: {_listed(plan)}"
    return replace(problem, finding=replace(problem.finding, fix=fix))


def _listed(plan: ClusterPlan) -> str:
    names = f"cluster {plan.cluster.args['name']} and VPC {_vpc(plan)}"
    return f"whether {names} are still there, {CONSOLE} tells"


def _vpc(plan: ClusterPlan) -> str:
    name: str = plan.of(VPC)[0].args["name"]
    return name


NO_POOLS = CLUSTER.problem(
    at=("cluster", "provider"), what="the cluster knows no NodePools", why="it is no CKS cluster",
    fix="check that the context leads to the stack's cluster",
)  # fmt: skip


def node_pools_left(look: Look, pools: Sequence[NodePool]) -> Iterator[Leftover]:
    """The stack's by their mark, or by their name where they have none at all.

    Raises:
        StackFileError: the cluster has no such kind, so it is another one.
    """
    named = {pool.name for pool in pools}
    for pool in look.items("NodePools", API, NO_POOLS):
        name, marked = pool["metadata"]["name"], owner_of(pool) is not None
        if look.ours(pool) or (name in named and not marked):
            unmarked = "" if marked else "; it is not marked as any stack's"
            yield Leftover("NodePool", name, f"{_nodes(pool)}{unmarked}{ending(pool)}", bills=_current(pool) > 0)
        elif name in named:
            look.others.append(f"NodePool {name} is there and belongs to {owner_text(pool)}")


def _current(pool: Object) -> int:
    return int(pool.get("status", {}).get("currentNodes") or 0)


def _nodes(pool: Object) -> str:
    spec, current = pool["spec"], _current(pool)
    if current:
        return f"{current} {'node' if current == 1 else 'nodes'} of {spec['instanceType']}, billed per node"
    return f"no node of {spec['instanceType']} now, {spec.get('targetNodes', 0)} wanted"
