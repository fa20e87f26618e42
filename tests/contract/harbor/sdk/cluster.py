"""Clusters."""

from typing import Any

import pulumi


class ClusterArgs:
    """Arguments of a cluster."""

    def __init__(
        self,
        *,
        name: pulumi.Input[str],
        region: pulumi.Input[str],
        network: pulumi.Input[str],
        machine: pulumi.Input[str],
        nodes: pulumi.Input[int],
    ) -> None: ...


class Cluster(pulumi.CustomResource):
    """A cluster."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]

    def __init__(self, resource: str, opts: pulumi.ResourceOptions | None = None, **args: Any) -> None:
        super().__init__("harbor:cluster:Cluster", resource, {**args, "endpoint": None}, opts)
