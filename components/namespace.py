"""The stack's own namespace.

It uses an upserting provider, so that an existing namespace with the stack's mark is imported with all that others wrote on
it. An unmarked one is refused before (`stacks.rules.live`).
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, register

#: A namespace is deleted after everything in it, and a cloud's controllers hold their objects for minutes after the load balancer
#: itself (on GKE its endpoint groups): the provider's default of 10 minutes is short.
DELETE_TIMEOUT = "20m"


class NamespaceArgs(TypedDict):
    """Plain: the Namespace object. Wired: the resources that it comes `after`; it is deleted before them."""

    object: Object
    after: Sequence[pulumi.Resource]


class ServingNamespace(pulumi.ComponentResource):
    """A namespace. Everything in it depends on `resource`."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:ServingNamespace", name, None, opts)
        physical = args["object"]["metadata"]["name"]
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=[*args["after"]],
            custom_timeouts=pulumi.CustomTimeouts(delete=DELETE_TIMEOUT),
        )
        self.resource = register(physical, args["object"], child)
        self.register_outputs({"name": physical})
