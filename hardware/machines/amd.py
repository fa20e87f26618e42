"""Machines with 8 AMD Instinct MI300X and AMD's device plugin."""

from hardware.machines.chips import MI300X
from hardware.machines.types import Machine, Rdma

_CAPACITY = {"cpu": "224", "memory": "2015Gi", "ephemeral-storage": "3500Gi"}
_ALLOCATABLE = {"cpu": "222", "memory": "2000Gi", "ephemeral-storage": "3500Gi"}
_LABELS = {
    "amd.com/gpu.product-name": "AMD_Instinct_MI300X_OAM",
    "amd.com/gpu.vram": "192G",
    "amd.com/gpu.family": "AI",
}
_SIZE_ASSUMED = "CPU, memory and disk are the machine's size less a margin"

AMD_MI300X = Machine(
    key="amd-mi300x",
    title="8×MI300X with a shared RDMA device (as at TensorWave)",
    provider="tensorwave",
    instance_type="mi300x-8",
    chip=MI300X,
    handed_out_as="amd.com/gpu",
    capacity=_CAPACITY,
    allocatable=_ALLOCATABLE,
    extended={"amd.com/gpu": "8", "rdma/ib": "1k"},
    labels=_LABELS,
    rdma=Rdma(
        link="RDMA NICs behind a shared device plugin",
        asked_as=("rdma/ib",),
        interfaces=None,
        gbit_per_interface=None,
        note="a shared device: the quantity is a slot, and one slot attaches every NIC of the node",
    ),
    serves=(("amd", "base"), ("amd", "tensorwave")),
    assumptions=(_SIZE_ASSUMED, "1000 slots of rdma/ib", "the instance type's name"),
)

AMD_MI300X_OCI = Machine(
    key="amd-mi300x-oci",
    title="OCI BM.GPU.MI300X.8: 8×MI300X with SR-IOV RDMA",
    provider="oci",
    instance_type="BM.GPU.MI300X.8",
    chip=MI300X,
    handed_out_as="amd.com/gpu",
    capacity=_CAPACITY,
    allocatable=_ALLOCATABLE,
    extended={"amd.com/gpu": "8", "nvidia.com/sriov-rdma-vf": "8"},
    labels=_LABELS,
    rdma=Rdma(
        link="RoCE",
        asked_as=("nvidia.com/sriov-rdma-vf",),
        interfaces=8,
        gbit_per_interface=None,
        note="one SR-IOV virtual function per device; also needs multus and the NetworkAttachmentDefinition "
        "default/sriov-rdma-vf, which no scheduler checks",
    ),
    serves=(("amd", "oci"), ("amd", "base")),
    assumptions=(_SIZE_ASSUMED,),
)
