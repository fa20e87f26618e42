"""A stack's gateway: the objects that the stack makes, the implementation that it installs, and what it expects to exist."""

from dataclasses import dataclass
from typing import Any

from hardware.bill import Bill
from hardware.render.images import mirrored
from releases.charts import HelmRelease, mirrored_chart
from releases.gateways import (
    IMPLEMENTATIONS,
    RECIPES,
    Recipe,
    default_recipe,
    gateway_objects,
    http_health_check,
    http_route,
)
from releases.values import Tree, image_values, look_up, merge
from stacks.serving.router import NO_PROTOCOL, own_route
from stacks.spec.router import Gateway
from stacks.spec.stack import StackSpec

Object = dict[str, Any]

#: Seconds after which the GCPBackendPolicy of every release's chart cuts a response, if `backendTimeout` is left out.
CHARTS_BACKEND_TIMEOUT = 300
#: The port in every release's charts if the values name none.
CHARTS_TARGET_PORT = 8000


@dataclass(frozen=True)
class GatewayPlan:
    """The gateway of a stack in mode `gateway`.

    - `elsewhere`: the Gateway is not in the stack's own namespace.
    - `objects`: the Gateway and the objects it refers to; none if another owner has it.
    - `routes`: the HTTPRoute, if the chart cannot make it.
    - `route_names`: the chart's route and the stack's own. One of them exists, or both for the moment in which the chart takes
      over the route or gives it up.
    - `implementation`: the Helm releases of the gateway's implementation.
    - `backend_timeout`: seconds to which GKE's policy is patched, None without such a policy. The policy is patched even to the
      chart's own value, because removing a patch removes the value too, and GKE's own limit of 30 s would remain.
    - `health_check`: the `config` to which GKE's HealthCheckPolicy is patched, because GKE's newer CRD refuses the one of the
      charts. None without such a policy, and if `router.values` name a protocol and with it the chart's own check.
    """

    stated: Gateway
    namespace: str
    elsewhere: bool
    gateway_class: str | None
    objects: list[Object]
    routes: list[Object]
    route_names: tuple[str, str]
    implementation: list[HelmRelease]
    backend_timeout: int | None
    health_check: Object | None

    @property
    def name(self) -> str:
        """The Gateway's name."""
        return self.stated.name

    @property
    def route(self) -> str:
        """The name of the HTTPRoute to the stack, made by the chart or by the stack."""
        charts, ours = self.route_names
        return ours if self.routes else charts


def gateway_plan(spec: StackSpec, bill: Bill, values: Tree) -> GatewayPlan | None:
    """Returns the gateway of a valid stack file, None in mode `standalone`. `values` are the values of the router's release."""
    stated = spec.router.gateway
    if stated is None:
        return None
    recipe = recipe_of(stated)
    namespace = stated.namespace or spec.namespace
    objects = gateway_objects(recipe, name=stated.name, gateway_class=stated.class_name) if stated.manage else []
    return GatewayPlan(
        stated=stated,
        namespace=namespace,
        elsewhere=namespace != spec.namespace,
        gateway_class=stated.class_name or recipe.gateway_class,
        objects=objects,
        routes=[_route(spec, bill, stated, namespace)] if own_route(spec, bill) else [],
        route_names=(spec.name, shared_route(spec.name)),
        implementation=_implementation(spec, stated) if stated.install else [],
        backend_timeout=(stated.backend_timeout or CHARTS_BACKEND_TIMEOUT) if stated.implementation.policies else None,
        health_check=_health_check(bill, values) if stated.implementation.policies else None,
    )


def _health_check(bill: Bill, values: Tree) -> Object | None:
    settings = bill.router.settings
    if look_up(values, settings["protocol"]) != NO_PROTOCOL:
        return None
    ports = look_up(values, settings["targetPorts"])
    return http_health_check(ports[0]["number"] if ports else CHARTS_TARGET_PORT)


def recipe_of(stated: Gateway) -> Recipe:
    """Returns the recipe that a stack names, else its provider's first."""
    return RECIPES[stated.recipe] if stated.recipe else default_recipe(stated.provider)


def shared_route(name: str) -> str:
    """Returns the name of the stack's own HTTPRoute. It differs from the chart's, so that both can exist for a moment."""
    return f"{name}-shared"


def _route(spec: StackSpec, bill: Bill, stated: Gateway, namespace: str) -> Object:
    timeout_path = bill.router.settings["requestTimeout"]
    upstreams: str = look_up(bill.router.features["httpRoute"], timeout_path)
    return http_route(
        name=shared_route(spec.name),
        pool=spec.name,
        gateway=stated.name,
        gateway_namespace=namespace,
        base_model=stated.base_model,
        # As in the charts: GKE's controller does not support a timeout in a route.
        request_timeout=(stated.request_timeout or upstreams) if stated.implementation.route_timeout else None,
    )


def _implementation(spec: StackSpec, stated: Gateway) -> list[HelmRelease]:
    found = IMPLEMENTATIONS[stated.provider]
    registry, charts = spec.mirror.registry, spec.mirror.charts
    releases = []
    for release in found.releases:
        trees = [image_values(known, mirrored(known.image, registry)) for known in release.images] if registry else []
        chart = mirrored_chart(release.chart.ref, charts)
        values = merge(release.values, *trees)
        releases.append(
            HelmRelease(
                name=release.name, namespace=found.namespace, chart=chart, version=release.chart.version, values=values
            )
        )
    return releases
