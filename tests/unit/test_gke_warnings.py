"""Warnings about a GKE cluster, and the quota that a plan needs."""

from typing import Any

import pytest

from stacks.clouds.gke.quota import Need, quota_needs
from stacks.clouds.gke.rules import WARNINGS
from stacks.rules.table import examine
from stacks.spec.stack import StackSpec
from tests.gke_plans import A4_DRA, A4_RDMA, DRANET, GATEWAY, JUNE, MULTINET, TPU, TPU_V6E, planned, stack, variant

POOL = "cluster.gke.acceleratorPool"
SEEN = {"version": "1.36.1-gke.1000000"}
OTHER_IMAGE = {**DRANET, "image": "registry.example.com/vllm:v0.19.1-cu129"}
SPOT = {"capacity": {"spot": True}}
SMALL = {"network": {"base": "10.0.0.0/20"}}

#: Rule, what is served, what of `cluster.gke` and of the rest differs, the key that is named, words.
WARNED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], str, str]] = [
    ("GKE-15", DRANET, {}, {}, "cluster.gke.version", "the driver of GKE 1.35.2-gke.1234000 is not known"),
    ("GKE-16", DRANET, SEEN, {"crds": {"directory": "./crds"}}, "crds.directory",
     "inferencepools.inference.networking.k8s.io is not taken from ./crds, because GKE 1.36.1-gke.1000000 keeps that CRD itself"),
    ("GKE-15", DRANET, {}, {"cluster": A4_DRA}, "cluster.gke.version", "every server ends with CUDA error 803"),
    ("CAP-09", DRANET, {**SEEN, "capacity": {"flexStart": {}}}, {}, "cluster.gke.capacity.flexStart", "deleted after 604800 s"),
    ("CAP-08", DRANET, {**SEEN, "capacity": {"spot": True}}, {}, "cluster.gke.capacity", "16 preemptible nvidia-h200-141gb GPUs"),
    ("CAP-08", MULTINET, {**SEEN, **SPOT, "rdma": "none"}, {"cluster": A4_RDMA}, "cluster.gke.capacity",
     "16 preemptible nvidia-b200 GPUs in us-south1 (PREEMPTIBLE_NVIDIA_B200_GPUS)"),
    ("CAP-08", TPU_V6E, SPOT, JUNE, "cluster.gke.capacity", "16 preemptible ct6e chips in us-south1, 360 preemptible vCPU"),
    ("CAP-08", TPU, {"capacity": {"onDemand": True}}, {}, "cluster.gke.capacity", "8 tpu7x chips in us-south1"),
    ("NET-09", DRANET, {**SEEN, **SMALL}, {"router": GATEWAY}, "cluster.gke.network.base", "smaller than the /23"),
    ("TPU-05", TPU, {"acceleratorPool": {"bootDiskGb": 479}}, {}, f"{POOL}.bootDiskGb", "leave it out for 1000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "serving", "gke", "more", "path", "words"), WARNED, ids=[f"{w[0]} {w[5][:30]}" for w in WARNED]
)
def test_it_is_pointed_out_and_not_refused(
    rule: str, serving: dict[str, Any], gke: dict[str, Any], more: dict[str, Any], path: str, words: str
) -> None:
    given = stack(serving, gke, **more)
    assert examine(given).errors == ()
    found = {problem.rule: problem for problem in examine(given).warnings}
    assert found[rule].path == f"llmd-pd:{path}"
    assert words in str(found[rule])
    assert found[rule].source


@pytest.mark.parametrize(
    ("serving", "gke", "more"),
    [
        (DRANET, SEEN, {}),
        (DRANET, SEEN, {"crds": {"manage": True}}),
        (DRANET, SEEN, {"crds": {"manage": False, "directory": "./crds"}}),
        (MULTINET, {"rdma": "multinet", "version": "1.33.9-gke.1"}, {"crds": {"directory": "./crds"}}),
        (OTHER_IMAGE, {}, {}),
        (DRANET, SEEN, {"cluster": A4_DRA}),
        (OTHER_IMAGE, {}, {"cluster": A4_DRA}),
        (MULTINET, {"rdma": "multinet"}, {"cluster": A4_RDMA}),
        (TPU_V6E, {}, JUNE),
        (DRANET, SEEN, {"router": GATEWAY}),
        (TPU, {}, {}),
        (TPU, {"acceleratorPool": {"bootDiskGb": 480}}, {}),
    ],
)
def test_and_nothing_else_is(serving: dict[str, Any], gke: dict[str, Any], more: dict[str, Any]) -> None:
    assert examine(stack(serving, gke, **more)).warnings == ()


def test_every_warning_has_a_case() -> None:
    """Of those about a stack file; the others are about a change (`test_gke_change`)."""
    assert {row.id for row in WARNINGS} - {"GKE-31", "GKE-32"} == {rule for rule, *_ in WARNED}


def test_a_cluster_on_which_nothing_is_served_is_warned_of_all_the_same() -> None:
    """GKE-15 and TPU-05 are about images and models, of which there are none."""
    served = stack(DRANET, {"capacity": {"spot": True}, **SMALL}, {"machine": "gke-a3-ultragpu-8g-dra"}, router=GATEWAY)
    nodes = StackSpec.model_construct(cluster=served.cluster)
    assert [found.rule for found in examine(served).warnings] == ["GKE-15", "CAP-08", "NET-09"]
    assert [found.rule for found in examine(nodes).warnings] == ["CAP-08", "NET-09"]
    slice_of = stack(TPU, {"acceleratorPool": {"bootDiskGb": 479}}, {"machine": "gke-tpu7x"})
    assert examine(StackSpec.model_construct(cluster=slice_of.cluster)).warnings == ()


# --- quota ---------------------------------------------------------------------------------------------------------------


def test_what_a_plan_needs() -> None:
    """CAP-08."""
    assert quota_needs(planned(variant("flex-start"))) == [
        Need("nvidia-h200-141gb GPUs in us-south1 (GPUS_PER_GPU_FAMILY of NVIDIA_H200)", 16),
        Need("vCPU of a3-ultragpu-8g in us-south1", 448),
        Need("GiB of local SSD in us-south1", 24_000),
        Need("GiB of hyperdisk in us-south1", 400),
        Need("networks", 1),
        Need("subnetworks", 1),
    ]
    assert quota_needs(planned(variant("a4 spot")))[:2] == [
        Need("preemptible nvidia-b200 GPUs in us-south1 (PREEMPTIBLE_NVIDIA_B200_GPUS)", 16),
        Need("preemptible vCPU of a4-highgpu-8g in us-south1", 448),
    ]
    assert quota_needs(planned(variant("multinet"))) == [Need("networks", 3), Need("subnetworks", 10)]
    assert quota_needs(planned(variant("autoscaled TPUs"))) == [Need("networks", 1), Need("subnetworks", 1)]


def test_one_is_no_plural() -> None:
    assert [str(Need("networks", amount)) for amount in (1, 3)] == ["1 network", "3 networks"]
