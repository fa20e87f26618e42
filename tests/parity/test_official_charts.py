"""The official charts make of a stack file what they make of upstream's values, Envoy's configuration included.

Chart and values meet in `helm template`, so these tests need a helm and the charts and are skipped, saying so, without.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from releases import release
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from tests.blueprints import read
from tests.parity.charts import official
from tests.parity.helm import helm, template
from tests.parity.reference import assert_upstreams, canonical, load

BILL = release("guide-2026-05")
NAME, NAMESPACE = "pd-disaggregation", "llm-d-pd-disaggregation"
VERSION = "app.kubernetes.io/version"

#: On GKE we turn authentication of the metrics on: without it, as in upstream's values, the chart makes no monitor there.
UPSTREAMS_GKE = {"inferenceExtension": {"monitoring": {"prometheus": {"auth": {"enabled": False}}}}}


def gateway(provider: str, **router: Any) -> dict[str, Any]:
    return {"mode": "gateway", "gateway": {"provider": provider}, **router}


#: Upstream's rendered file -> what a stack file says of the router, whether it is monitored, and the objects' digest.
CASES: dict[str, tuple[dict[str, Any], bool, str]] = {
    "standalone": ({}, False, "9972b15b279968d17ee31e19c2a242e551cbfda7b4629194ebf560695fbd992b"),
    "standalone_monitoring": ({}, True, "07453b6b6621d398a6ce2c14cac69619fed9736089c608f78b01c38d997fb78b"),
    "inferencepool_na": (
        gateway("na"),
        False,
        "788cc7e0c502f9754ce1ad5a940b5e7c91485c8f5e98cdf6ba05b94b20eefa1b",
    ),
    "inferencepool_na_monitoring": (
        gateway("na"),
        True,
        "b699de9b60e99f9a3a6ff43c1e97d98925847dad0fb620d932b3855f58d2fef6",
    ),
    "inferencepool_gke": (
        gateway("gke"),
        False,
        "6d147d7a6b16b1307d691086fd10ab433ca528f6376ae6dde5fe7b7d24c0d22d",
    ),
    "inferencepool_gke_monitoring": (
        gateway("gke", values=UPSTREAMS_GKE),
        True,
        "e83f284a86139cff7720582907f76aee27856d170656deaa795358a3b6546df4",
    ),
    "inferencepool_istio": (
        gateway("istio"),
        False,
        "53047f10fa50c049198b4f382314e1271c7a00e99d14f43c7543e7a2e57257f4",
    ),
    "inferencepool_istio_monitoring": (
        gateway("istio"),
        True,
        "f37d50715c4096fc8ed4257d3fc516b7a4e69b57527c9f3cc2a29cc5c8b992b8",
    ),
    "inferencepool_agentgateway": (
        gateway("agentgateway"),
        False,
        "788cc7e0c502f9754ce1ad5a940b5e7c91485c8f5e98cdf6ba05b94b20eefa1b",
    ),
    "inferencepool_agentgateway_monitoring": (
        gateway("agentgateway"),
        True,
        "b699de9b60e99f9a3a6ff43c1e97d98925847dad0fb620d932b3855f58d2fef6",
    ),
}


def planned(directory: Path, router: dict[str, Any], *, monitoring: bool = False, **sections: Any) -> ServingBlueprint:
    """The plan of a stack file that says this of its router."""
    config = {"serving": {"accelerator": "nvidia"}, "router": router, "monitoring": {"router": monitoring}, **sections}
    found, spec = read(config)
    assert found == []
    assert spec is not None
    return serving_blueprint(spec, directory)


def render(
    directory: Path, router: dict[str, Any], *, monitoring: bool = False, **sections: Any
) -> list[dict[str, Any]]:
    """The objects of a stack's router, from the chart of its mode."""
    made = planned(directory, router, monitoring=monitoring, **sections)
    chart = official(BILL.router.charts[made.spec.router.mode])
    return template(helm(), chart, made.router.values, release=NAME, namespace=NAMESPACE, directory=directory)


def unstamped(value: Any) -> Any:
    """Upstream's files were rendered from the charts' sources, which carry no version; a released chart carries its own."""
    if isinstance(value, dict):
        return {key: "0.0.0" if key == VERSION else unstamped(below) for key, below in value.items()}
    return [unstamped(item) for item in value] if isinstance(value, list) else value


def named(objects: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    (found,) = (item for item in objects if item["kind"] == kind and name in ("", item["metadata"]["name"]))
    return found


def settled(objects: list[dict[str, Any]], made: ServingBlueprint) -> list[dict[str, Any]]:
    """The objects after the stack's patch and the API server's defaults, less the one field in which they are not upstream's:
    how the port of GKE's health check is chosen (OVERLAYS.md, "Differences from upstream").
    """
    if made.gateway is None or made.gateway.health_check is None:
        return objects
    health, pool = (named(objects, kind)["spec"] for kind in ("HealthCheckPolicy", "InferencePool"))
    assert "config" not in health["default"], "the chart still writes a check, which GKE's newer CRD refuses"
    check = copy.deepcopy(made.gateway.health_check)
    assert check["httpHealthCheck"].pop("portSpecification") == "USE_FIXED_PORT"
    health["default"]["config"] = check
    # The default of InferencePool's CRD, which upstream's chart writes out.
    assert pool.setdefault("appProtocol", "http") == "http"
    return objects


@pytest.mark.parametrize("file", CASES)
def test_objects_equal_upstreams(tmp_path: Path, file: str) -> None:
    router, monitoring, expected = CASES[file]
    made = planned(tmp_path, router, monitoring=monitoring)
    ours = canonical(settled(unstamped(render(tmp_path, router, monitoring=monitoring)), made))
    assert_upstreams(ours, expected, lambda directory: canonical(load(directory / "charts" / f"{file}.yaml")))


@pytest.mark.parametrize("mode", BILL.router.charts)
def test_a_chart_is_stamped_with_the_version_the_bill_pins(mode: str) -> None:
    chart = BILL.router.charts[mode]
    assert official(chart).name == f"{chart.ref.rpartition('/')[2]}-{chart.version}.tgz"


def test_images_are_those_the_bill_lists(tmp_path: Path) -> None:
    containers = named(render(tmp_path, {}), "Deployment")["spec"]["template"]["spec"]["containers"]
    listed = [BILL.router.proxy.image, BILL.router.endpoint_picker.image]
    assert [container["image"] for container in containers] == listed
    mirrored = render(tmp_path, {}, mirror={"registry": "mirror.example.test/team"})
    containers = named(mirrored, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert all(container["image"].startswith("mirror.example.test/team/") for container in containers)


def test_what_a_stack_file_says_reaches_the_objects(tmp_path: Path) -> None:
    amounts = {"requests": {"cpu": "2"}, "limits": {"memory": "4Gi"}}
    objects = render(
        tmp_path,
        {
            "replicas": 2,
            "resources": amounts,
            "proxyResources": amounts,
            "flags": {"v": 4, "kv-cache": True},
            "tracing": {"endpoint": "http://otel:4317", "ratio": 0.5},
            "extraPorts": [{"name": "more", "port": 8080, "targetPort": 8081}],
            "plugins": {"plugins": [{"type": "queue-scorer"}]},
        },
        name="blue",
    )
    deployment = named(objects, "Deployment")["spec"]
    envoy, epp = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 2
    for container in (envoy, epp):
        assert container["resources"] == {
            "requests": {"cpu": "2", "memory": "8Gi"},
            "limits": {"memory": "4Gi"},
        }
    assert epp["args"][epp["args"].index("--v") :][:2] == ["--v", "4"]
    assert {"--ha-enable-leader-election", "--tracing=true", "--kv-cache"} <= set(epp["args"])
    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel:4317"} in epp["env"]
    assert {"name": "OTEL_TRACES_SAMPLER_ARG", "value": "0.5"} in epp["env"]
    assert [port["port"] for port in named(objects, "Service")["spec"]["ports"]][-2:] == [80, 8080]
    assert named(objects, "InferencePool")["spec"]["selector"]["matchLabels"] == {BILL.guide_label: "blue"}
    plugins = yaml.safe_load(named(objects, "ConfigMap", f"{NAME}-epp")["data"][BILL.router.plugin_file])
    assert plugins["plugins"] == [{"type": "queue-scorer"}]


def test_what_a_stack_file_says_of_the_gateway_reaches_the_route(tmp_path: Path) -> None:
    said = {"provider": "istio", "name": "shared", "requestTimeout": "30s", "baseModel": "org/model"}
    objects = render(tmp_path, {"mode": "gateway", "gateway": said, "failureMode": "FailClose"})
    # Only this mode's chart has it: the other writes an InferencePool without one.
    assert named(objects, "InferencePool")["spec"]["endpointPickerRef"]["failureMode"] == "FailClose"
    route = named(objects, "HTTPRoute")["spec"]
    assert [parent["name"] for parent in route["parentRefs"]] == ["shared"]
    assert all(rule["timeouts"] == {"request": "30s"} for rule in route["rules"])
    headers = [header for rule in route["rules"] for match in rule["matches"] for header in match.get("headers", [])]
    assert "org/model" in [header["value"] for header in headers]


def test_monitors_on_gke_show_a_token(tmp_path: Path) -> None:
    objects = render(tmp_path, gateway("gke"), monitoring=True)
    (endpoint,) = named(objects, "PodMonitoring")["spec"]["endpoints"]
    secret = endpoint["authorization"]["credentials"]["secret"]["name"]
    assert named(objects, "Secret")["metadata"]["name"] == secret
    (epp,) = named(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert "--metrics-endpoint-auth=false" not in epp["args"]
