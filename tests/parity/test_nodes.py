"""Every machine renders as its reference file: nodes that a real Kubernetes 1.36 scheduler placed the guide's overlays on.

The reference files are not in the repository. A digest of each, with the node's name replaced by ours, is; and where the
files are at hand (`../shared/fleet` beside the repository, or LLMD_FLEET) the difference is shown field by field. With
upstream's overlays also at hand, the number of nodes is checked against what that scheduler needed.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardware.fit.fit import PodDoesNotFitError, nodes_needed
from hardware.fit.requests import pod_requests
from hardware.machines import DEVICE_CLASSES, MACHINES, machine
from rehearsal.fleet.nodes import device_class_objects, node_name, node_objects
from tests.parity.reference import differences, digest, load

_BESIDE = Path(__file__).parents[2].parent / "shared"
FLEET = Path(os.environ.get("LLMD_FLEET", _BESIDE / "fleet"))
UPSTREAM = Path(os.environ.get("LLMD_UPSTREAM", _BESIDE / "upstream"))
JUNE = UPSTREAM.with_name("upstream-2026-06")

#: sha256 over the canonical JSON of [Node, ResourceSlice…] named sim-<key>-0. Of those without a
#: reference the digest is ours.
DIGESTS = {
    "nvidia-generic": "36980339e9083f860b57529c617c20abeaadee30d1d09f086b77fb4abbd5b9b0",
    "coreweave-h200": "01695ae66415a40ec138c528808d9ba501d33b0c9f93952dc1684508b2105102",
    "gke-a3-ultragpu-8g-rdma": "433e5d8ed3e97d29ad211c29439ca8a98281b9608017692c274dcf3a0bdaa6db",
    "gke-a3-ultragpu-8g-dra": "4c4bd25f8f33486183a07f01981879c8ca6fbc6bc48d532ccaf8ff44fb402b7c",
    "gke-a4-highgpu-8g-rdma": "4eaeb9c22faaef0b97dd237b2145a0630539f4bf48f43813729f039704b012e3",
    "gke-a4-highgpu-8g-dra": "55843b32222df0c07ff34a4ba3013d28a87fd6d5b1e19d372098f03afb7efa98",
    "aws-p5en": "653a2d1c8c629f5c22a4fd3b1c68f49e7e85239f9fe7793750f6a27477c32593",
    "gke-tpu7x": "efa5dbcb467c08a2d12f6566693de0184c962e621ace03cb1aff36f72c6b522f",
    "gke-ct6e": "481a2f790a131e5041021f66b3509d9d121b5c3331bf697637384ad0a4e30d65",
    "amd-mi300x": "0bf428a0eaaa97e4b4b392734ed10bddb4948f9cabd4c66e6a9783e665259616",
    "amd-mi300x-oci": "0bf5eed6b03cd173f3878e568d1554e895ecccbf5e076558ce67b6247b2ad4b3",
    "intel-xpu-dra": "73eb99536c69c4363b3761ebaec229887cfba6080153a59007ed112b88bf5e4c",
    "intel-xpu-rdma-dra": "799b973dc30157d6ddc4b1011cc84bb7b21c014521a424ce5f525fcec8d62ca6",
    "gaudi-dra": "324fdaaa89217c03b14754e1e37867c968109c1fc2d24107d7afdc09969db801",
    "system": "e6a2fd04fe7415c30fcfaf0c087c7168d4d806bfe3cb6a7dc649da7f0fb822e0",
}
#: Without a reference file. Of A4 the differences from A3 Ultra, which has one, are tested instead.
OURS = {"system", "gke-a4-highgpu-8g-rdma", "gke-a4-highgpu-8g-dra"}
DEVICE_CLASSES_DIGEST = "3735c9be6e503ef288b903b86652d8b0586a5de89a8d05c5277383a082378c7c"


def rendered(key: str) -> list[dict[str, Any]]:
    return node_objects(machine(key), node_name(machine(key), 0))


def reference(key: str) -> list[dict[str, Any]]:
    """The reference file's objects, its node name replaced by ours. Skips the test where there is no such directory."""
    if not FLEET.is_dir():
        pytest.skip(f"no reference fleet at {FLEET}; set LLMD_FLEET")
    text = (FLEET / f"{key}.yaml").read_text()
    theirs = next(yaml.safe_load_all(text))["metadata"]["name"]
    return list(yaml.safe_load_all(text.replace(theirs, f"sim-{key}-0")))


@pytest.mark.parametrize("key", MACHINES)
def test_digest(key: str) -> None:
    assert digest(rendered(key)) == DIGESTS[key]


def test_digest_of_device_classes() -> None:
    assert digest(device_class_objects(DEVICE_CLASSES)) == DEVICE_CLASSES_DIGEST


#: Where a reference file assumed something that is known by now.
KNOWN_BETTER = {
    "coreweave-h200": [f"[0].status.{part}.rdma/ib: ours '64', upstream '1k'" for part in ("allocatable", "capacity")],
}


@pytest.mark.parametrize("key", [key for key in MACHINES if key not in OURS])
def test_equals_the_reference(key: str) -> None:
    assert sorted(differences(rendered(key), reference(key))) == KNOWN_BETTER.get(key, [])


def test_device_classes_equal_the_reference() -> None:
    if not FLEET.is_dir():
        pytest.skip(f"no reference fleet at {FLEET}; set LLMD_FLEET")
    theirs = list(yaml.safe_load_all((FLEET / "deviceclasses.yaml").read_text()))
    assert list(differences(device_class_objects(DEVICE_CLASSES), theirs)) == []


def test_every_reference_file_has_a_machine() -> None:
    if not FLEET.is_dir():
        pytest.skip(f"no reference fleet at {FLEET}; set LLMD_FLEET")
    assert {path.stem for path in FLEET.glob("*.yaml")} - {"deviceclasses"} == set(MACHINES) - OURS


#: Differences between an A4 and an A3 Ultra as Kubernetes shows them: field, A4's value, A3 Ultra's.
A4S_OWN = [
    ("metadata.labels.node.kubernetes.io/instance-type", "a4-highgpu-8g", "a3-ultragpu-8g"),
    ("metadata.labels.cloud.google.com/machine-family", "a4", "a3"),
    ("metadata.labels.cloud.google.com/gke-accelerator", "nvidia-b200", "nvidia-h200-141gb"),
    ("status.capacity.memory", "3904Gi", "2905Gi"),
    ("status.allocatable.memory", "3819Gi", "2839Gi"),
]
A4S_OWN_BY_DRA = [("metadata.labels.goog-gke-accelerator-type", "nvidia-b200", "nvidia-h200-141gb")]
B200S_OWN = [
    ("attributes.architecture.string", "Blackwell", "Hopper"),
    ("attributes.cudaComputeCapability.version", "10.0.0", "9.0.0"),
    ("attributes.productName.string", "NVIDIA B200", "NVIDIA H200"),
    ("capacity.memory.value", "183359Mi", "143771Mi"),
]


@pytest.mark.parametrize("way", ["rdma", "dra"])
def test_an_a4_is_an_a3_ultra_but_for_its_gpus_and_its_memory(way: str) -> None:
    a4, a3 = (node_objects(machine(f"gke-{kind}-8g-{way}"), "sim-0") for kind in ("a4-highgpu", "a3-ultragpu"))
    expected = [(f"[0].{field}", *values) for field, *values in A4S_OWN]
    expected.append(("[0].metadata.labels.cloud.google.com/gke-nodepool", f"a4-{way}", f"a3u-{way}"))
    if way == "dra":
        expected += [(f"[0].{field}", *values) for field, *values in A4S_OWN_BY_DRA]
        expected += [(f"[1].spec.devices[{gpu}].{field}", *values) for gpu in range(8) for field, *values in B200S_OWN]
    lines = [f"{path}: ours {ours!r}, upstream {theirs!r}" for path, ours, theirs in expected]
    assert sorted(differences(a4, a3)) == sorted(lines)


def overlay(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        pytest.skip(f"no upstream reference {path}; set LLMD_UPSTREAM")
    return load(path)


#: Nodes the real scheduler needed, all replicas running. xpu is the least it needed, of two runs.
NEEDED = [
    *((UPSTREAM, f"gpu_{engine}_base", "nvidia-generic", 2) for engine in ("vllm", "sglang")),
    *((UPSTREAM, f"gpu_{engine}_coreweave", "coreweave-h200", 2) for engine in ("vllm", "sglang")),
    *((UPSTREAM, f"gpu_{engine}_gke", "gke-a3-ultragpu-8g-rdma", 2) for engine in ("vllm", "sglang")),
    (UPSTREAM, "tpu_vllm", "gke-tpu7x", 2),
    (UPSTREAM, "amd_vllm_base", "amd-mi300x", 1),
    (UPSTREAM, "amd_vllm_tensorwave", "amd-mi300x", 1),
    (UPSTREAM, "amd_vllm_oci", "amd-mi300x-oci", 1),
    (UPSTREAM, "xpu_vllm", "intel-xpu-dra", 1),
    (UPSTREAM, "xpu_vllm-rdma", "intel-xpu-rdma-dra", 1),
    (UPSTREAM, "hpu_vllm", "gaudi-dra", 1),
    (JUNE, "gpu_vllm_gke", "gke-a3-ultragpu-8g-dra", 2),
    (JUNE, "tpu_v6_vllm", "gke-ct6e", 2),
    (JUNE, "gpu_vllm_aws", "aws-p5en", 2),
    (JUNE, "gpu_sglang_aws", "aws-p5en", 2),
]


@pytest.mark.parametrize(("folder", "name", "key", "nodes"), NEEDED, ids=[f"{row[0].name}-{row[1]}" for row in NEEDED])
def test_nodes_needed_are_those_of_the_real_scheduler(folder: Path, name: str, key: str, nodes: int) -> None:
    assert nodes_needed(pod_requests(overlay(folder / f"modelserver_{name}.yaml")), machine(key)) == nodes


@pytest.mark.parametrize(
    ("folder", "name", "way"),
    [(UPSTREAM, "gpu_vllm_gke", "rdma"), (UPSTREAM, "gpu_sglang_gke", "rdma"), (JUNE, "gpu_vllm_gke", "dra")],
    ids=lambda value: getattr(value, "name", value),
)
def test_an_a4_holds_the_pods_that_an_a3_ultra_does(folder: Path, name: str, way: str) -> None:
    pods = pod_requests(overlay(folder / f"modelserver_{name}.yaml"))
    assert nodes_needed(pods, machine(f"gke-a4-highgpu-8g-{way}")) == 2


@pytest.mark.parametrize(
    ("name", "key", "reason"),
    [
        ("gpu_vllm_gke", "gke-a3-ultragpu-8g-dra", "nvidia.com/gpu: a pod asks for 4, a node has 0"),
        ("gpu_vllm_coreweave", "nvidia-generic", "rdma/ib: a pod asks for 1, a node has 0"),
        ("xpu_vllm-rdma", "intel-xpu-dra", "rdma-dranet: a pod asks for 1, a node has 0"),
        ("tpu_vllm", "gke-ct6e", "gke-tpu-accelerator: a pod asks for tpu7x, a node has tpu-v6e-slice"),
    ],
)
def test_refusals_are_those_of_the_real_scheduler(name: str, key: str, reason: str) -> None:
    with pytest.raises(PodDoesNotFitError, match=r"does not fit") as refusal:
        nodes_needed(pod_requests(overlay(UPSTREAM / f"modelserver_{name}.yaml")), machine(key))
    assert reason in str(refusal.value)
