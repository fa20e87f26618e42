"""The stack's own namespace.

It goes through an upserting provider, so that one that exists and was marked as the stack's is imported with everything
others wrote on it; what is not marked is refused before (`stacks.rules.live`).
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, register

#: A namespace is gone once everything in it is, and controllers of a cloud's load balancers hold their part for minutes after the
#: load balancer itself (on GKE its endpoint groups): the provider's own 10 minutes are short.
DELETE_TIMEOUT = "20m"


class NamespaceArgs(TypedDict):
    """Plain: the Namespace object. Wired: what it comes `after`, and so goes before."""

    object: Object
    after: Sequence[pulumi.Resource]


class ServingNamespace(pulumi.ComponentResource):
    """A namespace; `resource` is what everything in it depends on."""

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
