"""AMD Instinct GPUs through the device plugin, on ROCm."""

from hardware.engines import NIXL, VLLM
from hardware.fabrics import POD_NETWORK, SHARED_INFINIBAND, SRIOV
from hardware.vocabulary import Accelerator, Build, Devices, Naming, Sizing, fast_probes, variables

AMD = Accelerator(
    key="amd",
    naming=Naming(vendor="amd", variant="gpu", slug="rocm"),
    model="amd/Llama-3.3-70B-Instruct-FP8-KV",
    devices=Devices(resource="amd.com/gpu"),
    probes=fast_probes(startup_failures=60),
    prefill=Sizing(4, 1, "8", "256Gi"),
    decode=Sizing(1, 4, "16", "256Gi"),
    fabrics={"base": POD_NETWORK, "oci": SRIOV, "tensorwave": SHARED_INFINIBAND},
    builds=(
        Build(
            engine=VLLM,
            image="ghcr.io/llm-d/llm-d-rocm:v0.7.0",
            argv="{model} --disable-uvicorn-access-log --tensor-parallel-size={tp} --block-size=128"
            " --kv-transfer-config {kv} --attention-backend=ROCM_ATTN --max-model-len=32000",
            tuned=("--max-model-len",),
            env=variables("VLLM_NIXL_SIDE_CHANNEL_HOST=@status.podIP"),
            kv=NIXL,
        ),
    ),
)
