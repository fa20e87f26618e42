"""The Gateway in front of a router: made and owned by the stack, or read if another owner has it.

Its implementation is `components.gateway_implementation`; `components.gateway_guard` protects routes of other stacks.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Kind, KubernetesPatch, KubernetesRead, Object, Place, annotated, placed, register
from releases.gateway_api import GROUP
from releases.gateway_entry import Entry, entry, first_address

GATEWAY = Kind(f"{GROUP}/v1", "Gateway")
#: Seconds for a Gateway to be programmed, and to release its address: a cloud's load balancer takes minutes.
SECONDS = 15 * 60
#: A route's conditions are in its parents. It has one parent; an index would be an error if a controller left the list empty.
ACCEPTED = 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True'


class GatewayArgs(TypedDict):
    """Plain: the Gateway and the objects that it refers to (the Gateway last), and their `namespace`.

    Wired: the resources that they come `after`.
    """

    objects: Sequence[Object]
    namespace: str
    after: Sequence[pulumi.Resource]


class Gateway(pulumi.ComponentResource):
    """A Gateway owned by the stack. `resource` is known when it is programmed, `address` is its first one, `entry` the listener
    for clients.

    Its deletion ends when its controller has removed its finalizers, after it has released the address.
    """

    resource: pulumi.CustomResource
    address: pulumi.Output[str | None]
    entry: pulumi.Output[Entry | None]

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Gateway", name, None, opts)
        *parameters, gateway = [placed(obj, args["namespace"]) for obj in args["objects"]]
        child = pulumi.ResourceOptions(parent=self, depends_on=[*args["after"]])
        needed = [register(f"{name}-{obj['kind']}-{obj['metadata']['name']}".lower(), obj, child) for obj in parameters]
        limit = f"{SECONDS}s"
        made = register(
            name,
            annotated(gateway, waitFor="condition=Programmed"),
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args["after"], *needed],
                custom_timeouts=pulumi.CustomTimeouts(create=limit, update=limit, delete=limit),
            ),
        )
        self.resource = made
        self.address = made.status.apply(first_address)
        self.entry = pulumi.Output.from_input(entry(gateway["spec"], elsewhere=False))
        self.register_outputs({"address": self.address})


class SharedGatewayArgs(TypedDict):
    """Plain: the Gateway's `name` and `namespace`, and whether the stack's route is in another namespace (`elsewhere`)."""

    name: str
    namespace: str
    elsewhere: bool


class SharedGateway(pulumi.ComponentResource):
    """A Gateway that is not owned by this stack, only read. `address` is its first one, `entry` the listener for clients."""

    address: pulumi.Output[str | None]
    entry: pulumi.Output[Entry | None]

    def __init__(self, name: str, args: SharedGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:SharedGateway", name, None, opts)
        place = Place(namespace=args["namespace"], name=args["name"])
        live = KubernetesRead(name, GATEWAY, place, self.get_provider(GATEWAY.token))
        self.address = live.status.apply(first_address)
        self.entry = live.spec.apply(lambda spec: entry(spec or {}, elsewhere=args["elsewhere"]))
        self.register_outputs({"address": self.address})


class RouteArgs(TypedDict):
    """Plain: the HTTPRoute and its `namespace`. Wired: the resources that it comes `after`."""

    object: Object
    namespace: str
    after: Sequence[pulumi.Resource]


class Route(pulumi.ComponentResource):
    """The HTTPRoute of a stack whose chart cannot name a Gateway in another namespace; known when its Gateway accepts it."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: RouteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Route", name, None, opts)
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=[*args["after"]],
            custom_timeouts=pulumi.CustomTimeouts(create=f"{SECONDS}s", update=f"{SECONDS}s"),
        )
        route = annotated(placed(args["object"], args["namespace"]), waitFor=ACCEPTED)
        self.resource = register(name, route, child)
        self.register_outputs({})


class PolicyArgs(TypedDict):
    """Plain: the policy's name and `namespace`, and the label key whose change replaces the router's release.

    Wired: the resources that the patch comes `after`.
    """

    policy: str
    namespace: str
    selector: str
    after: Sequence[pulumi.Resource]


class BackendTimeoutArgs(PolicyArgs):
    """Plain: the limit in `seconds`."""

    seconds: int


class HealthCheckArgs(PolicyArgs):
    """Plain: the `config` of the check."""

    config: Object


class BackendTimeout(pulumi.ComponentResource):
    """GKE's time limit for a response, patched into the router chart's GCPBackendPolicy, which has 300 s."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: BackendTimeoutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:BackendTimeout", name, None, opts)
        self.resource = _patch(self, name, "GCPBackendPolicy", {"timeoutSec": args["seconds"]}, args)
        self.register_outputs({})


class HealthCheck(pulumi.ComponentResource):
    """GKE's check of the model servers, patched into the router chart's HealthCheckPolicy, which has none."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: HealthCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:HealthCheck", name, None, opts)
        self.resource = _patch(self, name, "HealthCheckPolicy", {"config": args["config"]}, args)
        self.register_outputs({})


def _patch(parent: pulumi.Resource, name: str, kind: str, default: Object, args: PolicyArgs) -> KubernetesPatch:
    """Patches fields of `spec.default` in one of GKE's policies."""
    policy = {
        "apiVersion": "networking.gke.io/v1",
        "kind": kind,
        "metadata": {"name": args["policy"], "namespace": args["namespace"]},
        "spec": {"default": default},
    }
    # Helm wrote the field first, and writes it again only if the chart's value changes.
    patch = annotated(policy, patchForce="true")
    # If the release is replaced, the policy is made anew without the patch.
    again = args["selector"]
    child = pulumi.ResourceOptions(parent=parent, depends_on=[*args["after"]], replacement_trigger=again)
    return KubernetesPatch(name, patch, child)
