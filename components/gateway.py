"""The Gateway in front of a router: made and owned by the stack, or somebody else's and only looked at.

Its implementation is `components.gateway_implementation`; what keeps others' routes safe is `components.gateway_guard`.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Kind, KubernetesPatch, KubernetesRead, Object, annotated, placed, register
from releases.gateway_api import GROUP
from releases.gateway_entry import Entry, entry, first_address

GATEWAY = Kind(f"{GROUP}/v1", "Gateway")
#: Seconds a Gateway may take to be programmed, and to give its address back: a cloud's load balancer takes minutes.
SECONDS = 15 * 60
#: A route's conditions are its parents'. It has one; an index would be an error where a controller has left the list empty.
ACCEPTED = 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True'


class GatewayArgs(TypedDict):
    """Plain: the Gateway and what it refers to (the Gateway last), and their `namespace`. Wired: what they come `after`."""

    objects: Sequence[Object]
    namespace: str
    after: Sequence[pulumi.Resource]


class Gateway(pulumi.ComponentResource):
    """A Gateway of the stack's own. `resource` is known when it is programmed, `address` is its first one, `entry` where on it
    clients come in.

    Its deletion ends when its controller's finalizers are gone: when the address is released.
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
    """Plain: the Gateway's `name` and `namespace`, and whether the route that hangs on it is `elsewhere`."""

    name: str
    namespace: str
    elsewhere: bool


class SharedGateway(pulumi.ComponentResource):
    """A Gateway of somebody else's: nothing is made, `address` is its first one, `entry` where on it clients come in."""

    address: pulumi.Output[str | None]
    entry: pulumi.Output[Entry | None]

    def __init__(self, name: str, args: SharedGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:SharedGateway", name, None, opts)
        live = KubernetesRead(name, GATEWAY, f"{args['namespace']}/{args['name']}", self.get_provider(GATEWAY.token))
        self.address = live.status.apply(first_address)
        self.entry = live.spec.apply(lambda spec: entry(spec or {}, elsewhere=args["elsewhere"]))
        self.register_outputs({"address": self.address})


class RouteArgs(TypedDict):
    """Plain: the HTTPRoute and its `namespace`. Wired: what it comes `after`."""

    object: Object
    namespace: str
    after: Sequence[pulumi.Resource]


class Route(pulumi.ComponentResource):
    """The HTTPRoute of a stack whose chart cannot name a Gateway in another namespace; known when its Gateway takes it."""

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
    """Plain: the policy's name and `namespace`, and the label key for which the router's release is replaced. Wired: what the
    patch comes `after`.
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
    """GKE's limit for one response, patched into the GCPBackendPolicy that the router's chart makes with 300 s."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: BackendTimeoutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:BackendTimeout", name, None, opts)
        self.resource = _patch(self, name, "GCPBackendPolicy", {"timeoutSec": args["seconds"]}, args)
        self.register_outputs({})


class HealthCheck(pulumi.ComponentResource):
    """GKE's check of the model servers, patched into the HealthCheckPolicy that the router's chart makes without one."""

    resource: pulumi.CustomResource

    def __init__(self, name: str, args: HealthCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:HealthCheck", name, None, opts)
        self.resource = _patch(self, name, "HealthCheckPolicy", {"config": args["config"]}, args)
        self.register_outputs({})


def _patch(parent: pulumi.Resource, name: str, kind: str, default: Object, args: PolicyArgs) -> KubernetesPatch:
    """`spec.default` of a policy of GKE's, in part."""
    policy = {
        "apiVersion": "networking.gke.io/v1",
        "kind": kind,
        "metadata": {"name": args["policy"], "namespace": args["namespace"]},
        "spec": {"default": default},
    }
    # Helm wrote the field first, and writes it again only when its chart's changes.
    patch = annotated(policy, patchForce="true")
    # With the release the policy goes, and comes back as the chart has it.
    again = args["selector"]
    child = pulumi.ResourceOptions(parent=parent, depends_on=[*args["after"]], replacement_trigger=again)
    return KubernetesPatch(name, patch, child)
