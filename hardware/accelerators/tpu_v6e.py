"""Google TPU v6e (Trillium) on GKE, one single-host 2x4 slice per pod. Upstream has it since 2026-06-12.

The sidecar's `nixlv2` and port 5600 are inherited as in `tpu.py`; names of objects are those of TPU7x. Upstream asks for no
cpu and no memory.
"""

from hardware.engines import TPU_PLAIN, VLLM
from hardware.fabrics import POD_NETWORK
from hardware.vocabulary import Accelerator, Build, Naming, Sizing, fast_probes, tpu_slice, variables

TPU_V6E = Accelerator(
    key="tpu-v6e",
    naming=Naming(vendor="google", variant="tpu-v6e", slug="tpu"),
    model="Qwen/Qwen3-32B",
    devices=tpu_slice("tpu-v6e-slice", "2x4", cores_per_chip=1),
    probes=fast_probes(startup_failures=240),
    prefill=Sizing(1, 8),
    decode=Sizing(1, 8),
    fabrics={"base": POD_NETWORK},
    builds=(
        Build(
            engine=VLLM,
            image="docker.io/vllm/vllm-tpu:v0.18.0",
            argv="{model} --max-model-len=9216 --tensor-parallel-size={tp} --dtype=bfloat16 --kv-transfer-config {kv}"
            " --port={port} --disable-access-log-for-endpoints=/health,/metrics,/v1/models",
            tuned=("--max-model-len", "--dtype"),
            env=variables("POD_IP=@status.podIP TPU_SIDE_CHANNEL_PORT=9600 TPU_KV_TRANSFER_PORT=9100"),
            kv=TPU_PLAIN,
            shm="100Gi",
            scratch={"metrics-volume": "/.config"},
        ),
    ),
)
