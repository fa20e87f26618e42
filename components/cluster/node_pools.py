"""The node pools of a stack on CoreWeave: CPU nodes first, then the accelerator's, each waited for until its nodes are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register

#: A node takes 20 to 30 minutes from bare metal to Ready, and pools of many come in waves: twice that.
POOL_SECONDS = 3600


@dataclass(frozen=True)
class Pool:
    """Plain: a NodePool's object, and how many nodes there are when it is ready (None: an autoscaler decides).

    `protect`: the engine refuses to delete or replace it.
    """

    object: Object
    nodes: int | None
    protect: bool


class NodePoolsArgs(TypedDict):
    """Plain: the pools by their keys in a stack file, in the order they are made."""

    pools: Mapping[str, Pool]


class NodePools(pulumi.ComponentResource):
    """NodePools through `opts.providers`; `resources` is what waits for nodes depends on, by the pool's key.

    An instance type never changes, so that a change replaces the pool: the old one goes first, because nobody has the same
    machines twice. The number of nodes of an autoscaled pool is the autoscaler's from the start.
    """

    resources: dict[str, pulumi.CustomResource]

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:NodePools", name, None, opts)
        self.resources = {}
        for key, pool in args["pools"].items():
            before: Sequence[pulumi.Resource] = [*self.resources.values()]
            options = pulumi.ResourceOptions(
                parent=self,
                depends_on=[*before],
                protect=pool.protect,
                delete_before_replace=True,
                replace_on_changes=["spec.instanceType"],
                ignore_changes=["spec.targetNodes"] if pool.nodes is None else None,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=f"{POOL_SECONDS}s", update=f"{POOL_SECONDS}s", delete=f"{POOL_SECONDS}s"
                ),
            )
            # The provider has no notion of when a NodePool is ready.
            waiting = f"jsonpath={{.status.currentNodes}}={pool.nodes}"
            obj = pool.object if pool.nodes is None else annotated(pool.object, waitFor=waiting)
            self.resources[key] = register(pool.object["metadata"]["name"], obj, options)
        self.register_outputs({})
