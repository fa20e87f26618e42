"""Intel Gaudi through DRA claims. Upstream dropped it on 2026-06-22, so it exists in the pinned guide only.

Pods are privileged: their namespace must admit that. Upstream asks for no cpu and no memory.
"""

from dataclasses import replace

from hardware.engines import NIXL, VLLM
from hardware.fabrics import POD_NETWORK
from hardware.vocabulary import Accelerator, Build, Devices, Naming, Sizing, slow_probes, variables

HPU = Accelerator(
    key="hpu",
    naming=Naming(vendor="intel", variant="hpu", slug="hpu"),
    model="Qwen/Qwen3-8B",
    devices=Devices(device_class="gaudi.intel.com"),
    probes=slow_probes(startup_failures=60),
    prefill=Sizing(4, 1),
    decode=Sizing(1, 4),
    fabrics={"base": replace(POD_NETWORK, kv={"kv_buffer_device": "cpu"}, request="intel-gaudi")},
    builds=(
        Build(
            engine=VLLM,
            image="ghcr.io/llm-d/llm-d-hpu:v0.7.0",
            argv="{model} --disable-uvicorn-access-log --tensor-parallel-size={tp} --enforce-eager"
            " --gpu-memory-utilization=0.9 --kv-transfer-config {kv}",
            env=variables(
                "OMPI_MCA_btl_vader_single_copy_mechanism=none HABANA_LOGS=/tmp/habana_logs UCX_TLS=tcp"
                " VLLM_NIXL_SIDE_CHANNEL_HOST=@status.podIP VLLM_NIXL_SIDE_CHANNEL_PORT=5600 VLLM_LOGGING_LEVEL=DEBUG"
                " VLLM_SKIP_WARMUP=true PT_HPU_LAZY_MODE=1 PT_HPU_ENABLE_LAZY_COLLECTIVES=true"
                " LD_LIBRARY_PATH=/usr/lib/nixl_ofi:/usr/local/lib:/usr/lib:/opt/amazon/openmpi/lib:/usr/lib/habanalabs"
                " DO_NOT_TRACK=1 VLLM_USE_V1=1"
            ),
            kv=replace(NIXL, separator=","),
            container={"imagePullPolicy": "IfNotPresent", "securityContext": {"privileged": True}},
        ),
    ),
)
