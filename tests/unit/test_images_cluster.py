"""`images` of a stack that makes a GKE cluster: what the cluster is given is pulled too, and what nodes have is not."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands import registry
from commands.cli import run
from commands.registry import Answer
from hardware.render.pod_images import pod_images, value_images
from releases.files import user_cache
from releases.gke import DRA_DRIVER_IMAGE, DRA_DRIVER_VERSION, DRIVER_INSTALLER
from releases.values import image_values
from stacks import images as pulls
from stacks.clouds.cloud import ClusterPlan, Use
from stacks.clouds.gke.addons import manifests
from tests.gke_plans import CLUSTER, DRANET, GKE, VARIANTS, planned, variant
from tests.unit.test_images import CHART, EPP, REGISTRY, SERVER, SIDECAR

PARTITION = (
    "gcr.io/gke-release/nvidia-partition-gpu@sha256:c54fd003948fac687c2a93a55ea6e4d47ffbd641278a9191e75e822fe72471c2"
)
PAUSE, PRELOADED = "gcr.io/google-containers/pause:2.0", "cos-nvidia-installer:fixed"
DRIVER = "nvcr.io/nvidia/k8s-dra-driver-gpu:v25.8.0"
DRIVER_CHART = "https://helm.ngc.nvidia.com/nvidia/nvidia-dra-driver-gpu"
INSTALLER = "DaemonSet nvidia-driver-installer"
DAEMON_SET = {"apiVersion": "apps/v1", "kind": "DaemonSet"}
NOTE = f"Note: {PRELOADED} of {INSTALLER}/nvidia-driver-installer is not listed, because it is on the node and never pulled.\n"


@pytest.fixture(autouse=True)
def _nothing_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No helm, an empty cache, and no registry that anybody could ask."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("LLMD_PD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(registry, "digest", lambda _: Answer(None, "unreachable"))


def stack(
    directory: Path,
    driver: dict[str, Any] | None = None,
    serving: dict[str, Any] = DRANET,
    *,
    rdma: str | None = None,
    **sections: Any,
) -> str:
    path = directory / "Pulumi.test.yaml"
    stated = {**GKE, **({"gpuDriver": driver} if driver else {}), **({"rdma": rdma} if rdma else {})}
    given = {"cluster": {**CLUSTER, "gke": stated}, "serving": serving, **sections}
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in given.items()}}))
    return str(path)


def document(capsys: pytest.CaptureFixture[str], file: str) -> tuple[dict[str, Any], str]:
    assert run(["images", file, "--output", "json"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def used_by(found: dict[str, Any]) -> dict[str, list[str]]:
    return {row["image"]: row["used_by"] for row in found["images"]}


def test_the_driver_and_what_hands_out_gpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, err = document(capsys, stack(tmp_path))
    assert {SERVER, SIDECAR, EPP} <= used_by(found).keys()
    assert list(used_by(found).items())[-3:] == [
        (PARTITION, [f"{INSTALLER}/partition-gpus"]),
        (PAUSE, [f"{INSTALLER}/pause"]),
        (DRIVER, ["nvidia-dra-driver-gpu"]),
    ]
    assert [(row["chart"], row["version"], row["used_by"], row["why"]) for row in found["charts"]] == [
        (CHART, "v1.5.0", ["router"], "unreachable"),
        (DRIVER_CHART, "25.8.0", ["nvidia-dra-driver-gpu"], "no registry"),
    ]
    assert err.endswith(NOTE)


@pytest.mark.parametrize("rdma", ["multinet", "none"])
def test_with_the_driver_of_gke_itself_there_is_nothing_more(
    rdma: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, err = document(capsys, stack(tmp_path, serving={"accelerator": "nvidia", "fabric": "gke"}, rdma=rdma))
    assert used_by(found).keys() & {PARTITION, PAUSE, DRIVER, PRELOADED} == set()
    assert [row["chart"] for row in found["charts"]] == [CHART]
    assert "never pulled" not in err


def test_what_nodes_have_is_not_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path), "--output", "crane", "--to", REGISTRY]) == 0
    out, err = capsys.readouterr()
    *commands, then = out.splitlines()
    assert commands[-7:] == [
        f"crane copy {PARTITION} {REGISTRY}/{PARTITION.removeprefix('gcr.io/')}",
        f"crane copy {PAUSE} {REGISTRY}/google-containers/pause:2.0",
        f"crane copy {DRIVER} {REGISTRY}/nvidia/k8s-dra-driver-gpu:v25.8.0",
        f"helm pull {CHART} --version v1.5.0",
        f"helm push standalone-v1.5.0.tgz oci://{REGISTRY}/charts",
        "helm pull nvidia-dra-driver-gpu --repo https://helm.ngc.nvidia.com/nvidia --version 25.8.0",
        f"helm push nvidia-dra-driver-gpu-25.8.0.tgz oci://{REGISTRY}/charts",
    ]
    assert then.startswith("# then, in the stack file")
    assert PRELOADED not in out
    assert err.endswith(NOTE)


def test_an_image_that_anybody_pulls_is_listed() -> None:
    there = [pulls.Image("a/b:v1", ("x", "y"), f"{REGISTRY}/a/b:v1")]
    uses = [Use("a/b:v1", "x", pulled=False), Use("docker.io/a/b:v1", "y")]
    assert pulls.listed(uses, REGISTRY) == pulls.listed([*uses, uses[0]], REGISTRY) == there
    assert pulls.listed(uses[:1], REGISTRY) == [pulls.Image("a/b:v1", ("x",), None, pulled=False)]


# --- one's own -----------------------------------------------------------------------------------------------------------


def test_an_installer_of_ones_own_says_what_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pods = {
        "initContainers": [{"name": "install", "image": "a/driver:v1"}],
        "containers": [
            {"name": "idle", "image": "a/idle:v1"},
            {"name": "there", "image": "a/there:v1", "imagePullPolicy": "Never"},
        ],
    }
    own = {**DAEMON_SET, "metadata": {"name": "mine"}, "spec": {"template": {"spec": pods}}}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own))
    found, err = document(capsys, stack(tmp_path, {"installer": "own.yaml"}))
    theirs = {image: users for image, users in used_by(found).items() if image.startswith("a/")}
    assert theirs == {"a/idle:v1": ["DaemonSet mine/idle"], "a/driver:v1": ["DaemonSet mine/install"]}
    assert used_by(found).keys() & {PARTITION, PAUSE} == set()
    assert "a/there:v1 of DaemonSet mine/there is not listed" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {b", "cannot be read (while parsing a flow mapping"),
        ("", "does not hold Kubernetes objects"),
        ("text", "does not hold Kubernetes objects"),
        ("kind: DaemonSet", "does not hold Kubernetes objects"),
        ("{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: 1}}", "does not hold Kubernetes objects"),
        ("{apiVersion: apps/v1, kind: A, metadata: {name: a}}\n---\n[]\n---\n- x", "does not hold Kubernetes objects"),
    ],
)
def test_an_installer_of_ones_own_that_is_none(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yaml").write_text(text)
    assert run(["images", stack(tmp_path, {"installer": "own.yaml"})]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    *notes, error = err.splitlines()
    assert all(note.startswith("Note: ") for note in notes)
    assert error.startswith(f"Error: file {tmp_path}/own.yaml {words}")
    assert error.endswith("; check `llmd-pd:cluster.gke.gpuDriver`")


def test_an_installer_of_ones_own_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["images", stack(tmp_path, {"installer": "none.yaml"})]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "llmd-pd:cluster.gke.gpuDriver.installer: `none.yaml` does not exist" in err


def test_a_chart_of_ones_own_says_what_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pods = {"containers": [{"name": "plugin", "image": "a/b:v1"}]}
    (tmp_path / "made.yaml").write_text(
        yaml.safe_dump({**DAEMON_SET, "metadata": {"name": "dra"}, "spec": {"template": {"spec": pods}}})
    )
    for name in ("dra", "router", "nothing"):
        (tmp_path / name).mkdir()
    helm = tmp_path / "nothing" / "helm"
    helm.write_text(
        f'#!/bin/sh\ncase "$2 $3" in "nvidia-dra-driver-gpu {tmp_path}/dra") exec /bin/cat {tmp_path}/made.yaml; esac\n'
    )
    helm.chmod(0o755)
    file = stack(tmp_path, {"chart": {"source": "./dra"}}, router={"chart": {"source": "./router"}})
    found, err = document(capsys, file)
    assert used_by(found)["a/b:v1"] == ["nvidia-dra-driver-gpu/plugin"]
    assert DRIVER not in used_by(found)
    assert err == NOTE


def test_a_chart_of_ones_own_that_does_not_render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("dra", "router", "nothing"):
        (tmp_path / name).mkdir()
    helm = tmp_path / "nothing" / "helm"
    helm.write_text('#!/bin/sh\ntest "$2" = nvidia-dra-driver-gpu || exit 0\necho no such key >&2\nexit 1\n')
    helm.chmod(0o755)
    file = stack(tmp_path, {"chart": {"source": "./dra"}}, router={"chart": {"source": "./router"}})
    assert run(["images", file]) == 1
    assert capsys.readouterr() == (
        "",
        f"Error: chart {tmp_path}/dra does not render, because helm says: no such key; "
        "check `llmd-pd:cluster.gke.gpuDriver.chart`.\n",
    )


def test_a_chart_of_ones_own_that_is_not_at_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, err = document(capsys, stack(tmp_path, {"chart": {"source": f"oci://{REGISTRY}/dra", "version": "v1"}}))
    assert DRIVER not in used_by(found)
    assert found["charts"][-1]["chart"] == f"oci://{REGISTRY}/dra"
    why = "only its chart names them, and helm is not on PATH (`llmd-pd setup` gets one)"
    assert f"Note: the images of nvidia-dra-driver-gpu are not listed, because {why}.\n" in err


# --- a platform stack ----------------------------------------------------------------------------------------------------


def platform(directory: Path, cluster: dict[str, Any], **sections: Any) -> str:
    path = directory / "Pulumi.platform.yaml"
    given = {"cluster": cluster, **sections}
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in given.items()}}))
    return str(path)


def test_a_platform_pulls_what_its_cluster_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror = {"registry": REGISTRY, "charts": f"oci://{REGISTRY}/charts"}
    file = platform(tmp_path, {**CLUSTER, "machine": "gke-a3-ultragpu-8g-dra", "gke": GKE}, mirror=mirror)
    found, err = document(capsys, file)
    assert [row["image"] for row in found["images"]] == [PARTITION, PAUSE, DRIVER]
    assert [(row["chart"], row["mirrored"]) for row in found["charts"]] == [
        (DRIVER_CHART, f"oci://{REGISTRY}/charts/nvidia-dra-driver-gpu")
    ]
    assert err == NOTE
    assert run(["images", file, "--output", "skopeo"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("output", ["table", "json", "crane"])
@pytest.mark.parametrize("provider", ["gke", "coreweave"])
def test_a_platform_that_pulls_nothing_says_so(
    provider: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clusters: dict[str, Any] = {
        "gke": {**CLUSTER, "machine": "gke-tpu7x", "gke": GKE},
        "coreweave": {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2},
    }
    assert run(["images", platform(tmp_path, clusters[provider]), "--output", output, "--to", REGISTRY]) == 0
    out, err = capsys.readouterr()
    assert out == ("" if output != "json" else '{\n  "images": [],\n  "charts": []\n}\n')
    assert err == "Note: nothing is pulled, because a platform stack serves nothing.\n"


# --- what is known without asking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_every_file_and_chart_of_a_plan_has_its_images(name: str) -> None:
    plan = planned(variant(name))
    users = {use.user for use in pulls.cluster_uses(plan, {})}
    assert {release.name for release in plan.charts} <= users
    assert bool(manifests(plan.settings)) == any(user.startswith(INSTALLER) for user in users)
    assert plan.own_charts == ()


def test_an_existing_cluster_is_given_nothing() -> None:
    plan = ClusterPlan()
    assert [*pulls.cluster_uses(plan, {})] == [*plan.own_charts] == []


def test_the_image_of_the_chart_is_of_its_version_and_its_values_spell_it() -> None:
    assert DRA_DRIVER_IMAGE.image.endswith(f":v{DRA_DRIVER_VERSION}")
    spelled = image_values(DRA_DRIVER_IMAGE, DRA_DRIVER_IMAGE.image)
    assert [image for _, image in value_images(spelled)] == [DRA_DRIVER_IMAGE.image]


def test_the_images_of_the_installer_are_those_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared where the file has been had: it is Google's, and not in the repository."""
    monkeypatch.delenv("LLMD_PD_CACHE")
    file = user_cache() / f"{DRIVER_INSTALLER.sha256}.yaml"
    if not file.exists():
        pytest.skip("the driver's installer is not in the cache; `llmd-pd render` of a stack on GKE fetches it")
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == DRIVER_INSTALLER.sha256
    (daemon_set,) = [found for found in yaml.safe_load_all(content) if found]
    user = f"{daemon_set['kind']} {daemon_set['metadata']['name']}"
    found = {(row.image, f"{user}/{row.name}", row.pulled) for row in pod_images(daemon_set)}
    assert found == {(row.image, row.used_by, row.pulled) for row in DRIVER_INSTALLER.images}
