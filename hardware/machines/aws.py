"""AWS machines."""

from hardware.machines.chips import H200
from hardware.machines.generic import H200_FEATURE_LABELS
from hardware.machines.types import Machine, Rdma

AWS_P5EN = Machine(
    key="aws-p5en",
    title="AWS p5en.48xlarge: 8×H200 on EFA",
    provider="aws",
    instance_type="p5en.48xlarge",
    chip=H200,
    handed_out_as="nvidia.com/gpu",
    capacity={"cpu": "192", "memory": "2015Gi", "ephemeral-storage": "3500Gi"},
    allocatable={"cpu": "190", "memory": "2000Gi", "ephemeral-storage": "3500Gi"},
    extended={"nvidia.com/gpu": "8", "vpc.amazonaws.com/efa": "16"},
    labels={"topology.kubernetes.io/zone": "us-east-2a", **H200_FEATURE_LABELS},
    rdma=Rdma(
        link="EFA",
        asked_as=("vpc.amazonaws.com/efa",),
        interfaces=16,
        gbit_per_interface=None,
        note="a pod asks for a number of interfaces, 2 per GPU in upstream's overlays",
    ),
    serves=(("nvidia", "aws"), ("nvidia", "base")),
    assumptions=("CPU and memory are the machine's size less a margin",),
)
