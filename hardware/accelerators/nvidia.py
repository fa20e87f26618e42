"""NVIDIA GPUs through the device plugin, or by DRA with fabric `gke-rdma`; the guide's default.

The default sizing is 8 x TP1 prefill and 2 x TP4 decode on 16 H200.
"""

from dataclasses import replace

from hardware.engines import NIXL, SGLANG, VLLM
from hardware.fabrics import EFA, GKE_POD_NETWORK, GKE_RDMA, POD_NETWORK, SHARED_INFINIBAND
from hardware.vocabulary import Accelerator, Build, Devices, Naming, Sizing, fast_probes, variables

NVIDIA = Accelerator(
    key="nvidia",
    naming=Naming(vendor="nvidia", variant="gpu", slug="nvidia-gpu"),
    model="openai/gpt-oss-120b",
    devices=Devices(resource="nvidia.com/gpu"),
    probes=fast_probes(startup_failures=120),
    prefill=Sizing(8, 1, "8", "16Gi"),
    decode=Sizing(2, 4, "16", "64Gi"),
    fabrics={
        "base": POD_NETWORK,
        "coreweave": SHARED_INFINIBAND,
        "gke": GKE_POD_NETWORK,
        "gke-rdma": replace(GKE_RDMA, devices=Devices(device_class="gpu.nvidia.com")),
        "aws": EFA,
    },
    builds=(
        Build(
            engine=VLLM,
            image="docker.io/vllm/vllm-openai:v0.19.1-x86_64-cu130",
            argv="{model} --disable-access-log-for-endpoints=/health,/metrics,/v1/models --tensor-parallel-size={tp}"
            " --block-size=128 --kv-transfer-config {kv} --no-disable-hybrid-kv-cache-manager",
            role_args={"prefill": "--gpu-memory-utilization=0.9"},
            # gpt-oss mixes sliding-window and full attention, which is what the hybrid KV cache manager is for.
            tuned=("--no-disable-hybrid-kv-cache-manager",),
            env=variables("VLLM_NIXL_SIDE_CHANNEL_HOST=@status.podIP"),
            kv=NIXL,
            shm="20Gi",
        ),
        Build(
            engine=SGLANG,
            image="docker.io/lmsysorg/sglang:v0.5.8.post1-cu130",
            argv="--model-path={model} --port={port} --host=0.0.0.0 --disaggregation-mode={role}"
            " --disaggregation-transfer-backend=nixl --tensor-parallel-size={tp} --log-level=info --enable-metrics"
            " --uvicorn-access-log-exclude-prefixes=/metrics",
            sizing={"aws": {"prefill": Sizing(2, 4, "16", "64Gi")}},
        ),
    ),
)
