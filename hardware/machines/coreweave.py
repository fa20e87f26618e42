"""CoreWeave CKS machines. Labels and taint are from CoreWeave's documentation and from two public stacks that ran on them.

The cluster's own pods and the router run on CPU machines, whose sizes are from the table of Kubernetes' cluster autoscaler.
"""

from collections.abc import Mapping

from hardware.machines.chips import H200
from hardware.machines.types import Machine, Rdma, Taint

COREWEAVE_H200 = Machine(
    key="coreweave-h200",
    title="CoreWeave 8×H200 on InfiniBand",
    provider="coreweave",
    instance_type="gd-8xh200ib-i128",
    chip=H200,
    handed_out_as="nvidia.com/gpu",
    capacity={"cpu": "128", "memory": "2112109800Ki", "ephemeral-storage": "30003181568Ki"},
    allocatable={"cpu": "127", "memory": "2110012648Ki", "ephemeral-storage": "30003181568Ki"},
    extended={"nvidia.com/gpu": "8", "rdma/ib": "64"},
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
    # 64 was seen on nodes by public stacks; CoreWeave's pages give no number.
    assumptions=(
        "64 slots of rdma/ib: as seen on nodes of public stacks",
        "the values of rack, fabric, superpod and leafgroup labels",
    ),
)


def _cpu(instance_type: str, vcpus: int, memory: str, disk: str) -> Machine:
    labels = {
        "topology.kubernetes.io/region": "US-EAST-04",
        "topology.kubernetes.io/zone": "US-EAST-04A",
        "node.coreweave.cloud/class": "cpu",
        # Nodes without InfiniBand have these labels with empty values, so an affinity to one label alone also matches them.
        **dict.fromkeys(
            (f"backend.coreweave.cloud/{key}" for key in ("flavor", "fabric", "superpod", "leafgroup")), ""
        ),
    }
    return Machine(
        key=f"coreweave-{instance_type}",
        title=f"CoreWeave {instance_type}, no accelerator: {vcpus} vCPU",
        provider="coreweave",
        instance_type=instance_type,
        capacity={"cpu": str(vcpus), "memory": memory, "ephemeral-storage": disk},
        allocatable={"cpu": str(vcpus - 1), "memory": memory, "ephemeral-storage": disk},
        labels=labels,
        assumptions=("allocatable: one core less than there is, as on the GPU machine",),
    )


#: By instance type, the smallest first.
COREWEAVE_CPU: Mapping[str, Machine] = {
    row[0]: _cpu(*row)
    for row in (
        ("cd-gp-i64-erapids", 64, "526674536Ki", "7499230528Ki"),
        ("cd-gp-l-i64-erapids", 64, "526668108Ki", "15000547328Ki"),
        ("cd-gp-i96-icelake", 96, "394209340Ki", "6248987968Ki"),
        ("cd-hp-a96-genoa", 96, "791111968Ki", "7499230528Ki"),
        ("cd-gp-a192-genoa", 192, "1583811548Ki", "7499230528Ki"),
        ("cd-gp-l-a192-genoa", 192, "1583796048Ki", "30003181568Ki"),
        ("turin-gp", 192, "1583297960Ki", "7499230528Ki"),
        ("turin-gp-l", 192, "1583282436Ki", "30003181568Ki"),
        ("cd-hc-a384-genoa", 384, "1583673336Ki", "30003181568Ki"),
        ("cd-hc-a384ib-genoa", 384, "1583672504Ki", "30003181568Ki"),
    )
}
