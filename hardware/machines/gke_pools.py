"""Settings of GKE's node pools by machine, as rows: first versions, flex-start, disks, bounds, quotas.

Local SSDs are those of cluster-toolkit's blueprints, names of quotas are from reports of users. An A4 row gives only its
differences from an A3 Ultra. Leaves out the settings of every pool (`stacks.clouds.gke.pools`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from hardware.machines.gke import A3_ULTRA_DRA, A3_ULTRA_RDMA, A4_DRA, A4_RDMA, TPU7X_HOST, TPU_V6E_HOST
from hardware.machines.types import Machine

#: How the pods of a pool get the accelerators' own NICs.
RdmaMode = Literal["dranet", "multinet", "none"]

_GPU_FLEX, _TPU_FLEX = "1.32.2-gke.1652000", "1.33.0-gke.1712000"
#: GKE brings the DeviceClasses of managed DRANET from here on (cluster-toolkit).
_DRANET: Mapping[RdmaMode, str] = {"dranet": "1.34.1-gke.1829001"}


@dataclass(frozen=True)
class GkePool:
    """Settings of a GKE node pool of one machine."""

    machine: Machine
    #: The pool's default name.
    name: str
    #: The RDMA modes of this row's machine, each with the first GKE version that has it.
    since: Mapping[RdmaMode, str]
    #: The default RDMA mode.
    rdma: RdmaMode
    #: The first GKE version with flex-start for this machine.
    flex_since: str
    boot_disk_gb: int
    #: The pool's fields for the minimum and maximum of nodes. TPU flex-start refuses those of the whole pool (cluster-toolkit).
    bounds: tuple[str, str]
    #: Google's name of the quota for its devices, with the GPU or TPU family.
    quota: str
    #: The quota for spot devices, if it differs and is known.
    spot_quota: str = ""
    #: GKE's name of the GPU in a pool; TPUs follow from the machine type.
    gpu: str = ""
    local_ssds: int = 0
    #: The topology of a TPU host's slice.
    topology: str = ""
    sysctls: Mapping[str, str] = field(default_factory=dict)


_TOTAL, _PER_ZONE = ("total_min_node_count", "total_max_node_count"), ("min_node_count", "max_node_count")

_A3_ULTRA = GkePool(
    A3_ULTRA_DRA,
    name="gpu",
    since=_DRANET,
    rdma="dranet",
    flex_since=_GPU_FLEX,
    boot_disk_gb=200,
    bounds=_TOTAL,
    quota="GPUS_PER_GPU_FAMILY of NVIDIA_H200",
    spot_quota="PREEMPTIBLE_NVIDIA_H200_GPUS",
    gpu="nvidia-h200-141gb",
    local_ssds=32,
)
_A4 = replace(
    _A3_ULTRA,
    machine=A4_DRA,
    quota="GPUS_PER_GPU_FAMILY of NVIDIA_B200",
    spot_quota="PREEMPTIBLE_NVIDIA_B200_GPUS",
    gpu="nvidia-b200",
)

#: By the machine's key.
GKE_POOLS: Mapping[str, GkePool] = {
    row.machine.key: row
    for row in (
        _A3_ULTRA,
        replace(
            _A3_ULTRA, machine=A3_ULTRA_RDMA, since={"multinet": "1.31.4-gke.1183000", "none": "1.31.4-gke.1183000"}
        ),
        _A4,
        replace(_A4, machine=A4_RDMA, since={"multinet": "1.32.2-gke.1475000", "none": "1.32.2-gke.1475000"}),
        GkePool(
            TPU7X_HOST,
            name="tpu",
            # cluster-toolkit's; GKE's own page says 1.34.0-gke.2201000.
            since={"none": "1.34.3-gke.1318000"},
            rdma="none",
            flex_since=_TPU_FLEX,
            # The model is on the boot disk: 400 GB of Qwen3.5-397B-FP8 per pod, and space to load a second one.
            boot_disk_gb=1000,
            bounds=_PER_ZONE,
            quota="TPUS_PER_TPU_FAMILY of TPU7X",
            topology="2x2x1",
            # As in public recipes for this machine: vLLM needs more memory maps than Linux' default.
            sysctls={"vm.max_map_count": "8388608"},
        ),
        GkePool(
            TPU_V6E_HOST,
            name="tpu",
            # The minor version is known, the patch is not.
            since={"none": "1.31.0-gke.0"},
            rdma="none",
            flex_since=_TPU_FLEX,
            boot_disk_gb=1000,
            bounds=_PER_ZONE,
            quota="TPUS_PER_TPU_FAMILY of CT6E",
            topology="2x4",
        ),
    )
}

#: Machine types by the chips of one host.
TPU_HOSTS: Mapping[str, int] = {
    "tpu7x-standard-4t": 4,
    "ct6e-standard-8t": 8,
    "ct6e-standard-4t": 4,
    "ct6e-standard-1t": 1,
}
