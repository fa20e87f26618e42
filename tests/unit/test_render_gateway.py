"""`render` of a stack in mode gateway, and of one with a token: all that `up` would make, and nothing that is secret."""

import json
import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from releases.gateways import IMPLEMENTATIONS
from releases.values import merge
from stacks.blueprint import ServingBlueprint
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.unit.rendering import config, objects, rendered, stack_file
from tests.unit.test_router_chart import fake_helm

NAME, NAMESPACE = "llm-d-inference-gateway", "llm-d-pd-disaggregation"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, empty: no helm but a test's own; and nothing is kept from before."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "bin"


def made(
    directory: Path, gateway: Mapping[str, Any], serving: Mapping[str, Any] | None = None, **more: Any
) -> tuple[dict[str, str], ServingBlueprint]:
    router = {"mode": "gateway", "gateway": gateway, **more.pop("router", {})}
    file = stack_file(directory, config({"accelerator": "nvidia", **(serving or {})}, router=router, **more))
    return rendered(file, directory / "out"), serving_blueprint(load(file).spec, directory)


def comments(text: str) -> list[str]:
    """Its commented commands."""
    lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("#")]
    return [line for line in lines if line.startswith(("helm ", "kubectl "))]


# --- gateway.yaml ------------------------------------------------------------------------------------------------------


def test_the_gateway_and_what_it_refers_to_are_in_the_stacks_namespace(tmp_path: Path) -> None:
    texts, expected = made(tmp_path, {"provider": "istio", "name": "mine"})
    found = objects(texts["gateway.yaml"])
    assert [(obj["kind"], obj["metadata"]["name"], obj["metadata"]["namespace"]) for obj in found] == [
        ("ConfigMap", "mine", NAMESPACE),
        ("Gateway", "mine", NAMESPACE),
    ]
    assert expected.gateway is not None
    assert [obj.get("spec") or obj["data"] for obj in found] == [
        obj.get("spec") or obj["data"] for obj in expected.gateway.objects
    ]
    # Pulumi's own annotations are no business of a GitOps tool.
    assert "pulumi.com" not in texts["gateway.yaml"]
    assert len(objects(texts["crds.yaml"])) == 12


def test_of_a_shared_gateway_there_is_no_file(tmp_path: Path) -> None:
    texts, _ = made(tmp_path, {"provider": "istio", "manage": False, "namespace": "shared"}, release="guide-2026-06")
    assert "gateway.yaml" not in texts
    (values,) = objects(texts["router.values.yaml"])
    assert values["httpRoute"]["inferenceGatewayNamespace"] == "shared"


def test_the_route_that_the_chart_cannot_make_is_in_the_stacks_own_namespace(tmp_path: Path) -> None:
    texts, expected = made(tmp_path, {"provider": "istio", "manage": False, "namespace": "shared", "baseModel": "m"})
    (route,) = objects(texts["gateway.yaml"])
    assert route["kind"] == "HTTPRoute"
    assert route["metadata"] == {"name": "pd-disaggregation-shared", "namespace": NAMESPACE}
    assert expected.gateway is not None
    assert route["spec"] == expected.gateway.routes[0]["spec"]
    assert route["spec"]["parentRefs"][0]["namespace"] == "shared"


def test_standalone_has_no_gateway_file(tmp_path: Path) -> None:
    file = stack_file(tmp_path, config({"accelerator": "nvidia"}))
    assert "gateway.yaml" not in rendered(file, tmp_path / "out")


@pytest.mark.parametrize("provider", IMPLEMENTATIONS)
@pytest.mark.parametrize("mirror", [None, "oci://mirror.example/charts", "https://mirror.example/charts"])
def test_the_implementation_is_told_as_commands_that_install_what_up_would(
    mirror: str | None, provider: str, tmp_path: Path
) -> None:
    more = {"mirror": {"charts": mirror, "registry": "mirror.example/images"}} if mirror else {}
    texts, expected = made(tmp_path, {"provider": provider, "install": True}, **more)
    assert expected.gateway is not None
    releases = expected.gateway.implementation
    commands = [shlex.split(line) for line in comments(texts["gateway.yaml"])]
    assert [words[3] for words in commands] == [release.name for release in releases]
    for words, release in zip(commands, releases, strict=True):
        assert words[:3] == ["helm", "upgrade", "--install"]
        options = dict(pairwise(words))
        assert (options["--version"], options["--namespace"]) == (release.version, release.namespace)
        where = f"{options['--repo']}/{words[4]}" if "--repo" in options else words[4]
        assert where == release.chart
        assert ("--repo" in options) == release.chart.startswith("https://")
        pairs = [words[at + 1] for at, word in enumerate(words) if word == "--set-json"]
        assert (
            merge(*({key: json.loads(value)} for key, _, value in (pair.partition("=") for pair in pairs)))
            == release.values
        )
        assert "--create-namespace" in words
        if mirror:
            assert release.chart.startswith(f"{mirror}/")


def test_without_install_there_is_no_command(tmp_path: Path) -> None:
    assert comments(made(tmp_path, {"provider": "istio"})[0]["gateway.yaml"]) == []


# --- GKE's limit ---------------------------------------------------------------------------------------------------------

POLICY = """apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata: {name: pd-disaggregation}
spec:
  default: {timeoutSec: 300, logging: {enabled: true}}
  targetRef: {kind: InferencePool, name: pd-disaggregation}
---
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata: {name: pd-disaggregation}
spec: {default: {timeoutSec: 2}}
---
apiVersion: networking.gke.io/v1
kind: HealthCheckPolicy
metadata: {name: pd-disaggregation-epp}
spec: {default: {config: {type: GRPC}}}
"""
CHECK = {
    "type": "HTTP",
    "httpHealthCheck": {"portSpecification": "USE_FIXED_PORT", "port": 8000, "requestPath": "/health"},
}


@pytest.mark.parametrize(("stated", "seconds"), [({"backendTimeout": 3600}, 3600), ({}, 300)])
def test_the_charts_policy_has_the_stacks_limit(
    stated: dict[str, int], seconds: int, path: Path, tmp_path: Path
) -> None:
    (tmp_path / "chart-output").write_text(POLICY)
    fake_helm(path, f"[ $1 = template ] && /bin/cat {tmp_path}/chart-output")
    (tmp_path / "chart").mkdir()
    texts, _ = made(tmp_path, {"provider": "gke", **stated}, router={"chart": {"source": "./chart"}})
    policy, health, others = objects(texts["router.yaml"])
    assert policy["spec"] == {
        "default": {"timeoutSec": seconds, "logging": {"enabled": True}},
        "targetRef": {"kind": "InferencePool", "name": "pd-disaggregation"},
    }
    assert health["spec"] == {"default": {"timeoutSec": 2, "config": CHECK}}
    assert others["spec"] == {"default": {"config": {"type": "GRPC"}}}


PORTS = {"guide-2026-05": "inferencePool", "guide-2026-06": "modelServers"}


@pytest.mark.parametrize("release", PORTS)
def test_the_check_is_at_the_charts_port_and_the_charts_own_where_the_values_name_a_protocol(
    release: str, tmp_path: Path
) -> None:
    def values(**said: Any) -> dict[str, Any]:
        tree = {PORTS[release]: said}
        return tree if release == "guide-2026-05" else {"router": tree}

    def planned(**said: Any) -> ServingBlueprint:
        return made(tmp_path, {"provider": "gke"}, router={"values": values(**said)}, release=release)[1]

    ported = planned(targetPorts=[{"number": 8200}]).gateway
    assert ported is not None
    assert ported.health_check is not None
    assert ported.health_check["httpHealthCheck"]["port"] == 8200
    protocol = "modelServerProtocol" if release == "guide-2026-05" else "protocol"
    told = planned(**{protocol: "grpc"})
    assert told.gateway is not None
    assert told.gateway.health_check is None


def test_no_other_providers_policy_is_touched(path: Path, tmp_path: Path) -> None:
    (tmp_path / "chart-output").write_text(POLICY.replace("300", "60"))
    fake_helm(path, f"[ $1 = template ] && /bin/cat {tmp_path}/chart-output")
    (tmp_path / "chart").mkdir()
    texts, _ = made(tmp_path, {"provider": "istio"}, router={"chart": {"source": "./chart"}})
    assert objects(texts["router.yaml"])[0]["spec"]["default"]["timeoutSec"] == 60


def test_who_installs_the_values_by_hand_is_told_to_patch(tmp_path: Path) -> None:
    texts, _ = made(tmp_path, {"provider": "gke", "backendTimeout": 3600})
    install, *patches = comments(texts["router.values.yaml"])
    assert install.startswith("helm upgrade --install pd-disaggregation ")
    expected = {"gcpbackendpolicy": {"timeoutSec": 3600}, "healthcheckpolicy": {"config": CHECK}}
    for patch, (kind, fields) in zip(patches, expected.items(), strict=True):
        words = shlex.split(patch)
        assert words[:4] == ["kubectl", "patch", kind, "pd-disaggregation"]
        assert json.loads(words[words.index("--patch") + 1]) == {"spec": {"default": fields}}
        assert words[words.index("--namespace") + 1] == NAMESPACE
    texts, _ = made(tmp_path, {"provider": "gke"})
    install, patch = comments(texts["router.values.yaml"])
    assert "healthcheckpolicy" in patch


# --- the token -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [{"secure": "v1:CiPhErTeXt"}, {"secure": {"secure": "v1:CiPhErTeXt"}}])
def test_of_a_token_there_is_a_comment_and_no_more(stated: dict[str, Any], tmp_path: Path) -> None:
    file = stack_file(tmp_path, config({"accelerator": "nvidia", "hfToken": stated}))
    texts = rendered(file, tmp_path / "out")
    assert "CiPhErTeXt" not in "".join(texts.values())
    assert "[secret]" not in "".join(texts.values())
    kinds = {obj.get("kind") for text in texts.values() for obj in objects(text)}
    assert "Secret" not in kinds
    said = [
        line for line in texts["model-server.yaml"].splitlines() if line.startswith("#") and "llm-d-hf-token" in line
    ]
    assert len(said) == 1
    assert "is in no file" in said[0]


@pytest.mark.parametrize("stated", [None, "mine"])
def test_without_a_token_of_its_own_nothing_is_said(stated: str | None, tmp_path: Path) -> None:
    serving = {"accelerator": "nvidia"} | ({"hfToken": stated} if stated else {})
    texts = rendered(stack_file(tmp_path, config(serving)), tmp_path / "out")
    assert "is in no file" not in texts["model-server.yaml"]
    assert ("name: mine" in texts["model-server.yaml"]) == (stated == "mine")
