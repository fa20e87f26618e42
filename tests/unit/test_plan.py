"""The blueprint of a stack file: the guide by default, and each key of the stack file where it belongs."""

from pathlib import Path
from typing import Any

import pytest

from hardware.render.namespace import OWNER
from releases import DEFAULT, release
from releases.files import Directory, Pinned, SourceError
from stacks.blueprint import ServingBlueprint
from stacks.rules.facts import serving_blueprint
from tests.blueprints import read
from tests.crd_files import write

BILL = release(DEFAULT)
CHART = BILL.router.charts["standalone"]


def planned(base: Path = Path("/project"), serving: dict[str, Any] | None = None, **more: Any) -> ServingBlueprint:
    found, spec = read({"serving": {"accelerator": "nvidia", **(serving or {})}, **more})
    assert found == []
    assert spec is not None
    return serving_blueprint(spec, base)


def deployments(of: ServingBlueprint) -> dict[str, dict[str, Any]]:
    """Pod specs by role."""
    return {
        obj["metadata"]["labels"]["llm-d.ai/role"]: obj["spec"]["template"]["spec"]
        for obj in of.model_server
        if obj["kind"] == "Deployment"
    }


def server(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    return dict(container)


def test_an_autoscaled_role_starts_with_the_replicas_stated() -> None:
    scaled = planned(serving={"accelerator": "nvidia", "decode": {"replicas": 3, "autoscaled": True}})
    assert scaled.autoscaled == ["decode"]
    assert scaled.workload.sizing["decode"].replicas == 3
    assert planned().autoscaled == []


# --- the guide -----------------------------------------------------------------------------------------------------------


def test_an_accelerator_alone_is_the_guide() -> None:
    guide = planned()
    replicas = {
        obj["metadata"]["name"]: obj["spec"]["replicas"] for obj in guide.model_server if obj["kind"] == "Deployment"
    }
    assert replicas == {
        "pd-disaggregation-nvidia-gpu-vllm-prefill": 8,
        "pd-disaggregation-nvidia-gpu-vllm-decode": 2,
    }
    assert (guide.router.name, guide.router.chart, guide.router.version) == (
        "pd-disaggregation",
        CHART.ref,
        CHART.version,
    )
    assert isinstance(guide.crd_source, Pinned)
    assert guide.monitoring == []
    assert guide.bill is BILL


def test_a_plan_is_the_same_every_time() -> None:
    assert planned(serving={"accelerator": "xpu", "fabric": "rdma"}) == planned(
        serving={"accelerator": "xpu", "fabric": "rdma"}
    )


def test_the_selector_is_on_every_pod_and_in_the_routers_pool() -> None:
    named = planned(name="tiny")
    assert named.selector == {"llm-d.ai/guide": "tiny"}
    for obj in named.model_server:
        if obj["kind"] == "Deployment":
            assert named.selector.items() <= obj["spec"]["template"]["metadata"]["labels"].items()
    tree: Any = named.router.values
    for key in BILL.router.settings["matchLabels"]:
        tree = tree[key]
    assert tree == named.selector


def test_versions_name_everything_that_has_one() -> None:
    assert planned().versions == {
        "release": "guide-2026-05",
        "guide": "8c62784",
        "routerChart": "v1.5.0",
        "endpointPicker": "ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0",
        "routingProxy": "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0",
        "modelServer": "docker.io/vllm/vllm-openai:v0.19.1-x86_64-cu130",
    }


@pytest.mark.parametrize(
    ("gateway", "implementation"),
    [
        ({"provider": "istio", "install": True}, "Istio 1.29.2"),
        ({"provider": "agentgateway", "install": True}, "agentgateway v1.1.0"),
        # Which one the cluster has is not known.
        ({"provider": "istio"}, None),
        ({"provider": "gke"}, None),
    ],
)
def test_versions_name_the_implementation_a_stack_installs(gateway: dict[str, Any], implementation: str | None) -> None:
    found = planned(router={"mode": "gateway", "gateway": gateway}).versions
    assert found.get("gatewayImplementation") == implementation


# --- each key where it belongs -------------------------------------------------------------------------------------------


def test_sizing_goes_to_its_role_and_the_rest_stays_the_recipes() -> None:
    pods = deployments(planned(serving={"prefill": {"devices": 2, "memory": "32Gi"}, "decode": {"cpu": "20"}}))
    prefill, decode = server(pods["prefill"]), server(pods["decode"])
    assert prefill["resources"]["limits"] == {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"}
    assert decode["resources"]["limits"] == {"cpu": "20", "memory": "64Gi", "nvidia.com/gpu": "4"}
    assert "--tensor-parallel-size=2" in prefill["args"]
    assert "--tensor-parallel-size=4" in decode["args"]


def test_model_image_arguments_and_environment() -> None:
    changed = planned(
        serving={
            "model": "org/other-model",
            "image": "mirror.example/vllm:v1",
            "dropArgs": ["--block-size"],
            "extraArgs": ["--block-size=64"],
            "env": {"NCCL_DEBUG": "INFO"},
        }
    )
    for role, pod in deployments(changed).items():
        container = server(pod)
        assert container["image"] == "mirror.example/vllm:v1"
        assert container["args"][0] == "org/other-model"
        assert container["args"][-1] == "--block-size=64"
        assert "--block-size=128" not in container["args"]
        assert {"name": "NCCL_DEBUG", "value": "INFO"} in container["env"], role
    assert changed.versions["modelServer"] == "mirror.example/vllm:v1"
    labels = [obj["metadata"]["labels"]["llm-d.ai/model"] for obj in changed.model_server]
    assert set(labels) == {"other-model"}


def test_where_pods_may_run() -> None:
    toleration = {"key": "team", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    selective = planned(serving={"nodeSelector": {"pool": "h200"}, "tolerations": [toleration]})
    for pod in deployments(selective).values():
        assert pod["nodeSelector"] == {"pool": "h200"}
        assert pod["tolerations"] == [toleration]


def test_the_namespace_says_whose_it_is_when_it_is_somebodys() -> None:
    named = planned(namespace="team-a")
    assert named.namespace() == {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}}
    assert named.namespace("acme/llmd-pd/prod")["metadata"]["annotations"] == {OWNER: "acme/llmd-pd/prod"}


@pytest.mark.parametrize(
    ("accelerator", "privileged"), [("nvidia", False), ("tpu", False), ("amd", False), ("xpu", False), ("hpu", True)]
)
def test_the_namespace_admits_privileged_pods_where_there_are_some(accelerator: str, privileged: bool) -> None:
    labels = planned(serving={"accelerator": accelerator}).namespace()["metadata"].get("labels", {})
    assert labels == ({"pod-security.kubernetes.io/enforce": "privileged"} if privileged else {})


def test_monitoring_is_two_things() -> None:
    assert [obj["kind"] for obj in planned(monitoring={"podMonitors": True}).monitoring] == ["PodMonitor"] * 2
    scraped = planned(monitoring={"router": True})
    assert scraped.monitoring == []
    assert scraped.router.values["inferenceExtension"]["monitoring"]["prometheus"]["enabled"] is True
    assert "monitoring" not in planned().router.values["inferenceExtension"]


# --- where charts and CRDs come from -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chart", "source", "version"),
    [
        ({"source": "charts/router.tgz"}, "/project/charts/router.tgz", None),
        ({"source": "../router"}, "/router", None),
        ({"source": "/charts/router.tgz", "version": "v9"}, "/charts/router.tgz", "v9"),
        ({"source": "oci://mirror.example/standalone"}, "oci://mirror.example/standalone", CHART.version),
        ({"source": "oci://mirror.example/standalone", "version": "v9"}, "oci://mirror.example/standalone", "v9"),
        ({"source": "https://mirror.example/r.tgz"}, "https://mirror.example/r.tgz", CHART.version),
    ],
    ids=lambda value: str(value),
)
def test_where_the_chart_comes_from(chart: dict[str, str], source: str, version: str | None) -> None:
    router = planned(router={"chart": chart}).router
    assert (router.chart, router.version) == (source, version)


def test_a_path_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert planned(router={"chart": {"source": "~/router.tgz"}}).router.chart == str(tmp_path / "router.tgz")


def test_crds_from_a_directory_beside_the_stack_file(tmp_path: Path) -> None:
    write(tmp_path / "crds")
    local = planned(tmp_path, crds={"directory": "crds"})
    assert local.crd_source == Directory(tmp_path / "crds")
    assert [crd["kind"] for crd in local.crds()] == ["CustomResourceDefinition"] * 4


def test_crds_that_are_somebody_elses_are_not_looked_for() -> None:
    foreign = planned(crds={"manage": False, "directory": "nowhere"})
    assert foreign.crd_source is None
    assert foreign.crds() == []


def test_crds_that_are_not_there_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"CRD directory .*/nowhere is not a directory; "):
        planned(tmp_path, crds={"directory": "nowhere"}).crds()


@pytest.mark.parametrize(
    ("serving", "release"),
    [
        ({"fabric": "coreweave"}, "guide-2026-05"),
        ({"fabric": "gke-rdma", "engine": "sglang"}, "guide-2026-05"),
        ({"fabric": "aws"}, "guide-2026-06"),
        ({"accelerator": "amd", "fabric": "oci"}, "guide-2026-05"),
        ({"accelerator": "xpu", "fabric": "rdma"}, "guide-2026-05"),
    ],
)
def test_memory_is_locked_once_whoever_asks_for_it(serving: dict[str, Any], release: str) -> None:
    found = planned(serving={**serving, "ipcLock": True}, release=release)
    for pod in deployments(found).values():
        assert server(pod)["securityContext"]["capabilities"]["add"] == ["IPC_LOCK"]
