"""A stack's router as one Helm release: the chart, its source, and its values.

The bill says where in the values a setting is; this module says which setting follows from which key of the stack file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from hardware.bill import Bill, ChartImage
from hardware.render.images import mirrored
from releases.charts import HelmRelease, mirrored_chart, place
from releases.gateways import GATEWAY
from releases.values import Tree, image_values, merge, router_values, upstreams
from stacks.spec.router import Gateway, Resources
from stacks.spec.stack import StackSpec

#: The charts take this for neither `http` nor `grpc`.
NO_PROTOCOL = ""


def router_release(spec: StackSpec, bill: Bill, base: Path) -> HelmRelease:
    """Returns the router's release of a valid stack file. Relative paths in the file start at `base`."""
    source, version = chart_of(spec, bill, base)
    values = router_values(
        bill,
        name=spec.name,
        features=list(_features(spec, bill)),
        settings=settings(spec, bill),
        overrides=merge(*_images(spec, bill), spec.router.values),
    )
    return HelmRelease(name=spec.name, namespace=spec.namespace, chart=source, version=version, values=values)


def chart_of(spec: StackSpec, bill: Bill, base: Path) -> tuple[str, str | None]:
    """Returns the chart's place and version."""
    chart, stated = bill.router.charts[spec.router.mode], spec.router.chart
    if stated is not None:
        source = place(stated.source, base)
        # A path holds one version. A mirror holds many; the bill has the one that was tested.
        return source, stated.version or (chart.version if "://" in source else None)
    return mirrored_chart(chart.ref, spec.mirror.charts), chart.version


def own_route(spec: StackSpec, bill: Bill) -> bool:
    """Whether the stack makes the HTTPRoute, because the chart of this release cannot name a Gateway in another namespace."""
    return "gatewayNamespace" not in bill.router.settings and _elsewhere(spec) is not None


def settings(spec: StackSpec, bill: Bill) -> dict[str, Any]:
    """Returns the router's settings in the stack file, by their names in `bill.router.settings`, without unset ones."""
    router = spec.router
    given: dict[str, Any] = {
        "replicas": router.replicas,
        "resources": _resources(router.resources),
        "proxyResources": _resources(router.proxy_resources),
        "flags": dict(router.flags),
        "failureMode": router.failure_mode,
        "pluginFiles": router.plugins and {bill.router.plugin_file: _plugin_text(bill, router.plugins)},
        "extraPorts": router.extra_ports
        and [
            *(upstreams(bill, "extraPorts") or []),
            *(port.model_dump(by_alias=True) for port in router.extra_ports),
        ],
    }
    if router.tracing:
        given |= {"tracingEndpoint": router.tracing.endpoint, "tracingRatio": f"{router.tracing.ratio:g}"}
    if router.gateway:
        given |= _gateway_settings(spec, bill, router.gateway)
    return {name: value for name, value in given.items() if value not in (None, {}, ())}


def _gateway_settings(spec: StackSpec, bill: Bill, gateway: Gateway) -> dict[str, Any]:
    route = {
        "gatewayName": gateway.name if gateway.name != GATEWAY else None,
        "gatewayNamespace": _elsewhere(spec),
        "requestTimeout": gateway.request_timeout,
        "baseModel": gateway.base_model,
    }
    return {
        "provider": gateway.provider,
        # Without a protocol the charts write no check into GKE's HealthCheckPolicy, and the stack writes it
        # (stacks/serving/gateway.py). Everything else that reads the protocol defaults to `http`: InferencePool's
        # `appProtocol`, and the picker's parser.
        "protocol": NO_PROTOCOL if gateway.implementation.policies else None,
        **({} if own_route(spec, bill) else route),
    }


def _elsewhere(spec: StackSpec) -> str | None:
    """Returns the Gateway's namespace if it is not the stack's own, else None."""
    gateway = spec.router.gateway
    return gateway.namespace if gateway and gateway.namespace not in (None, spec.namespace) else None


def _features(spec: StackSpec, bill: Bill) -> Iterator[Tree]:
    router, gateway = bill.router, spec.router.gateway
    if gateway and not own_route(spec, bill):
        yield router.features["httpRoute"]
    if spec.monitoring.router:
        yield router.monitoring.get(gateway.provider if gateway else "*", router.monitoring["*"])
    if spec.router.tracing:
        yield router.features["tracing"]


def _images(spec: StackSpec, bill: Bill) -> Iterator[Tree]:
    registry = spec.mirror.registry
    if registry:
        for known in chart_images(spec, bill):
            yield image_values(known, mirrored(known.image, registry))


def chart_images(spec: StackSpec, bill: Bill) -> list[ChartImage]:
    """Returns the images that the router's chart runs in the stack's mode."""
    proxied = spec.router.mode in bill.router.proxy_modes
    return [bill.router.endpoint_picker, *([bill.router.proxy] if proxied else [])]


def _resources(stated: Resources) -> dict[str, Any]:
    parts = {"requests": stated.requests, "limits": stated.limits}
    amounts = {key: part.model_dump(exclude_none=True) for key, part in parts.items()}
    return {key: amount for key, amount in amounts.items() if amount}


def _plugin_text(bill: Bill, plugins: Mapping[str, Any]) -> str:
    own = {key: bill.router.plugin_config[key] for key in ("apiVersion", "kind")}
    return yaml.safe_dump(own | dict(plugins), sort_keys=False)
