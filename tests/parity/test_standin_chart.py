"""The stand-in chart makes what the official chart makes, from the values the program passes, but for Envoy's configuration.

Chart and values meet in `helm template`, so these tests need a helm binary and are skipped, saying so, where there is none.
"""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.standins.charts import STANDALONE, PackagingError, package
from releases import release
from releases.values import router_values
from tests.parity.helm import helm, template
from tests.parity.reference import canonical, differences, digest, load, upstream

BILL = release("guide-2026-05")
RELEASE, NAMESPACE = "pd-disaggregation", "llm-d-pd-disaggregation"


def comparable(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Canonical objects, with the one text that is meant to differ reduced to the files that hold it."""
    found = canonical(objects)
    for item in found:
        if (item["kind"], item["metadata"]["name"]) == ("ConfigMap", "envoy"):
            item["data"] = sorted(item["data"])
    return found


def render(
    tmp_path: Path, chart: Path = STANDALONE, *, monitoring: bool = False, **overrides: Any
) -> list[dict[str, Any]]:
    values = router_values(BILL, name=RELEASE, monitoring=monitoring, overrides=overrides)
    return template(helm(), chart, values, release=RELEASE, namespace=NAMESPACE, directory=tmp_path)


def one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = (item for item in objects if item["kind"] == kind)
    return found


@pytest.mark.parametrize(
    ("monitoring", "file", "expected"),
    [
        (False, "standalone.yaml", "52506c58019382649d8f48e8acf98d62ef1da2961cc404e172b803bc5475cb99"),
        (True, "standalone_monitoring.yaml", "7b75a698a461dd1d628d3cc127433803a03cea08fef7365d90630c95730340b6"),
    ],
    ids=["plain", "monitoring"],
)
def test_objects_equal_the_official_charts(tmp_path: Path, monitoring: bool, file: str, expected: str) -> None:
    ours = comparable(render(tmp_path, monitoring=monitoring))
    directory = upstream()
    if directory is not None:
        theirs = comparable(load(directory / "charts" / file))
        names = [[(item["kind"], item["metadata"]["name"]) for item in objects] for objects in (ours, theirs)]
        assert names[0] == names[1]
        assert list(differences(ours, theirs)) == []
        assert digest(theirs) == expected, "upstream's file is not the one this digest was taken from"
    assert digest(ours) == expected


def test_proxy_image_is_the_one_the_bill_lists(tmp_path: Path) -> None:
    containers = one(render(tmp_path), "Deployment")["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in containers] == [BILL.router.proxy_image, BILL.router.image]


def test_envoy_says_it_is_a_stand_in(tmp_path: Path) -> None:
    (envoy,) = (item for item in render(tmp_path) if item["metadata"]["name"] == "envoy")
    assert "stand-in" in envoy["data"]["envoy.yaml"].lower()
    assert "stand-in" in (STANDALONE / "Chart.yaml").read_text().lower()


def test_overrides_reach_the_objects(tmp_path: Path) -> None:
    objects = render(
        tmp_path,
        inferenceExtension={
            "replicas": 2,
            "image": {"registry": "mirror.example.test", "tag": "v0.8.1"},
            "flags": {"v": 4, "kv-cache": True},
            "resources": None,
            "sidecar": {"resources": None},
            "extraServicePorts": [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8081}],
            "pluginsConfigFile": "own.yaml",
            "pluginsCustomConfig": {"own.yaml": "kind: Own\n"},
            "tracing": {"enabled": True, "otelExporterEndpoint": "http://otel:4317"},
        },
        inferencePool={"modelServers": {"matchLabels": {"team": "blue"}}, "targetPorts": [{"number": 9000}]},
    )
    deployment = one(objects, "Deployment")["spec"]
    envoy, epp = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 2
    assert epp["image"] == "mirror.example.test/llm-d/llm-d-inference-scheduler:v0.8.1"
    assert "resources" not in epp
    assert "resources" not in envoy
    assert epp["args"][epp["args"].index("--v") :][:2] == ["--v", "4"]
    assert {"--ha-enable-leader-election", "--tracing=true", "/config/own.yaml", "--kv-cache"} <= set(epp["args"])
    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel:4317"} in epp["env"]
    assert one(objects, "Service")["spec"]["ports"][-1]["port"] == 8080
    assert one(objects, "InferencePool")["spec"]["targetPorts"] == [{"number": 9000}]
    assert one(objects, "InferencePool")["spec"]["selector"]["matchLabels"] == {
        "llm-d.ai/guide": RELEASE,
        "team": "blue",
    }
    (config,) = (
        item for item in objects if item["metadata"]["name"] == f"{RELEASE}-epp" and item["kind"] == "ConfigMap"
    )
    assert {"default-plugins.yaml", "pd-config.yaml", "own.yaml"} == set(config["data"])


def test_metrics_with_authentication_get_their_token(tmp_path: Path) -> None:
    objects = render(
        tmp_path, monitoring=True, inferenceExtension={"monitoring": {"prometheus": {"auth": {"enabled": True}}}}
    )
    credentials = one(objects, "ServiceMonitor")["spec"]["endpoints"][0]["authorization"]["credentials"]
    assert credentials["name"] == one(objects, "Secret")["metadata"]["name"]
    epp = one(objects, "Deployment")["spec"]["template"]["spec"]["containers"][1]
    assert "--metrics-endpoint-auth=false" not in epp["args"]


def test_a_package_renders_as_the_chart_does(tmp_path: Path) -> None:
    packed = package(tmp_path / "packed", helm())
    assert packed == tmp_path / "packed" / "standalone-v1.5.0.tgz"
    assert packed.is_file()
    assert package(tmp_path / "packed", helm()) == packed, "an older package is replaced"
    assert render(tmp_path, packed) == render(tmp_path)


def test_the_chart_has_the_version_the_bill_pins() -> None:
    (chart,) = load(STANDALONE / "Chart.yaml")
    pinned = BILL.router.charts["standalone"]
    assert (chart["name"], chart["version"]) == (pinned.ref.rsplit("/", 1)[-1], pinned.version)


def test_a_package_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    failing = tmp_path / "helm"
    failing.write_text("#!/bin/sh\necho 'no such chart' >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(PackagingError, match="no such chart"):
        package(tmp_path / "out", failing)
