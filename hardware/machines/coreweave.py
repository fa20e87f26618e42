"""CoreWeave CKS machines. Labels and taint as on its documentation and in two public stacks that ran on them."""

from hardware.machines.silicon import H200
from hardware.machines.types import Machine, Rdma, Taint

COREWEAVE_H200 = Machine(
    key="coreweave-h200",
    title="CoreWeave 8×H200 on InfiniBand",
    provider="coreweave",
    instance_type="gd-8xh200ib-i128",
    silicon=H200,
    handed_out_as="nvidia.com/gpu",
    capacity={"cpu": "128", "memory": "2112109800Ki", "ephemeral-storage": "30003181568Ki"},
    allocatable={"cpu": "127", "memory": "2110012648Ki", "ephemeral-storage": "30003181568Ki"},
    extended={"nvidia.com/gpu": "8", "rdma/ib": "1k"},
    labels={
        "topology.kubernetes.io/region": "US-EAST-04",
        "topology.kubernetes.io/zone": "US-EAST-04A",
        "compute.coreweave.com/node-pool": "h200",
        "gpu.nvidia.com/class": "H200",
        "gpu.nvidia.com/model": "H200",
        "gpu.nvidia.com/count": "8",
        "gpu.nvidia.com/vram": "141",
        "node.coreweave.cloud/class": "gpu",
        "node.coreweave.cloud/rack": "r1",
        "backend.coreweave.cloud/flavor": "infiniband",
        "backend.coreweave.cloud/fabric": "fabric-0",
        "backend.coreweave.cloud/superpod": "sp-0",
        "backend.coreweave.cloud/leafgroup": "lg-0",
        "backend.coreweave.cloud/leafgroup-name": "lg-0",
        "ib.coreweave.cloud/speed": "400G",
        "ib.coreweave.cloud/fabric": "fabric-0",
        "ib.coreweave.cloud/superpod": "sp-0",
        "ib.coreweave.cloud/leafgroup": "lg-0",
    },
    # Soft: a pod without the toleration still lands here when nothing else has room.
    taints=(Taint("is_gpu", "true", "PreferNoSchedule"),),
    rdma=Rdma(
        link="InfiniBand",
        asked_as=("rdma/ib",),
        interfaces=None,
        gbit_per_interface=400,
        note="a shared device: the quantity is a slot, and one slot attaches every HCA of the node",
    ),
    serves=(("nvidia", "coreweave"), ("nvidia", "base")),
    assumptions=("1000 slots of rdma/ib", "the values of rack, fabric, superpod and leafgroup labels"),
)
