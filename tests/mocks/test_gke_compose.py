"""A whole stack on a GKE cluster of its own: the cloud first, then what its cluster is given, then what serves."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from releases import files
from stacks.blueprint import ServingBlueprint
from stacks.compose import compose
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint
from tests.blueprints import whole
from tests.crd_files import write
from tests.gke_plans import variant
from tests.mocks.recording import OWNER, Recording, record
from tests.mocks.test_gke import COMPUTED, ENDPOINT
from tests.shipped import filled

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")
INSTALLER = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "nvidia-driver-installer", "namespace": "kube-system"},
    "spec": {},
}


@pytest.fixture
def composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(files, "manifest_objects", lambda *_: [INSTALLER])

    def made(name: str) -> tuple[ServingBlueprint, Recording]:
        spec = load(filled(tmp_path, name)).spec if name.endswith(".yaml") else variant(name)
        crds = spec.crds.model_copy(update={"directory": str(write(tmp_path / "crds"))})
        planned = serving_blueprint(spec.model_copy(update={"crds": crds}), tmp_path)
        addresses = ["203.0.113.1"] if planned.gateway else None
        return planned, record(lambda: compose(whole(planned, tmp_path), OWNER), computed=COMPUTED, addresses=addresses)

    return made


def test_the_way_to_the_cluster_is_known_once_it_is_made(composed: Any) -> None:
    _, recording = composed("dranet")
    for provider in recording.of("pulumi:providers:kubernetes"):
        assert json.loads(provider.inputs["kubeconfig"])["clusters"][0]["cluster"] == {"server": f"https://{ENDPOINT}"}
        assert provider.inputs.get("context") is None


@pytest.mark.parametrize(
    "name",
    ["Pulumi.gke-h200.yaml", "Pulumi.gke-tpu.yaml", "dranet", "multinet", "a4 dranet", "tpu7x", "tpu-v6e", "gateway"],
)
def test_nodes_and_what_they_need_are_there_before_what_runs_on_them(name: str, composed: Any) -> None:
    planned, recording = composed(name)
    pools = {resource.name for resource in whole(planned).cluster.of("container.NodePool")}
    addons = {registered.name for registered in recording.under("ClusterAddons")}
    assert bool(addons) == ("tpu" not in name)
    for deployment in recording.of(":Deployment"):
        assert pools | addons <= deployment.after
    (guard,) = [r.name for r in recording.of(":Guard") if r.name == "cluster-guard"]
    for inside in [r for r in recording.resources if r.type.startswith("kubernetes:") and r.name not in addons]:
        assert inside.retained or inside.read or guard in recording.before(inside), (
            f"{inside.name} would go after the look at what is left"
        )
    router = next(r for r in recording.of(":Release") if r.inputs["name"] == planned.router.name)
    (system,) = [pool for pool in pools if pool.endswith("-system")]
    assert system in router.after
    assert not (pools - {system}) & recording.before(router), "the router need not wait for the accelerators"


def test_the_drivers_come_before_who_hands_gpus_out(composed: Any) -> None:
    _, recording = composed("dranet")
    (installer,) = recording.of(":DaemonSet")
    driver = next(r for r in recording.of(":Release") if r.inputs["name"] == "nvidia-dra-driver-gpu")
    assert installer.name in driver.after


def test_the_crd_that_gke_brings_is_left_to_it(composed: Any) -> None:
    planned, recording = composed("dranet")
    brought = whole(planned).cluster.brought_crds
    assert brought == {"inferencepools.inference.networking.k8s.io"}
    record_ = {r.inputs["metadata"]["name"] for r in recording.under("Crds")}
    assert len(record_) == 4, "compose is told by the look ahead what to leave out"


def test_everything_of_the_stack_file_is_the_stacks_and_nothing_is_taken_over(composed: Any) -> None:
    planned, recording = composed("Pulumi.gke-h200.yaml")
    cloud = {registered.name for registered in recording.resources if registered.type.startswith("gcp:")}
    assert cloud == {resource.name for resource in whole(planned).cluster.resources}
    served = [r.inputs["metadata"]["name"] for r in recording.of(":Deployment")]
    assert sorted(served) == sorted(
        obj["metadata"]["name"] for obj in planned.model_server if obj["kind"] == "Deployment"
    )
    assert not [registered.name for registered in recording.resources if registered.imported]


@pytest.mark.parametrize("name", ["Pulumi.gke-h200.yaml", "dranet", "multinet", "tpu7x", "gateway"])
def test_what_is_in_the_cluster_goes_before_its_nodes(name: str, composed: Any) -> None:
    """All of it but what stays: its deletion may need a node, and what waits for load balancers needs the network too."""
    planned, recording = composed(name)
    pools = {resource.name for resource in whole(planned).cluster.of("container.NodePool")}
    (system,) = [pool for pool in pools if pool.endswith("-system")]
    within = [r for r in recording.resources if r.type.startswith("kubernetes:") and not r.read]
    early = {r.name for r in within if not r.retained and system not in recording.before(r)}
    assert {r.type.split(":")[-1] for r in within if r.retained} == {"CustomResourceDefinition"}
    assert early == set()
