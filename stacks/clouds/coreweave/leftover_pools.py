"""Node pools of a stack's that are still there: what costs most of all that can be left."""

from collections.abc import Iterator, Sequence

from stacks.clouds.coreweave import pools as coreweave
from stacks.clouds.coreweave.pools import NodePool
from stacks.findings import Problem
from stacks.kube.api import Object
from stacks.kube.leftover import Leftover, Look, ending
from stacks.kube.owner import holder, whose

NO_POOLS = Problem(
    "CLUSTER", "llmd-pd:cluster.provider", "the cluster knows no NodePools", "it is no CKS cluster",
    "check that the context leads to the stack's cluster",
)  # fmt: skip


def node_pools_left(look: Look, pools: Sequence[NodePool]) -> Iterator[Leftover]:
    """The stack's by their mark, or by their name where they have none at all.

    Raises:
        StackFileError: the cluster has no such kind, so it is another one.
    """
    named = {pool.name for pool in pools}
    for pool in look.items("NodePools", coreweave.API, NO_POOLS):
        name, marked = pool["metadata"]["name"], holder(pool) is not None
        if look.ours(pool) or (name in named and not marked):
            unmarked = "" if marked else "; it is not marked as any stack's"
            yield Leftover("NodePool", name, f"{_nodes(pool)}{unmarked}{ending(pool)}", bills=_current(pool) > 0)
        elif name in named:
            look.others.append(f"NodePool {name} is there and belongs to {whose(pool)}")


def _current(pool: Object) -> int:
    return int(pool.get("status", {}).get("currentNodes") or 0)


def _nodes(pool: Object) -> str:
    spec, current = pool["spec"], _current(pool)
    if current:
        return f"{current} {'node' if current == 1 else 'nodes'} of {spec['instanceType']}, billed per node"
    return f"no node of {spec['instanceType']} now, {spec.get('targetNodes', 0)} wanted"
