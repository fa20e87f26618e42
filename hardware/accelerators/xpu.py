"""Intel GPUs through DRA claims."""

from dataclasses import replace

from hardware.engines import NIXL, VLLM
from hardware.fabrics import DRANET_XPU, POD_NETWORK
from hardware.vocabulary import Accelerator, Build, Devices, Naming, Sizing, slow_probes, variables

XPU = Accelerator(
    key="xpu",
    naming=Naming(vendor="intel", variant="xpu", slug="xpu"),
    model="Qwen/Qwen3-0.6B",
    devices=Devices(device_class="gpu.intel.com"),
    probes=slow_probes(startup_failures=60),
    prefill=Sizing(3, 1, "8", "64Gi"),
    decode=Sizing(1, 1, "16", "64Gi"),
    fabrics={"base": replace(POD_NETWORK, kv={"kv_buffer_device": "cpu"}, request="intel"), "rdma": DRANET_XPU},
    builds=(
        Build(
            engine=VLLM,
            image="ghcr.io/llm-d/llm-d-xpu:v0.7.0",
            argv="{model} --disable-uvicorn-access-log --tensor-parallel-size={tp} --block-size=64"
            " --kv-transfer-config {kv} --max-model-len=32000",
            tuned=("--max-model-len",),
            env=variables(
                "UCX_TLS=tcp VLLM_NIXL_SIDE_CHANNEL_HOST=@status.podIP VLLM_NIXL_SIDE_CHANNEL_PORT=5600"
                " VLLM_USE_V1=1 TORCH_LLM_ALLREDUCE=1 VLLM_WORKER_MULTIPROC_METHOD=spawn"
            ),
            kv=NIXL,
            # 107 is the group that owns /dev/dri on the node.
            spec={"securityContext": {"fsGroup": 107, "supplementalGroups": [107]}},
        ),
    ),
)
