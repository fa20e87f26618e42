"""Each key of `router` ends in the value its release's chart reads, and changes nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from hardware.bill import Bill
from releases import RELEASES
from releases.values import at, look_up, merge
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from tests.blueprints import read

MAY, JUNE = "guide-2026-05", "guide-2026-06"
EPP = {MAY: "inferenceExtension", JUNE: "router.epp"}
PROXY = {MAY: "inferenceExtension.sidecar", JUNE: "router.proxy"}
TRACING = {MAY: "inferenceExtension.tracing", JUNE: "router.tracing"}
PORTS = {MAY: "inferenceExtension.extraServicePorts", JUNE: "router.extraServicePorts"}
POOL = {MAY: "inferenceExtension", JUNE: "router.inferencePool"}
ROUTE = {MAY: "experimentalHttpRoute", JUNE: "httpRoute"}
#: The guide's own port, which a list of more takes along.
HTTP = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8081}
ISTIO: dict[str, Any] = {"mode": "gateway", "gateway": {"provider": "istio"}}


def at_path(dotted: str, value: Any) -> dict[str, Any]:
    return at(tuple(dotted.split(".")), value)


def values(release: str, router: dict[str, Any], **more: Any) -> dict[str, Any]:
    return planned(release, router, **more).router.values


def planned(release: str, router: dict[str, Any], **more: Any) -> ServingBlueprint:
    found, spec = read({"serving": {"accelerator": "nvidia"}, "release": release, "router": router, **more})
    assert found == []
    assert spec is not None
    return serving_blueprint(spec, Path("/"))


def on_gateway(**stated: Any) -> dict[str, Any]:
    return {"mode": "gateway", "gateway": {"provider": "istio", **stated}}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("router", "below", "place", "value"),
    [
        ({"replicas": 2}, {}, EPP, {"replicas": 2}),
        ({"resources": {"requests": {"cpu": "8"}}}, {}, EPP, {"resources": {"requests": {"cpu": "8"}}}),
        (
            {"resources": {"limits": {"cpu": "9", "memory": "32Gi"}}},
            {},
            EPP,
            {"resources": {"limits": {"cpu": "9", "memory": "32Gi"}}},
        ),
        ({"proxyResources": {"limits": {"memory": "4Gi"}}}, {}, PROXY, {"resources": {"limits": {"memory": "4Gi"}}}),
        ({"flags": {"kv-cache": True, "v": 4, "x": "y"}}, {}, EPP, {"flags": {"kv-cache": True, "v": 4, "x": "y"}}),
        ({"failureMode": "FailClose"}, {}, POOL, {"failureMode": "FailClose"}),
        (
            {"tracing": {}},
            {},
            TRACING,
            {
                "enabled": True,
                "otelExporterEndpoint": "http://otel-collector:4317",
                "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "0.05"},
            },
        ),
        (
            {"tracing": {"endpoint": "http://otel:1", "ratio": 1}},
            {},
            TRACING,
            {
                "enabled": True,
                "otelExporterEndpoint": "http://otel:1",
                "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "1"},
            },
        ),
        ({"tracing": {"ratio": 0}}, {"tracing": {}}, TRACING, {"sampling": {"samplerArg": "0"}}),
        (on_gateway(name="mine"), ISTIO, ROUTE, {"inferenceGatewayName": "mine"}),
        (on_gateway(requestTimeout="600s"), ISTIO, ROUTE, {"requestTimeout": "600s"}),
        (on_gateway(baseModel="m"), ISTIO, ROUTE, {"baseModel": "m"}),
    ],
    ids=str,
)
def test_a_key_ends_where_the_chart_reads_it(
    router: dict[str, Any], below: dict[str, Any], place: dict[str, str], value: Any, release: str
) -> None:
    before, after = values(release, below), values(release, router)
    assert after == merge(before, at_path(place[release], value))
    assert after != before


@pytest.mark.parametrize("release", RELEASES)
def test_more_ports_come_after_upstreams(release: str) -> None:
    ports = [
        {"name": "https", "port": 443, "targetPort": 8443},
        {"name": "udp", "port": 9, "targetPort": 9, "protocol": "UDP"},
    ]
    expected = [HTTP, {"protocol": "TCP", **ports[0]}, ports[1]]
    assert values(release, {"extraPorts": ports}) == merge(values(release, {}), at_path(PORTS[release], expected))
    assert look_up(values(release, {}), tuple(PORTS[release].split("."))) == [HTTP]


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize("mode", [{}, ISTIO], ids=["standalone", "gateway"])
def test_the_teams_own_plugins_take_the_place_of_the_guides(mode: dict[str, Any], bill: Bill) -> None:
    own = {
        "plugins": [{"type": "queue-scorer"}, {"type": "decode-filter"}, {"type": "max-score-picker"}],
        "schedulingProfiles": [{"name": "decode", "plugins": [{"pluginRef": "decode-filter"}]}],
    }
    found = values(bill.name, {**mode, "plugins": own})
    where = tuple(EPP[bill.name].split("."))
    read_by_the_picker = look_up(found, (*where, "pluginsConfigFile"))
    texts = look_up(found, (*where, "pluginsCustomConfig"))
    assert [*texts] == [read_by_the_picker]
    text = texts[read_by_the_picker]
    version = {MAY: "inference.networking.x-k8s.io/v1alpha1", JUNE: "llm-d.ai/v1alpha1"}[bill.name]
    assert yaml.safe_load(text) == {"apiVersion": version, "kind": "EndpointPickerConfig", **own}
    assert text.startswith(f"apiVersion: {version}\n")
    rest = merge(values(bill.name, mode), at((*where, "pluginsCustomConfig"), texts))
    assert found == rest


# --- the gateway -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("provider", ["istio", "gke", "agentgateway", "na"])
def test_the_chart_is_told_whose_implementation_it_is_and_makes_the_route(provider: str, release: str) -> None:
    found = values(release, {"mode": "gateway", "gateway": {"provider": provider, "className": "c"}})
    assert found["provider"] == {"name": provider}
    switch = {MAY: "enabled", JUNE: "create"}[release]
    assert found[ROUTE[release]] == {
        switch: True,
        "inferenceGatewayName": "llm-d-inference-gateway",
        "requestTimeout": "0s",
    }


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("provider", "protocol"), [("gke", ""), ("istio", "http"), ("agentgateway", "http")])
def test_gkes_chart_is_told_no_protocol_so_that_it_writes_no_health_check(
    provider: str, protocol: str, release: str
) -> None:
    found = values(release, {"mode": "gateway", "gateway": {"provider": provider}})
    assert look_up(found, RELEASES[release].router.settings["protocol"]) == protocol


@pytest.mark.parametrize("release", RELEASES)
def test_standalone_knows_no_gateway(release: str) -> None:
    assert not {"provider", *ROUTE.values()} & values(release, {}).keys()


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"manage": False, "namespace": "shared"}, "shared"),
        ({"manage": False, "namespace": "llm-d-pd-disaggregation"}, None),
        ({"manage": False}, None),
        ({}, None),
    ],
    ids=str,
)
def test_where_a_gateway_elsewhere_is(stated: dict[str, Any], told: str | None) -> None:
    june, may = (planned(release, on_gateway(**stated)) for release in (JUNE, MAY))
    assert june.router.values["httpRoute"].get("inferenceGatewayNamespace") == told
    assert june.gateway is not None
    assert june.gateway.routes == []
    # May's chart has no key for it: there the route is ours, and the chart's is off.
    assert may.gateway is not None
    assert ("experimentalHttpRoute" in may.router.values) == (told is None) == (may.gateway.routes == [])
    assert may.router.values["provider"] == {"name": "istio"}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("provider", "authenticated"), [("gke", True), ("istio", False), ("na", False)])
def test_metrics_on_gke_are_read_with_a_token(provider: str, authenticated: bool, release: str) -> None:
    """Without authentication the chart makes no monitor for GKE at all, and says nothing."""
    router = {"mode": "gateway", "gateway": {"provider": provider, "className": "c"}}
    found = values(release, router, monitoring={"router": True})
    section = {MAY: "inferenceExtension", JUNE: "router"}[release]
    assert found[section]["monitoring"]["prometheus"] == {"enabled": True, "auth": {"enabled": authenticated}}


# --- the last words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("release", RELEASES)
def test_values_are_the_last_word(release: str) -> None:
    own = {"replicas": 5, "affinity": {"a": 1}, "resources": None}
    stated = {"replicas": 1, "resources": {"limits": {"cpu": "9"}}, "values": at_path(EPP[release], own)}
    found = look_up(values(release, stated), tuple(EPP[release].split(".")))
    # A null stays, because it is what deletes the chart's own.
    assert {key: found[key] for key in own} == own


#: Where a mirrored picker and proxy are said, and how.
IMAGES: dict[str, dict[str, str]] = {
    MAY: {
        "inferenceExtension.image.hub": "mirror.example/own/llm-d",
        "inferenceExtension.image.name": "llm-d-inference-scheduler",
        "inferenceExtension.image.registry": "mirror.example",
        "inferenceExtension.image.repository": "own/llm-d/llm-d-inference-scheduler",
        "inferenceExtension.image.tag": "v0.8.0",
        "inferenceExtension.sidecar.image": "mirror.example/own/envoyproxy/envoy:distroless-v1.33.2",
    },
    JUNE: {
        "router.epp.image.registry": "mirror.example/own/llm-d",
        "router.epp.image.repository": "llm-d-router-endpoint-picker",
        "router.epp.image.tag": "v0.9.0",
        "router.proxy.image": "mirror.example/own/envoyproxy/envoy:distroless-v1.33.2",
    },
}


@pytest.mark.parametrize("release", RELEASES)
def test_images_come_from_the_mirror(release: str) -> None:
    found = values(release, {}, mirror={"registry": "mirror.example/own"})
    expected = merge(values(release, {}), *(at_path(path, text) for path, text in IMAGES[release].items()))
    assert whole_references(found) == whole_references(expected)


def whole_references(tree: dict[str, Any]) -> Any:
    """A registry and a repository are joined by the chart, wherever the one ends."""
    if not isinstance(tree, dict):
        return tree
    parts = tree.keys() & {"registry", "repository"}
    joined = {"reference": f"{tree['registry']}/{tree['repository']}"} if len(parts) == 2 else {}
    return joined | {key: whole_references(value) for key, value in tree.items() if len(parts) < 2 or key not in parts}


@pytest.mark.parametrize("release", RELEASES)
def test_a_gateway_has_no_proxy_to_mirror(release: str) -> None:
    found = values(release, ISTIO, mirror={"registry": "mirror.example/own"})
    assert look_up(found, (*PROXY[release].split("."), "image")) is None
    picker = look_up(found, (*EPP[release].split("."), "image"))
    assert picker["registry"].startswith("mirror.example")


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_every_setting_of_a_release_is_looked_at_here(bill: Bill) -> None:
    """One that is added gets a case above."""
    assert bill.router.settings.keys() - {"gatewayNamespace"} == {
        *(
            "matchLabels",
            "replicas",
            "resources",
            "proxyResources",
            "flags",
            "failureMode",
            "pluginFiles",
            "extraPorts",
        ),
        *("tracingEndpoint", "tracingRatio", "provider", "gatewayName", "requestTimeout", "baseModel"),
        # The check of the model servers on GKE: below, and in test_render_gateway.py.
        *("protocol", "targetPorts"),
    }
