"""The stand-ins for llm-d's router charts make what the published v0.9.0 charts make, but for Envoy's configuration.

The digests were taken from upstream's templates at tag v0.9.0, packaged as its release packages them. The files at hand are
v0.10.0's, rendered from sources; `as_published` says in what they differ. Chart and values meet in `helm template`, so these
tests need a helm and are skipped, saying so, where there is none.
"""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.parts.standins import charts
from releases.router_2026_06 import ROUTER, VERSION
from releases.values import at, merge
from tests.parity.helm import helm, template
from tests.parity.reference import assert_upstreams, canonical, digest, load

CHARTS = Path(charts.__file__).parent / "charts"
RELEASE, NAMESPACE = "pd-disaggregation", "llm-d-pd-disaggregation"
STANDALONE, GATEWAY = (ROUTER.charts[mode].ref.rpartition("/")[2] for mode in ("standalone", "gateway"))
PROMETHEUS = ("router", "monitoring", "prometheus")


def values(*trees: dict[str, Any]) -> dict[str, Any]:
    selector = at(ROUTER.settings["matchLabels"], {"llm-d.ai/guide": RELEASE})
    return merge(*ROUTER.values, selector, *trees)


def render(tmp_path: Path, chart: str, *trees: dict[str, Any]) -> list[dict[str, Any]]:
    return template(helm(), CHARTS / chart, values(*trees), release=RELEASE, namespace=NAMESPACE, directory=tmp_path)


def on_gateway(provider: str) -> dict[str, Any]:
    return merge(ROUTER.features["httpRoute"], {"provider": {"name": provider}})


def comparable(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Canonical objects; plugin files by what they say, and Envoy's, which is meant to differ, by its name."""
    found = canonical(objects)
    for item in found:
        if item["kind"] == "ConfigMap":
            envoy = item["metadata"]["name"] == "envoy"
            item["data"] = {key: None if envoy else yaml.safe_load(text) for key, text in item["data"].items()}
    return found


def as_published(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects v0.10.0's sources make, as v0.9.0's published chart makes them."""
    for item in objects:
        pod = item["spec"]["template"]["spec"] if item["kind"] == "Deployment" else {"containers": []}
        for container in pod["containers"]:
            if container["name"] == "epp":
                # The release writes its version into the chart, where the sources have a moving tag.
                container["image"] = container["image"].replace(":main", f":{VERSION}")
                container["imagePullPolicy"] = "IfNotPresent"
        labels = item["metadata"].get("labels", {})
        if "app.kubernetes.io/version" in labels:
            labels["app.kubernetes.io/version"] = VERSION
        if item["kind"] == "Service":
            # New in v0.10.0.
            assert item["spec"]["ports"][0].pop("appProtocol") == "kubernetes.io/h2c"
    return objects


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (item for item in objects if item["kind"] == kind)
    return found


def containers(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return found


@pytest.mark.parametrize(
    ("chart", "trees", "file", "expected"),
    [
        (STANDALONE, (), "standalone", "2a270a934ec5e3517cefe1651e864a15ff2204789ff8c7b968f5c959214055bc"),
        (
            GATEWAY,
            (on_gateway("none"),),
            "gateway_none",
            "e5f73ac154b8e500fbc3bc8962f5dd429b1f97a2ef9699e3ab09dc643e1fc093",
        ),
        (
            GATEWAY,
            (on_gateway("istio"),),
            "gateway_istio",
            "58dccf8394b877e6b54450c8a1829adbff91f1668d4f0f00040fb9718e95ad3c",
        ),
        (
            GATEWAY,
            (on_gateway("gke"),),
            "gateway_gke",
            "e27c79867366247137e708012d2f4b44ac1f9f543f3dda07b1e0d76cc6e7327d",
        ),
    ],
    ids=["standalone", "none", "istio", "gke"],
)
def test_objects_equal_the_official_charts(
    tmp_path: Path, chart: str, trees: tuple[dict[str, Any], ...], file: str, expected: str
) -> None:
    def theirs(directory: Path) -> list[dict[str, Any]]:
        return comparable(as_published(load(directory / "charts" / f"{file}_v0.10.0.yaml")))

    assert_upstreams(comparable(render(tmp_path, chart, *trees)), expected, theirs, "guide-2026-06")


@pytest.mark.parametrize(
    ("chart", "trees", "expected"),
    [
        (STANDALONE, (ROUTER.monitoring["*"],), "b7e0aa4ef46add4e03f7cfd02c8393c5647eeddfd880207eefcd3ab29c34d773"),
        (
            STANDALONE,
            (at((*PROMETHEUS, "enabled"), True),),
            "db37db3927aee8fc2ef6a90ec248535d9004df3110370ad703740a5366551413",
        ),
        (STANDALONE, (ROUTER.features["tracing"],), "998b235cb3386481abd0522e7691ef939bc31c6b2c933a475dbe8572cf83d7a9"),
        (
            STANDALONE,
            (at(("router", "epp", "replicas"), 2),),
            "30c91f0291a73573b922e2b6cf5e0cbf78c00c57490ba417ede6cc7967e066ee",
        ),
        (
            STANDALONE,
            (at(("router", "inferencePool", "create"), False),),
            "c7800a2ccc65f60e95520376ea0144619f07a720750638c84966af37cb50b712",
        ),
        (
            GATEWAY,
            (on_gateway("istio"), ROUTER.monitoring["*"]),
            "01c1b72f8297e8957eec1f228daffe0899248d73abde48877e62486723abd8c4",
        ),
        (
            GATEWAY,
            (on_gateway("gke"), ROUTER.monitoring["gke"]),
            "18994637b1ae795232307c4d9084426cdbb19c388fc77fbfc7f4964755092173",
        ),
        (
            GATEWAY,
            (on_gateway("gke"), ROUTER.monitoring["*"]),
            "cbcc191f2065574a29bae9410d26b6e6519cbcd68fc5facb656d671414ca16ac",
        ),
    ],
    ids=["monitoring", "token", "tracing", "replicas", "no-pool", "istio-monitoring", "gke-monitoring", "gke-no-token"],
)
def test_features_make_what_the_official_charts_make(
    tmp_path: Path, chart: str, trees: tuple[dict[str, Any], ...], expected: str
) -> None:
    assert digest(comparable(render(tmp_path, chart, *trees))) == expected


def test_on_gke_nobody_reads_metrics_without_a_token(tmp_path: Path) -> None:
    monitors = {
        auth: {item["kind"] for item in render(tmp_path, GATEWAY, on_gateway("gke"), tree)}
        & {"PodMonitoring", "ServiceMonitor"}
        for auth, tree in (("with", ROUTER.monitoring["gke"]), ("without", ROUTER.monitoring["*"]))
    }
    assert monitors == {"with": {"PodMonitoring"}, "without": set()}


def test_options_of_the_picker_reach_the_objects(tmp_path: Path) -> None:
    options = {
        "epp": {
            "image": {
                "registry": "mirror.test",
                "repository": "picker",
                "tag": "v0.9.1@sha256:0",
                "pullPolicy": "Always",
            },
            "flags": {"kv-cache": True},
            "resources": {"limits": {"cpu": "9"}},
            "env": [{"name": "OWN", "value": "1"}],
            "pluginsConfigFile": "own.yaml",
            "pluginsCustomConfig": {"own.yaml": "kind: Own\n"},
            "affinity": {"nodeAffinity": {}},
            "tolerations": [{"key": "spot"}],
        },
        "extraServicePorts": [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8081}],
        "inferencePool": {"failureMode": "FailClose"},
        "modelServers": {
            "matchLabels": {"team": "blue"},
            "protocol": "grpc",
            "targetPorts": [{"number": 9000}, {"number": 9001}],
        },
        "tracing": {"enabled": True, "otelExporterEndpoint": "http://otel:4317"},
    }
    objects = render(tmp_path, STANDALONE, {"router": options})
    _, epp = containers(objects)
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert (epp["image"], epp["imagePullPolicy"]) == ("mirror.test/picker:v0.9.1@sha256:0", "Always")
    assert {"--kv-cache=true", "--v=2", "/config/own.yaml", "--tracing=true"} <= set(epp["args"])
    assert epp["resources"]["limits"] == {"cpu": "9", "memory": "16Gi"}
    assert {"name": "OWN", "value": "1"} in epp["env"]
    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel:4317"} in epp["env"]
    assert (pod["affinity"], pod["tolerations"]) == ({"nodeAffinity": {}}, [{"key": "spot"}])
    assert one(objects, "Service")["spec"]["ports"][-1]["port"] == 8080
    pool = one(objects, "InferencePool")["spec"]
    assert (pool["appProtocol"], pool["endpointPickerRef"]["failureMode"]) == ("kubernetes.io/h2c", "FailClose")
    assert pool["targetPorts"] == [{"number": 9000}, {"number": 9001}]
    assert pool["selector"]["matchLabels"] == {"llm-d.ai/guide": RELEASE, "team": "blue"}
    files = next(
        item["data"] for item in objects if (item["kind"], item["metadata"]["name"]) == ("ConfigMap", f"{RELEASE}-epp")
    )
    assert {"default-plugins.yaml", "own.yaml", ROUTER.plugin_file} <= set(files)


def test_options_of_the_proxy_stand_over_the_preset(tmp_path: Path) -> None:
    own = {"image": "mirror.test/envoy:v1", "args": ["-c", "/x"], "resources": None}
    envoy, _ = containers(render(tmp_path, STANDALONE, {"router": {"proxy": own}}))
    assert (envoy["image"], envoy["args"], envoy["command"]) == (own["image"], own["args"], ["envoy"])
    assert "resources" not in envoy


def test_the_proxy_image_is_the_one_the_release_lists(tmp_path: Path) -> None:
    images = [container["image"] for container in containers(render(tmp_path, STANDALONE))]
    assert images == [ROUTER.proxy.image, ROUTER.endpoint_picker.image]


def test_options_of_the_route_and_the_provider_reach_the_objects(tmp_path: Path) -> None:
    rule = {"host": "epp.mesh", "trafficPolicy": {"connectionPool": {"http": {"maxRequestsPerConnection": 9}}}}
    route = {
        "inferenceGatewayName": "shared",
        "inferenceGatewayNamespace": "gateways",
        "requestTimeout": "9s",
        "baseModel": "openai/gpt-oss-120b",
        "headerMatches": {"x-team": "blue"},
    }
    objects = render(
        tmp_path,
        GATEWAY,
        on_gateway("istio"),
        {"httpRoute": route, "provider": {"istio": {"destinationRule": rule}}},
    )
    spec = one(objects, "HTTPRoute")["spec"]
    assert (spec["parentRefs"][0]["name"], spec["parentRefs"][0]["namespace"]) == ("shared", "gateways")
    assert spec["rules"][0]["timeouts"] == {"request": "9s"}
    headers = {header["name"]: header["value"] for header in spec["rules"][0]["matches"][0]["headers"]}
    assert headers == {"X-Gateway-Base-Model-Name": "openai/gpt-oss-120b", "x-team": "blue"}
    destination = one(objects, "DestinationRule")["spec"]
    assert destination["host"] == "epp.mesh"
    assert destination["trafficPolicy"]["connectionPool"] == rule["trafficPolicy"]["connectionPool"]


@pytest.mark.parametrize("chart", [STANDALONE, GATEWAY])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"inferenceExtension": {"replicas": 1}}, "`inferenceExtension` is of the charts before"),
        ({"inferencePool": {"modelServers": {}}}, "`inferencePool` is of the charts before"),
        ({"experimentalHttpRoute": {"enabled": True}}, "`experimentalHttpRoute` is of the charts before"),
        ({"router": {"modelServers": {"matchLabels": None}}}, "matchLabels must select"),
        ({"router": {"epp": {"resources": None}}}, "requests.cpu is required"),
        ({"router": {"tokenizer": {"enabled": True}}}, "router.tokenizer.enabled: the official chart can do this"),
        ({"router": {"proxy": {"mode": "service"}}}, "router.proxy.mode: the official chart can do this"),
    ],
)
def test_refusals(tmp_path: Path, chart: str, wrong: dict[str, Any], words: str) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values(wrong)))
    command = [str(helm()), "template", RELEASE, str(CHARTS / chart), "-f", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize("chart", [STANDALONE, GATEWAY])
def test_a_package_renders_as_the_chart_does_and_is_named_as_pinned(tmp_path: Path, chart: str) -> None:
    done = subprocess.run([str(helm()), "package", str(CHARTS / chart), "-d", str(tmp_path)], capture_output=True)
    packed = tmp_path / f"{chart}-{VERSION}.tgz"
    assert done.returncode == 0
    assert packed.is_file()
    assert render(tmp_path, str(packed)) == render(tmp_path, chart)


@pytest.mark.parametrize("chart", [STANDALONE, GATEWAY])
def test_a_chart_says_it_is_a_stand_in(tmp_path: Path, chart: str) -> None:
    assert "stand-in" in (CHARTS / chart / "Chart.yaml").read_text().lower()
    texts = [item["data"]["envoy.yaml"] for item in render(tmp_path, chart) if item["metadata"]["name"] == "envoy"]
    assert len(texts) == (1 if chart == STANDALONE else 0)
    assert all("stand-in" in text.lower() for text in texts)
