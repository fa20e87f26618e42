"""GKE machines: A3 Ultra (8×H200) and A4 (8×B200), each with either of the two RDMA set-ups, and TPU hosts.

Allocatable is GKE's reservation formula on an assumed capacity (RAM less 1.6 %), not read from a node; taints are GKE's own.
A node pool keeps its RDMA set-up: pods written for the other one stay Pending. An A4 row gives only its differences from an
A3 Ultra: GPUs and memory.
"""

from dataclasses import replace

from hardware.machines.chips import B200, H200, TPU7X, TPU_V6E
from hardware.machines.dranet import NICS
from hardware.machines.types import DeviceSlice, Machine, Rdma, Taint, Version

_LABELS = {
    "topology.gke.io/zone": "us-south1-b",
    "cloud.google.com/gke-os-distribution": "cos",
    "cloud.google.com/gke-container-runtime": "containerd",
    "cloud.google.com/gke-stack-type": "IPV4",
    "cloud.google.com/gke-max-pods-per-node": "110",
}
_OS_IMAGE = "Container-Optimized OS from Google"
_ALLOCATABLE_ASSUMED = "allocatable CPU and memory: GKE's reservation formula on the machine's size less 1.6 % of RAM"

_A3_CAPACITY = {"cpu": "224", "memory": "2905Gi", "ephemeral-storage": "11000Gi"}
_A3_ALLOCATABLE = {"cpu": "223370m", "memory": "2839Gi", "ephemeral-storage": "10800Gi"}
_A3_LABELS = {
    **_LABELS,
    "topology.kubernetes.io/region": "us-south1",
    "topology.kubernetes.io/zone": "us-south1-b",
    "cloud.google.com/machine-family": "a3",
    "cloud.google.com/gke-accelerator": "nvidia-h200-141gb",
    "cloud.google.com/gke-accelerator-count": "8",
    "cloud.google.com/gke-ephemeral-storage-local-ssd": "true",
    "cloud.google.com/gce-topology-block": "block-0",
    "cloud.google.com/gce-topology-subblock": "subblock-0",
    "cloud.google.com/gce-topology-host": "host-0",
}
_GPU_TAINT = Taint("nvidia.com/gpu", "present", "NoSchedule")
_RDMA_NETWORKS = tuple(f"networking.gke.io.networks/rdma-{nic}.IP" for nic in range(8))

_H200_GPUS = DeviceSlice(
    driver="gpu.nvidia.com",
    name="gpu-{index}",
    columns=("bus", "root"),
    rows=(
        *(("8f", "8c"), ("90", "8c"), ("96", "93"), ("97", "93")),
        *(("c4", "c1"), ("c5", "c1"), ("cb", "c8"), ("cc", "c8")),
    ),
    attributes={
        "type": "gpu",
        "productName": "NVIDIA H200",
        "brand": "Nvidia",
        "architecture": "Hopper",
        "addressingMode": "None",
        "cudaComputeCapability": Version("9.0.0"),
        "driverVersion": Version("580.126.20"),
        "cudaDriverVersion": Version("13.0.0"),
        "uuid": "GPU-00000000-0000-4000-8000-{index:012}",
        "resource.kubernetes.io/pciBusID": "0000:{bus}:00.0",
        "resource.kubernetes.io/pcieRoot": "pci0000:{root}",
    },
    capacity={"memory": "143771Mi"},
)
_ROCE_NICS = replace(
    NICS,
    rows=(
        ("91", "gpu0rdma0", 0, True, "8c"),
        ("92", "gpu1rdma0", 0, True, "8c"),
        ("98", "gpu2rdma0", 0, True, "93"),
        ("99", "gpu3rdma0", 0, True, "93"),
        ("c6", "gpu4rdma0", 1, True, "c1"),
        ("c7", "gpu5rdma0", 1, True, "c1"),
        ("cd", "gpu6rdma0", 1, True, "c8"),
        ("ce", "gpu7rdma0", 1, True, "c8"),
        ("06", "eth1", 0, False, "00"),
    ),
)

A3_ULTRA_RDMA = Machine(
    key="gke-a3-ultragpu-8g-rdma",
    title="GKE A3 Ultra (8×H200), device plugin and multi-networking",
    provider="gke",
    instance_type="a3-ultragpu-8g",
    chip=H200,
    handed_out_as="nvidia.com/gpu",
    capacity=_A3_CAPACITY,
    allocatable=_A3_ALLOCATABLE,
    extended={
        "nvidia.com/gpu": "8",
        "networking.gke.io.networks/gvnic-1.IP": "1",
        **dict.fromkeys(_RDMA_NETWORKS, "1"),
    },
    labels={
        **_A3_LABELS,
        "cloud.google.com/gke-nodepool": "a3u-rdma",
        "cloud.google.com/gke-gpu-driver-version": "latest",
        "cloud.google.com/gke-gpu": "true",
    },
    taints=(_GPU_TAINT,),
    rdma=Rdma(
        link="RoCE (ConnectX-7)",
        asked_as=_RDMA_NETWORKS,
        interfaces=8,
        gbit_per_interface=400,
        note="one Network object per NIC; only the '.IP' form of its resource is registered (llm-d #1730)",
    ),
    os_image=_OS_IMAGE,
    serves=(("nvidia", "gke"), ("nvidia", "base")),
    assumptions=(_ALLOCATABLE_ASSUMED, "one pod at a time per Network ('.IP' quantity 1)"),
)

A3_ULTRA_DRA = Machine(
    key="gke-a3-ultragpu-8g-dra",
    title="GKE A3 Ultra (8×H200), GPUs and NICs by DRA, no nvidia.com/gpu",
    provider="gke",
    instance_type="a3-ultragpu-8g",
    chip=H200,
    handed_out_as="gpu.nvidia.com",
    capacity=_A3_CAPACITY,
    allocatable=_A3_ALLOCATABLE,
    slices=(_H200_GPUS, _ROCE_NICS),
    device_classes=("gpu.nvidia.com", "mrdma.google.com", "netdev.google.com"),
    labels={
        **_A3_LABELS,
        "cloud.google.com/gke-nodepool": "a3u-dra",
        "cloud.google.com/gke-networking-dra-driver": "true",
        "gke.networks.io/accelerator-network-profile": "auto",
        "cloud.google.com/gke-nvidia-gpu-dra-driver": "true",
        "gke-no-default-nvidia-gpu-device-plugin": "true",
        "nvidia.com/gpu.present": "true",
        "goog-gke-accelerator-type": "nvidia-h200-141gb",
    },
    taints=(_GPU_TAINT,),
    rdma=Rdma(
        link="RoCE (ConnectX-7)",
        asked_as=("mrdma.google.com",),
        interfaces=8,
        gbit_per_interface=400,
        note="two GPUs and two NICs on each PCIe root; the driver behind the class is dra.net (managed DRANET)",
    ),
    os_image=_OS_IMAGE,
    serves=(("nvidia", "gke-rdma"),),
    assumptions=(_ALLOCATABLE_ASSUMED, "PCIe roots 93 and c1 (8c and c8 were read from a node)"),
)

_A4_CAPACITY = {**_A3_CAPACITY, "memory": "3904Gi"}
_A4_ALLOCATABLE = {**_A3_ALLOCATABLE, "memory": "3819Gi"}
_A4_LABELS = {"cloud.google.com/machine-family": "a4", "cloud.google.com/gke-accelerator": "nvidia-b200"}
_A4_ASSUMPTIONS = (
    _ALLOCATABLE_ASSUMED,
    "3968 GB of memory",
    "local SSDs, networks and zone as of A3 Ultra (the same blueprint but for machine and accelerator)",
)

A4_RDMA = replace(
    A3_ULTRA_RDMA,
    key="gke-a4-highgpu-8g-rdma",
    title="GKE A4 (8×B200), device plugin and multi-networking",
    instance_type="a4-highgpu-8g",
    chip=B200,
    capacity=_A4_CAPACITY,
    allocatable=_A4_ALLOCATABLE,
    labels={**A3_ULTRA_RDMA.labels, **_A4_LABELS, "cloud.google.com/gke-nodepool": "a4-rdma"},
    assumptions=(*_A4_ASSUMPTIONS, "one pod at a time per Network ('.IP' quantity 1)"),
)

A4_DRA = replace(
    A3_ULTRA_DRA,
    key="gke-a4-highgpu-8g-dra",
    title="GKE A4 (8×B200), GPUs and NICs by DRA, no nvidia.com/gpu",
    instance_type="a4-highgpu-8g",
    chip=B200,
    capacity=_A4_CAPACITY,
    allocatable=_A4_ALLOCATABLE,
    slices=(
        # Bus addresses of GPUs, two GPUs and two NICs per PCIe root: dranet.dev/docs/user/nvidia-dranet, on an A4.
        replace(
            _H200_GPUS,
            attributes={
                **_H200_GPUS.attributes,
                "productName": "NVIDIA B200",
                "architecture": "Blackwell",
                "cudaComputeCapability": Version("10.0.0"),
            },
            capacity={"memory": "183359Mi"},
        ),
        _ROCE_NICS,
    ),
    labels={
        **A3_ULTRA_DRA.labels,
        **_A4_LABELS,
        "cloud.google.com/gke-nodepool": "a4-dra",
        "goog-gke-accelerator-type": "nvidia-b200",
    },
    assumptions=(
        *_A4_ASSUMPTIONS,
        "names of the PCIe roots, bus addresses of the NICs, driver and CUDA version: as on A3 Ultra",
    ),
)

_TPU_LABELS = {
    **_LABELS,
    "topology.kubernetes.io/region": "us-central1",
    "topology.kubernetes.io/zone": "us-central1-c",
}
_TPU_TAINT = Taint("google.com/tpu", "present", "NoSchedule")

TPU7X_HOST = Machine(
    key="gke-tpu7x",
    title="GKE tpu7x-standard-4t: one host, 4 chips (2x2x1)",
    provider="gke",
    instance_type="tpu7x-standard-4t",
    chip=TPU7X,
    handed_out_as="google.com/tpu",
    capacity={"cpu": "224", "memory": "894Gi", "ephemeral-storage": "500Gi"},
    allocatable={"cpu": "223370m", "memory": "868Gi", "ephemeral-storage": "450Gi"},
    extended={"google.com/tpu": "4"},
    labels={
        **_TPU_LABELS,
        "cloud.google.com/gke-nodepool": "tpu7x",
        "cloud.google.com/machine-family": "tpu7x",
        "cloud.google.com/gke-tpu-accelerator": "tpu7x",
        "cloud.google.com/gke-tpu-topology": "2x2x1",
        "cloud.google.com/gke-accelerator-count": "4",
    },
    taints=(_TPU_TAINT,),
    os_image=_OS_IMAGE,
    serves=(("tpu", "base"),),
    assumptions=(_ALLOCATABLE_ASSUMED, "memory of 960 GB taken as decimal"),
)

TPU_V6E_HOST = Machine(
    key="gke-ct6e",
    title="GKE ct6e-standard-8t: one host, 8 TPU v6e chips (2x4)",
    provider="gke",
    instance_type="ct6e-standard-8t",
    chip=TPU_V6E,
    handed_out_as="google.com/tpu",
    capacity={"cpu": "180", "memory": "1341Gi", "ephemeral-storage": "500Gi"},
    allocatable={"cpu": "179480m", "memory": "1306Gi", "ephemeral-storage": "450Gi"},
    extended={"google.com/tpu": "8"},
    labels={
        **_TPU_LABELS,
        "cloud.google.com/gke-nodepool": "ct6e-8t",
        "cloud.google.com/machine-family": "ct6e",
        "cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice",
        "cloud.google.com/gke-tpu-topology": "2x4",
        "cloud.google.com/gke-accelerator-count": "8",
    },
    taints=(_TPU_TAINT,),
    os_image=_OS_IMAGE,
    serves=(("tpu-v6e", "base"),),
    assumptions=(_ALLOCATABLE_ASSUMED, "180 vCPU and 1440 GB of memory, taken as decimal"),
)
