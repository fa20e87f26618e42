"""A stack on GKE in the pretend cloud: from an empty project to placed pods, changed only as it may be, and back to nothing."""

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.kube_api import Api
from tests.engine.test_rehearse import CHECKOUT, Started, finished, nothing_is_left, root, start

__all__ = ["root", "start"]
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed: make gke"
)

H200 = CHECKOUT / "Pulumi.gke-h200.yaml"
GKE: dict[str, Any] = {
    "project": "acme-serving", "region": "us-central1", "zone": "us-central1-c", "version": "1.36.0-gke.2459000",
    "capacity": {"reservation": "projects/acme-serving/reservations/r"},
}  # fmt: skip


def write(
    directory: Path,
    name: str,
    serving: dict[str, Any],
    cluster: dict[str, Any] | None = None,
    release: str = "guide-2026-05",
    **gke: Any,
) -> Path:
    made = {"provider": "gke", "nodes": 2, "gke": {**GKE, **gke}, **(cluster or {})}
    config = {"cluster": made, "serving": serving, "release": release}
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


def pulumi(rehearsal: Path, *arguments: str, fails: bool = False) -> str:
    """Pulumi in a rehearsal that was kept, as its `env` has it."""
    command = '. "$0" && exec pulumi -C "$LLMD_PD_PROJECT" --non-interactive "$@"'
    done = subprocess.run(
        ["sh", "-c", command, str(rehearsal / "env"), *arguments],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout


def nothing_is_in_the_cloud(rehearsal: Path) -> None:
    assert json.loads((rehearsal / "cloud.json").read_text()) == {"resources": []}
    assert Api(str(rehearsal / "kubeconfig"), None).items("/api/v1/nodes") == []


def test_h200_from_nothing_and_back(start: Started, root: Path) -> None:
    code, text = finished(start("rehearse", H200, "--keep"))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 2 × gke-a3-ultragpu-8g-dra and 1 × system" in text
    assert "claims    16 device claims, allocated by the scheduler" in text
    assert "plannedCluster: [secret]" in text, "a preview stays readable"
    (made,) = [line for line in text.splitlines() if line.strip().startswith("+ ") and line.endswith(" created")]
    said = (CHECKOUT / "docs" / "gke.md").read_text()
    assert f"The preview from nothing shows {made.split()[1]} resources" in said

    rehearsal = root / "gke-h200"

    def setting(key: str, value: str) -> None:
        pulumi(rehearsal, "config", "set", "--path", f"llmd-pd:cluster.{key}", value)

    pulumi(rehearsal, "preview", "--expect-no-changes")
    other = "projects/my-project/reservations/other"
    setting("gke.capacity.reservation", other)
    refused = pulumi(rehearsal, "preview", fails=True)
    assert (
        "llmd-pd:cluster.gke.acceleratorPool: node_config.reservation_affinity of Nodes of the model servers" in refused
    )
    assert "`allowReplace: [acceleratorPool]`" in refused
    setting("gke.capacity.reservation", "projects/my-project/reservations/h200")
    assert "protected" in pulumi(rehearsal, "destroy", "--yes", fails=True)
    setting("protect", "false")
    pulumi(rehearsal, "up", "--yes", "--skip-preview")
    pulumi(rehearsal, "destroy", "--yes", "--skip-preview")
    nothing_is_in_the_cloud(rehearsal)
    # In the pretend cloud nothing goes that something refers to, so that the order is right; and it is the facts'.
    events = [json.loads(line) for line in (rehearsal / "cloud.json.events").read_text().splitlines()]
    gone = [event["name"].removeprefix("pd-disaggregation-") for event in events if event["event"] == "delete"]
    for earlier, later in (("accelerators", "system"), ("system", "cluster"), ("cluster", "nat"), ("nat", "network")):
        assert gone.index(earlier) < gone.index(later)
    assert finished(start("down"))[0] == 0


@pytest.mark.parametrize(
    ("name", "serving", "gke", "verdict"),
    [
        ("multinet", {"accelerator": "nvidia", "fabric": "gke"}, {"rdma": "multinet"}, "2 × gke-a3-ultragpu-8g-rdma"),
        ("tpu", {"accelerator": "tpu"}, {}, "2 × gke-tpu7x"),
    ],
)
def test_the_other_ways(
    name: str, serving: dict[str, Any], gke: dict[str, Any], verdict: str, start: Started, root: Path, tmp_path: Path
) -> None:
    code, text = finished(start("rehearse", write(tmp_path, name, serving, **gke)))
    assert code == 0
    assert f"pods are placed and Ready on {verdict} and 1 × system" in text
    nothing_is_left(root)


@pytest.mark.parametrize(
    ("name", "serving", "machine", "release", "pods", "claims"),
    [
        ("b200", {"accelerator": "nvidia", "fabric": "gke-rdma"}, "gke-a4-highgpu-8g-dra", "guide-2026-05", 11, 16),
        ("v6e", {"accelerator": "tpu-v6e"}, "gke-ct6e", "guide-2026-06", 3, 0),
    ],
)
def test_machines_without_a_stack_file_of_their_own(
    name: str, serving: dict[str, Any], machine: str, release: str, pods: int, claims: int,
    start: Started, root: Path, tmp_path: Path,
) -> None:  # fmt: skip
    file = write(tmp_path, name, serving, {"machine": machine, "protect": False}, release)
    code, text = finished(start("rehearse", file, "--keep"))
    assert code == 0
    assert f"{pods} of {pods} pods are placed and Ready on 2 × {machine} and 1 × system" in text
    (made,) = [line for line in text.splitlines() if line.strip().startswith("+ ") and line.endswith(" created")]
    assert f"({made.split()[1]} resources)" in (CHECKOUT / "docs" / "gke.md").read_text()
    assert (f"claims    {claims} device claims, allocated by the scheduler" in text) == bool(claims)
    pulumi(root / name, "preview", "--expect-no-changes")
    pulumi(root / name, "destroy", "--yes", "--skip-preview")
    nothing_is_in_the_cloud(root / name)
    assert finished(start("down"))[0] == 0
    nothing_is_left(root)


def test_a_bad_day(start: Started, root: Path) -> None:
    code, text = finished(start("rehearse", H200, "--fault", "zone-mismatch"))
    assert code == 1
    assert (
        'reservation "projects/my-project/reservations/h200" not found for node pool "gpu" at zone "us-south1-b"'
        in text
    )
    assert "Traceback" not in text
    nothing_is_left(root)
