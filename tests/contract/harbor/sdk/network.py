"""Networks."""

from typing import Any

import pulumi


class NetworkArgs:
    """Arguments of a network."""

    def __init__(self, *, name: pulumi.Input[str], region: pulumi.Input[str]) -> None: ...


class Network(pulumi.CustomResource):
    """A network."""

    def __init__(self, resource: str, opts: pulumi.ResourceOptions | None = None, **args: Any) -> None:
        super().__init__("harbor:network:Network", resource, args, opts)
