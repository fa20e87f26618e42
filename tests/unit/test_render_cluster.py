"""The cluster in a render: everything of the plan is in a file as the plan has it, and nothing that is secret."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import yaml

from commands import manifests, render, render_cluster
from commands.cli import run
from commands.render_cluster import CLOUD, POOLS, cluster_files
from stacks.clouds.cloud import EXISTING, ClusterPlan
from stacks.clouds.coreweave.cloud import COREWEAVE
from stacks.clouds.gke.plan import INSTALLER_FILE, NETWORKS_FILE
from stacks.clouds.resource import Ref, Resource, Timeouts
from stacks.file.load import load
from stacks.rules.facts import blueprint
from tests import cks_plans
from tests.gke_plans import CLUSTER, GKE, VARIANTS
from tests.unit import rendering
from tests.unit.rendering import config, objects, rendered, stack_file
from tests.unit.test_rules import spec

VALUES = "nvidia-dra-driver-gpu.values.yaml"
INFERENCE_POOLS = "inferencepools.inference.networking.k8s.io"


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No helm, an empty cache, no network."""

    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network in this test")

    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("releases.files.urlopen", unreachable)


def gke_file(directory: Path, name: str = "dranet", own: Mapping[str, Any] | None = None, **gke: Any) -> Path:
    """The stack file of a variant; `own` is where the driver comes from, a file beside the tests unless told otherwise."""
    serving, stated, more = VARIANTS[name]
    driver = {"gpuDriver": {"installer": str(rendering.INSTALLER)} if own is None else own}
    made = {**GKE, **(driver if serving.get("fabric") == "gke-rdma" else {}), **stated, **gke}
    cluster = {**CLUSTER, "gke": made, **more.get("cluster", {})}
    return stack_file(directory, config(serving, **{**more, "cluster": cluster}))


def as_the_plan_has_it(document: Mapping[str, Any]) -> Resource:
    """A resource read back from its document, with lists in the place of tuples. Raises for a key nobody reads."""
    said = dict(document)
    found = Resource(
        name=said.pop("name"),
        type=said.pop("type"),
        title=said.pop("title"),
        args=read(said.pop("args")),
        after=tuple(said.pop("after", ())),
        protect=said.pop("protect", False),
        ignore_changes=tuple(said.pop("ignoreChanges", ())),
        timeouts=Timeouts(**said.pop("timeouts", {})),
        delete_before_replace=said.pop("deleteBeforeReplace", False),
    )
    assert said == {}
    return found


def read(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: read(part) for key, part in value.items()}
    if isinstance(value, list):
        return [read(part) for part in value]
    reference = re.fullmatch(r"\$\{([^.}]+)\.([^.}]+)\}", value) if isinstance(value, str) else None
    return Ref(*reference.groups()) if reference else value


def lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: lists(part) for key, part in value.items()}
    return [lists(part) for part in value] if isinstance(value, list | tuple) else value


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from keys(part)


def of(file: Path) -> ClusterPlan:
    return blueprint(load(file).spec, file.parent).cluster


# --- nothing is lost -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_every_resource_is_in_the_file_as_the_plan_has_it(name: str, tmp_path: Path) -> None:
    file = gke_file(tmp_path, name)
    found = [as_the_plan_has_it(document) for document in objects(rendered(file, tmp_path / "out")[CLOUD])]
    assert found == [replace(resource, args=lists(resource.args)) for resource in of(file).resources]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_object_and_release_is_in_a_file(name: str, tmp_path: Path) -> None:
    file = gke_file(tmp_path, name)
    texts, plan = rendered(file, tmp_path / "out"), of(file)
    assert objects(texts.get(NETWORKS_FILE, "")) == plan.objects
    assert objects(texts.get(INSTALLER_FILE, "")) == [*plan.files()]
    for release in plan.charts:
        assert objects(texts[f"{release.name}.values.yaml"]) == [release.values]
    expected = {CLOUD, *([NETWORKS_FILE] if plan.waves else []), *([INSTALLER_FILE, VALUES] if plan.charts else [])}
    assert texts.keys() & {*render_cluster.file_names()} == expected
    assert texts.keys() <= {*render.file_names()}


def test_the_ways_to_the_nics_differ_in_their_files(tmp_path: Path) -> None:
    """So that the law above is not one of empty files."""
    found = {}
    for name in ("dranet", "multinet", "tpu7x"):
        texts = rendered(gke_file(tmp_path, name), tmp_path / name)
        found[name] = {file: len(objects(texts[file])) for file in render_cluster.file_names() if file in texts}
    assert found == {
        "dranet": {CLOUD: 22, INSTALLER_FILE: 1, VALUES: 1},
        "multinet": {CLOUD: 32, NETWORKS_FILE: 18},
        "tpu7x": {CLOUD: 20},
    }


def test_parameters_come_before_the_networks_that_refer_to_them(tmp_path: Path) -> None:
    kinds = [obj["kind"] for obj in objects(rendered(gke_file(tmp_path, "multinet"), tmp_path / "out")[NETWORKS_FILE])]
    assert kinds == ["GKENetworkParamSet"] * 9 + ["Network"] * 9


def test_node_pools_of_either_kind_of_stack() -> None:
    stated = spec({"accelerator": "nvidia", "fabric": "coreweave"}, cluster={"provider": "coreweave", "nodes": 2})
    plan = blueprint(stated).cluster
    files = cluster_files(COREWEAVE, plan, ())
    assert [*files] == [POOLS]
    assert objects(files[POOLS].text) == [pool.manifest() for pool in plan.pools]
    assert files[POOLS].holds == "2 objects"


def test_an_existing_cluster_has_no_files() -> None:
    plan = blueprint(spec({"accelerator": "nvidia"})).cluster
    assert cluster_files(EXISTING, plan, [*plan.files()]) == {}


# --- for a reviewer ------------------------------------------------------------------------------------------------------


def test_a_resource_reads_from_what_it_is_to_how_it_is_kept(tmp_path: Path) -> None:
    text = rendered(gke_file(tmp_path), tmp_path / "out")[CLOUD]
    (subnet,) = [part for part in text.split("---\n") if part.startswith("name: pd-disaggregation-nodes\n")]
    first, last = subnet.splitlines()[:3], subnet.splitlines()[-4:]
    assert first == [
        "name: pd-disaggregation-nodes",
        "type: compute.Subnetwork",
        "title: Nodes, with the pods' and the services' addresses",
    ]
    assert "\n  network: ${pd-disaggregation-network.id}\n" in subnet
    assert last == ["- description", "protect: true", "timeouts:", "  delete: 20m"]


def test_one_change_of_the_stack_file_is_one_change_of_a_file(tmp_path: Path) -> None:
    before = rendered(gke_file(tmp_path), tmp_path / "out")
    assert rendered(gke_file(tmp_path), tmp_path / "out") == before
    after = rendered(gke_file(tmp_path, acceleratorPool={"bootDiskGb": 500}), tmp_path / "out")
    assert after == {**before, CLOUD: before[CLOUD].replace("      size_gb: 200\n", "      size_gb: 500\n")}
    assert after != before


def test_values_say_how_they_are_installed(tmp_path: Path) -> None:
    assert rendered(gke_file(tmp_path), tmp_path / "out")[VALUES].splitlines()[2] == (
        "# helm upgrade --install nvidia-dra-driver-gpu nvidia-dra-driver-gpu --repo https://helm.ngc.nvidia.com/nvidia "
        "--version 25.8.0 --create-namespace --namespace nvidia-dra-driver-gpu --values nvidia-dra-driver-gpu.values.yaml"
    )


def test_it_lists_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rendered(gke_file(tmp_path), tmp_path / "out")
    assert capsys.readouterr().out.splitlines()[:4] == [
        f"{tmp_path}/out/{CLOUD}: 22 resources",
        f"{tmp_path}/out/{INSTALLER_FILE}: 1 object",
        f"{tmp_path}/out/{VALUES}: values of the Helm release nvidia-dra-driver-gpu",
        f"{tmp_path}/out/crds.yaml: 3 objects",
    ]


def test_files_of_a_cluster_go_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rendered(gke_file(tmp_path), tmp_path / "out")
    capsys.readouterr()
    texts = rendered(stack_file(tmp_path, config({"accelerator": "nvidia"})), tmp_path / "out")
    assert texts.keys() & {*render_cluster.file_names()} == set()
    assert [line.split(": ")[1].partition(",")[0] for line in capsys.readouterr().out.splitlines()[:3]] == [
        "removed"
    ] * 3


@pytest.mark.parametrize(("version", "left"), [("1.34.1-gke.1829001", 3), ("1.33.0-gke.1712000", 4)])
def test_a_crd_that_gke_brings_is_not_applied(version: str, left: int, tmp_path: Path) -> None:
    file = gke_file(tmp_path, "none", version=version)
    names = [obj["metadata"]["name"] for obj in objects(rendered(file, tmp_path / "out")["crds.yaml"])]
    assert len(names) == left
    assert (INFERENCE_POOLS in names) == (left == 4)


# --- what cannot be had --------------------------------------------------------------------------------------------------


def test_an_installer_that_cannot_be_had_stops_it_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = gke_file(tmp_path, own={})
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "file nvidia-driver-installer.yaml cannot be used" in err
    assert "no network in this test" in err
    assert (
        "name it: `llmd-pd:cluster: {gke: {gpuDriver: {installer: …}}}`; or leave it out with --skip-driver-installer\n"
        in err
    )
    assert not (tmp_path / "out").exists()

    texts = rendered(file, tmp_path / "out", "--skip-driver-installer")
    assert INSTALLER_FILE not in texts
    assert {CLOUD, VALUES} <= texts.keys()
    assert f"{tmp_path}/out/{INSTALLER_FILE}: left out, because of --skip-driver-installer" in capsys.readouterr().out


def test_where_there_is_no_installer_nothing_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rendered(gke_file(tmp_path, "tpu7x"), tmp_path / "out", "--skip-driver-installer")
    assert "--skip-driver-installer" not in capsys.readouterr().out


def test_an_installer_of_ones_own_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", str(gke_file(tmp_path, own={"installer": "none.yaml"})), "-o", str(tmp_path / "out")]) == 1
    assert "gpuDriver.installer: `none.yaml` does not exist" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- nothing is secret ---------------------------------------------------------------------------------------------------


def test_no_file_holds_a_credential(tmp_path: Path) -> None:
    settings = yaml.safe_load(gke_file(tmp_path).read_text())["config"]
    settings["llmd-pd:serving"]["hfToken"] = {"secure": "v1:0123456789abcdef"}
    texts = rendered(stack_file(tmp_path, settings), tmp_path / "out")
    assert not any("0123456789abcdef" in text for text in texts.values())
    named = {key for document in objects(texts[CLOUD]) for key in keys(document["args"])}
    assert "service_account" in named
    assert {
        key for key in named if re.search("secret|token|password|credential|private_?key|kubeconfig", key.lower())
    } == set()


def test_keys_of_kubernetes_objects_keep_their_order() -> None:
    """A type is no name: only in a cloud's resource is it read first."""
    assert manifests.document({"type": "Device", "parametersRef": {}}).startswith("parametersRef")
    assert manifests.document({"b": 1, "type": "x"}, ("type",)).startswith("type")


def test_a_cks_cluster_of_the_stacks_own_is_described() -> None:
    found = cluster_files(COREWEAVE, cks_plans.planned(cks_plans.stack()), ())
    assert [*found] == [CLOUD, POOLS]
    assert found[CLOUD].holds == "2 resources"
    assert "Resources of CoreWeave in the order in which they are made" in found[CLOUD].text
    assert "(pulumi-coreweave)" in found[CLOUD].text
    vpc, cluster = yaml.safe_load_all(found[CLOUD].text)
    assert (vpc["type"], cluster["type"], cluster["protect"]) == ("NetworkingVpc", "CksCluster", True)
    assert cluster["args"]["vpc_id"] == "${pd-disaggregation-vpc.id}"
