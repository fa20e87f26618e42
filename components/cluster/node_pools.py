"""Node pools that Kubernetes objects stand for: CPU nodes first, then the accelerator's, each awaited until its nodes exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register


@dataclass(frozen=True)
class Pool:
    """Plain: the object of a pool, how many nodes there are when it is ready (None: an autoscaler decides), and `seconds` to
    wait.

    `size` is the path of the number of nodes wanted, `ready` of the number there are, `fixed` are paths that only another pool
    can change. `protect`: the engine refuses to delete or replace it.
    """

    object: Object
    nodes: int | None
    protect: bool
    size: str
    ready: str
    fixed: Sequence[str]
    seconds: int


class NodePoolsArgs(TypedDict):
    """Plain: the pools by their keys in a stack file, in the order they are made."""

    pools: Mapping[str, Pool]


class NodePools(pulumi.ComponentResource):
    """Pools through `opts.providers`; `resources` is what waits for nodes depends on, by the pool's key.

    A change that only another pool can have replaces the pool: the old one goes first, because nobody has the same machines
    twice. The number of nodes of an autoscaled pool is the autoscaler's from the start.
    """

    resources: dict[str, pulumi.CustomResource]

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:NodePools", name, None, opts)
        self.resources = {}
        for key, pool in args["pools"].items():
            before: Sequence[pulumi.Resource] = [*self.resources.values()]
            timeout = f"{pool.seconds}s"
            options = pulumi.ResourceOptions(
                parent=self,
                depends_on=[*before],
                protect=pool.protect,
                delete_before_replace=True,
                replace_on_changes=[*pool.fixed],
                ignore_changes=[pool.size] if pool.nodes is None else None,
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout, delete=timeout),
            )
            # The provider has no notion of when a pool is ready.
            waiting = f"jsonpath={{.{pool.ready}}}={pool.nodes}"
            obj = pool.object if pool.nodes is None else annotated(pool.object, waitFor=waiting)
            self.resources[key] = register(pool.object["metadata"]["name"], obj, options)
        self.register_outputs({})
