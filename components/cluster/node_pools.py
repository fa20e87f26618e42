"""Node pools that are Kubernetes objects: CPU nodes first, then the accelerator's, each awaited until its nodes exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register


@dataclass(frozen=True)
class Pool:
    """A pool, plain: its object, its number of nodes (None: an autoscaler decides), and the `seconds` to wait for them.

    `size` is the path of the wanted number of nodes, `ready` of the current number; `fixed` are immutable paths. `protect`: the
    engine refuses to delete or replace it.
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
    """Pools through `opts.providers`. Resources that need nodes depend on `resources`, by the pool's key.

    A change of an immutable field replaces the pool; the old one is deleted first, because capacity for both is rarely available.
    The autoscaler owns the number of nodes of an autoscaled pool from the start.
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
            # The provider does not know when a pool is ready.
            waiting = f"jsonpath={{.{pool.ready}}}={pool.nodes}"
            obj = pool.object if pool.nodes is None else annotated(pool.object, waitFor=waiting)
            self.resources[key] = register(pool.object["metadata"]["name"], obj, options)
        self.register_outputs({})
