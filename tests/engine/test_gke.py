"""A stack on GKE in the pretend cloud: from an empty project to placed pods, changed only as it may be, and back to nothing."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.clouds.gke.versions import OFFERED
from stacks.kube.api import Api
from tests.engine.test_platform import of
from tests.engine.test_rehearse import CHECKOUT, Started, finished, nothing_is_left, on_nodes, root, start
from tests.engine.test_shipped import nothing_to_do, official_provider

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
    """A stack file, with a node to spare for the scheduler."""
    made = {"provider": "gke", "nodes": 3, "gke": {**GKE, **gke}, **(cluster or {})}
    config = {"cluster": made, "serving": serving, "release": release}
    path = directory / f"Pulumi.{name}.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


def taken_down(rehearsal: Path) -> list[str]:
    """Destroys a kept rehearsal's stack, looks that nothing of it is left in the cloud and on the fleet, and that it went in the
    order of the facts; returns that order. Beside it, the pretend cloud lets nothing go that something else refers to."""
    pulumi = of(rehearsal)
    assert "protected" in pulumi("destroy", "--yes", fails=True)
    pulumi("config", "set", "--path", "llmd-pd:cluster.protect", "false")
    pulumi("up", "--yes", "--skip-preview")
    pulumi("destroy", "--yes", "--skip-preview")
    return looked_down(rehearsal)


def looked_down(rehearsal: Path) -> list[str]:
    """That nothing is left of it, and in which order it went."""
    assert json.loads((rehearsal / "cloud.json").read_text()) == {"resources": []}
    assert Api(str(rehearsal / "kubeconfig"), None).items("/api/v1/nodes") == []
    events = [json.loads(line) for line in (rehearsal / "cloud.json.events").read_text().splitlines()]
    gone = [event["name"].removeprefix("pd-disaggregation-") for event in events if event["event"] == "delete"]
    for earlier, later in (("accelerators", "system"), ("system", "cluster"), ("cluster", "nat"), ("nat", "network")):
        assert gone.index(earlier) < gone.index(later)
    return gone


def made_in(text: str) -> int:
    """How many resources the last `up` of a rehearsal's output made."""
    (made,) = [line for line in text.splitlines() if line.strip().startswith("+ ") and line.endswith(" created")]
    return int(made.split()[1])


def test_h200_from_nothing_and_back(start: Started, root: Path, tmp_path: Path) -> None:
    code, text = finished(start("rehearse", on_nodes(3, tmp_path, H200), "--keep"))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 3 × gke-a3-ultragpu-8g-dra and 1 × system" in text
    assert "claims    16 device claims, allocated by the scheduler" in text
    assert "plannedCluster: [secret]" in text, "a preview stays readable"
    assert (
        f"placeholders (Pulumi.gke-h200.yaml leaves them to you; here: project rehearsal, version {OFFERED['REGULAR'][0]}, "
        in text
    )
    assert "could not be asked" not in text, "the pretend cloud answers, and nobody else is asked"
    said = (CHECKOUT / "docs" / "gke.md").read_text()
    assert f"The preview from nothing shows {made_in(text)} resources" in said

    pulumi = of(root / "gke-h200")

    def setting(key: str, value: str) -> None:
        pulumi("config", "set", "--path", f"llmd-pd:cluster.{key}", value)

    nothing_to_do(pulumi)  # what Google fills in is in the state already
    official_provider(root / "gke-h200" / "pulumi")
    other = "projects/rehearsal/reservations/other"
    setting("gke.capacity.reservation", other)
    refused = pulumi("preview", fails=True)
    assert (
        "llmd-pd:cluster.gke.acceleratorPool: node_config.reservation_affinity of Nodes of the model servers" in refused
    )
    assert "`allowReplace: [acceleratorPool]`" in refused
    setting("gke.capacity.reservation", "projects/rehearsal/reservations/rehearsal")
    setting("gke.version", "1.36.0-gke.2459000")
    refused = pulumi("preview", fails=True)
    assert (
        "llmd-pd:cluster.gke.version: GKE does not offer 1.36.0-gke.2459000 in channel REGULAR of us-south1" in refused
    )
    assert f"write {OFFERED['REGULAR'][0]} or " in refused
    setting("gke.version", OFFERED["REGULAR"][0])
    taken_down(root / "gke-h200")
    assert finished(start("down"))[0] == 0


def test_tpus_from_nothing_and_back(start: Started, root: Path) -> None:
    code, text = finished(start("rehearse", CHECKOUT / "Pulumi.gke-tpu.yaml", "--keep"))
    assert code == 0
    assert "3 of 3 pods are placed and Ready on 2 × gke-tpu7x and 1 × system" in text
    assert f"that of `Pulumi.gke-tpu.yaml` {made_in(text)}." in (CHECKOUT / "docs" / "gke.md").read_text()
    nothing_to_do(of(root / "gke-tpu"))
    official_provider(root / "gke-tpu" / "pulumi")
    taken_down(root / "gke-tpu")
    assert finished(start("down"))[0] == 0


def test_multi_networking_from_nothing_and_back(start: Started, root: Path, tmp_path: Path) -> None:
    file = write(tmp_path, "multinet", {"accelerator": "nvidia", "fabric": "gke"}, rdma="multinet")
    code, text = finished(start("rehearse", file, "--keep"))
    assert code == 0
    assert "11 of 11 pods are placed and Ready on 3 × gke-a3-ultragpu-8g-rdma and 1 × system" in text
    gone = taken_down(root / "multinet")
    # All of its networks after the last node that has a NIC in them.
    assert [name for name in gone if name.endswith("-network")] == [
        name for name in gone[gone.index("accelerators") :] if name.endswith("-network")
    ]
    assert {"rdma-network", "gvnic-network"} <= set(gone)
    assert finished(start("down"))[0] == 0


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
    assert f"{pods} of {pods} pods are placed and Ready on 3 × {machine} and 1 × system" in text
    assert f"({made_in(text)} resources)" in (CHECKOUT / "docs" / "gke.md").read_text()
    assert (f"claims    {claims} device claims, allocated by the scheduler" in text) == bool(claims)
    pulumi = of(root / name)
    pulumi("preview", "--expect-no-changes")
    pulumi("destroy", "--yes", "--skip-preview")
    looked_down(root / name)
    assert finished(start("down"))[0] == 0
    nothing_is_left(root)


def test_a_bad_day(start: Started, root: Path) -> None:
    code, text = finished(start("rehearse", H200, "--fault", "zone-mismatch"))
    assert code == 1
    assert (
        'reservation "projects/rehearsal/reservations/rehearsal" not found for node pool "gpu" at zone "us-south1-b"'
        in text
    )
    # The engine may close its monitor while the program still sends a resource: the SDK prints that itself.
    assert "Traceback" not in text or re.search("resource monitor shut down|context canceled", text)
    nothing_is_left(root)
