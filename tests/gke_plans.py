"""Stack files that make a GKE cluster, in every variant there is, and their plans."""

from pathlib import Path
from typing import Any

from stacks.clouds.gke.plan import GkePlan, gke_plan
from stacks.spec.stack import StackSpec
from tests.cluster_requests import requested
from tests.unit.test_rules import spec

DRANET: dict[str, Any] = {"accelerator": "nvidia", "fabric": "gke-rdma"}
MULTINET: dict[str, Any] = {"accelerator": "nvidia", "fabric": "gke"}
TPU: dict[str, Any] = {"accelerator": "tpu"}
TPU_V6E: dict[str, Any] = {"accelerator": "tpu-v6e"}
GKE: dict[str, Any] = {
    "project": "acme-serving",
    "region": "us-south1",
    "zone": "us-south1-b",
    "version": "1.35.2-gke.1234000",
    "capacity": {"reservation": "projects/acme-serving/reservations/h200"},
}
CLUSTER: dict[str, Any] = {"provider": "gke", "nodes": 2}
A4_DRA, A4_RDMA = {"machine": "gke-a4-highgpu-8g-dra"}, {"machine": "gke-a4-highgpu-8g-rdma"}
GATEWAY = {"mode": "gateway", "gateway": {"provider": "gke"}}
JUNE = {"release": "guide-2026-06"}

#: The accelerator served, changes to `cluster.gke`, and to the rest.
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "dranet": (DRANET, {}, {}),
    "multinet": (MULTINET, {"rdma": "multinet"}, {}),
    "none": (MULTINET, {"rdma": "none"}, {}),
    "a4 dranet": (DRANET, {}, {"cluster": A4_DRA}),
    "a4 multinet": (MULTINET, {"rdma": "multinet"}, {"cluster": A4_RDMA}),
    "a4 spot": (MULTINET, {"rdma": "none", "capacity": {"spot": True}}, {"cluster": A4_RDMA}),
    "tpu7x": (TPU, {}, {}),
    "tpu-v6e": (TPU_V6E, {}, JUNE),
    "gateway": (DRANET, {}, {"router": GATEWAY}),
    "tpu-v6e spot": (TPU_V6E, {"capacity": {"spot": True}}, JUNE),
    "spot": (DRANET, {"capacity": {"spot": True}}, {}),
    "flex-start": (DRANET, {"capacity": {"flexStart": {}}}, {}),
    "flex-start of TPUs": (TPU, {"capacity": {"flexStart": {"maxRunDuration": 86_400}}}, {}),
    "on demand": (TPU, {"capacity": {"onDemand": True}}, {}),
    "autoscaled": (DRANET, {"acceleratorPool": {"autoscaling": {"min": 1, "max": 4}}}, {}),
    "autoscaled TPUs": (TPU, {"acceleratorPool": {"autoscaling": {"min": 1, "max": 4}}}, {}),
    "told everything": (
        {**DRANET, "tolerations": [{"key": "team", "operator": "Exists"}], "nodeSelector": {"team": "chat"}},
        {
            "releaseChannel": "STABLE",
            "maintenanceWindow": {"start": "22:30", "days": ["SU", "SA"], "hours": 6},
            "network": {"base": "100.64.0.0/12", "peers": ["10.0.0.0/8"]},
            "systemPool": {"machineType": "n2-standard-32", "min": 2, "max": 5},
            "acceleratorPool": {
                "name": "h200",
                "bootDiskGb": 500,
                "labels": {"team": "chat"},
                "taints": [{"key": "team", "value": "chat", "effect": "NoSchedule"}],
            },
        },
        {"name": "as-long-as-it-may-be-x"},
    ),
}


def stack(
    serving: dict[str, Any] = DRANET,
    gke: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    **more: Any,
) -> StackSpec:
    """A stack file; None takes a key away."""
    stated = {key: value for key, value in {**GKE, **(gke or {})}.items() if value is not None}
    whole = {key: value for key, value in {**CLUSTER, "gke": stated, **(cluster or {})}.items() if value is not None}
    return spec(serving, cluster=whole, **more)


def variant(name: str) -> StackSpec:
    """The stack file of a variant."""
    serving, gke, more = VARIANTS[name]
    return stack(serving, gke, **more)


def planned(given: StackSpec, base: Path = Path()) -> GkePlan:
    """Its plan, on its machine. Relative paths in the file start at `base`."""
    return gke_plan(requested(given, base))
