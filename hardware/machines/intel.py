"""Machines with Intel devices, handed out by DRA: Arc Pro GPUs (xpu) with and without RDMA NICs, and Gaudi (hpu)."""

from dataclasses import replace

from hardware.machines.chips import ARC_B60, GAUDI2
from hardware.machines.dranet import NICS
from hardware.machines.types import DeviceSlice, Machine, Rdma

_XPU_CAPACITY = {"cpu": "128", "memory": "503Gi", "ephemeral-storage": "1700Gi"}
_XPU_ALLOCATABLE = {"cpu": "127", "memory": "500Gi", "ephemeral-storage": "1700Gi"}
_XPU_LABELS = {"intel.feature.node.kubernetes.io/gpu": "true"}
_XPU_ASSUMPTIONS = ("the machine as a whole: a dual-socket server with 4 GPUs, each on a PCIe root of its own",)

_GPUS = DeviceSlice(
    driver="gpu.intel.com",
    name="0000-{bus}-00-0-0xe211",
    columns=("bus", "root"),
    rows=(("17", "15"), ("3a", "38"), ("9b", "99"), ("bd", "bb")),
    attributes={
        "driver": "xe",
        "family": "Arc Pro",
        "model": "B60",
        "health": "Healthy",
        "sriov": False,
        "pciAddress": "0000:{bus}:00.0",
        "pciId": "0xe211",
        "pciRoot": "{root}",
        "resource.kubernetes.io/pciBusID": "0000:{bus}:00.0",
        "resource.kubernetes.io/pcieRoot": "pci0000:{root}",
    },
    capacity={"memory": "24480Mi", "millicores": "1k"},
)

#: One RDMA NIC on each GPU's root, and the host's own network, which is no RDMA device.
_NICS = replace(
    NICS,
    rows=(
        ("18", "rdma0", 0, True, "15"),
        ("3b", "rdma1", 0, True, "38"),
        ("9c", "rdma2", 1, True, "99"),
        ("be", "rdma3", 1, True, "bb"),
        ("01", "eno1", 0, False, "00"),
    ),
)

INTEL_XPU_DRA = Machine(
    key="intel-xpu-dra",
    title="4×Arc Pro B60 by DRA, no RDMA",
    provider="any",
    instance_type="xpu-4",
    chip=ARC_B60,
    handed_out_as="gpu.intel.com",
    capacity=_XPU_CAPACITY,
    allocatable=_XPU_ALLOCATABLE,
    slices=(_GPUS,),
    device_classes=("gpu.intel.com",),
    labels=_XPU_LABELS,
    os_image="Ubuntu 24.04",
    serves=(("xpu", "base"),),
    assumptions=_XPU_ASSUMPTIONS,
)

INTEL_XPU_RDMA_DRA = Machine(
    key="intel-xpu-rdma-dra",
    title="4×Arc Pro B60 and 4 RDMA NICs on the same PCIe roots, by DRA",
    provider="any",
    instance_type="xpu-4-rdma",
    chip=ARC_B60,
    handed_out_as="gpu.intel.com",
    capacity=_XPU_CAPACITY,
    allocatable=_XPU_ALLOCATABLE,
    slices=(_GPUS, _NICS),
    device_classes=("gpu.intel.com", "rdma-dranet"),
    labels=_XPU_LABELS,
    rdma=Rdma(
        link="RDMA NICs handed out by DRANET",
        asked_as=("rdma-dranet",),
        interfaces=4,
        gbit_per_interface=None,
        note="one NIC per GPU, on the GPU's own PCIe root; the DeviceClass is made by the cluster's admin",
    ),
    os_image="Ubuntu 24.04",
    serves=(("xpu", "rdma"), ("xpu", "base")),
    assumptions=_XPU_ASSUMPTIONS,
)

GAUDI_DRA = Machine(
    key="gaudi-dra",
    title="8×Gaudi 2 by DRA",
    provider="any",
    instance_type="gaudi2-8",
    chip=GAUDI2,
    handed_out_as="gaudi.intel.com",
    capacity={"cpu": "160", "memory": "1007Gi", "ephemeral-storage": "3500Gi", "hugepages-2Mi": "0"},
    allocatable={"cpu": "158", "memory": "1000Gi", "ephemeral-storage": "3500Gi", "hugepages-2Mi": "0"},
    slices=(
        DeviceSlice(
            driver="gaudi.intel.com",
            name="0000-{bus}-00-0-0x1020",
            columns=("bus", "root"),
            rows=(
                *(("19", "17"), ("1a", "17"), ("33", "31"), ("34", "31")),
                *(("9a", "98"), ("9b", "98"), ("b3", "b1"), ("b4", "b1")),
            ),
            attributes={
                "model": "Gaudi2",
                "healthy": True,
                "serial": "SIM{index:04}",
                "pciRoot": "{root}",
                "resource.kubernetes.io/pcieRoot": "pci0000:{root}",
            },
        ),
    ),
    device_classes=("gaudi.intel.com",),
    labels={"intel.feature.node.kubernetes.io/gaudi": "true"},
    serves=(("hpu", "base"),),
    assumptions=("CPU, memory and disk are a common server's less a margin", "PCIe addresses"),
)
