"""Machines of no particular provider: the guide's minimum, and a machine for pods without an accelerator."""

from hardware.machines.chips import H200
from hardware.machines.types import Machine

#: Labels that NVIDIA's GPU feature discovery writes on an 8×H200 node.
H200_FEATURE_LABELS = {
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.product": "NVIDIA-H200",
    "nvidia.com/gpu.count": "8",
    "nvidia.com/gpu.memory": "143771",
    "nvidia.com/gpu.compute.major": "9",
    "nvidia.com/gpu.compute.minor": "0",
    "nvidia.com/cuda.driver.major": "580",
}

NVIDIA_GENERIC = Machine(
    key="nvidia-generic",
    title="8×H200 server with NVIDIA's device plugin and no RDMA",
    provider="any",
    instance_type="hgx-h200-8",
    chip=H200,
    handed_out_as="nvidia.com/gpu",
    capacity={"cpu": "192", "memory": "2015Gi", "ephemeral-storage": "3500Gi"},
    allocatable={"cpu": "190", "memory": "2000Gi", "ephemeral-storage": "3500Gi"},
    extended={"nvidia.com/gpu": "8"},
    labels=H200_FEATURE_LABELS,
    serves=(("nvidia", "base"),),
    assumptions=("CPU, memory and disk are those of a common HGX server less a margin",),
)

SYSTEM = Machine(
    key="system",
    title="general purpose, no accelerator: for the router, if accelerator nodes are tainted",
    provider="any",
    instance_type="e2-standard-16",
    capacity={"cpu": "16", "memory": "63Gi", "ephemeral-storage": "95Gi"},
    allocatable={"cpu": "15890m", "memory": "57Gi", "ephemeral-storage": "45Gi"},
    assumptions=(
        "16 vCPU, 64 GiB and a 100 GB boot disk stand for this class; allocatable is GKE's reservation formula on that, other "
        "providers reserve less",
    ),
)
