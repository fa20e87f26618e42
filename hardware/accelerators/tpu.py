"""Google TPU7x on GKE, one single-host 2x2x1 slice per pod.

Port `nixl` (5600) and the sidecar's `nixlv2` are inherited upstream although the connector is not NIXL; reproduced.
"""

from hardware.engines import TPU_HMA, VLLM
from hardware.fabrics import POD_NETWORK
from hardware.vocabulary import Accelerator, Build, Naming, Sizing, fast_probes, tpu_slice, variables

TPU = Accelerator(
    key="tpu",
    naming=Naming(vendor="google", variant="tpu", slug="tpu"),
    model="Qwen/Qwen3.5-397B-A17B-FP8",
    devices=tpu_slice("tpu7x", "2x2x1", cores_per_chip=2),
    probes=fast_probes(startup_failures=240),
    prefill=Sizing(1, 4, "200", "800Gi"),
    decode=Sizing(1, 4, "200", "800Gi"),
    fabrics={"base": POD_NETWORK},
    builds=(
        Build(
            engine=VLLM,
            image="docker.io/vllm/vllm-tpu:nightly-20260430-18ed615-5b39b26",
            argv="{model} --max-model-len=9216 --max-num-batched-tokens=8192 --max-num-seqs=512"
            ' --tensor-parallel-size={tp} --language-model-only --limit-mm-per-prompt \'{"image": 0, "video": 0}\''
            " --kv-cache-dtype=fp8 --enable-expert-parallel --no-disable-hybrid-kv-cache-manager --kv-transfer-config {kv}"
            " --port={port} --disable-access-log-for-endpoints=/health,/metrics,/v1/models",
            tuned=("--max-model-len", "--language-model-only", "--limit-mm-per-prompt", "--enable-expert-parallel"),
            env=variables("POD_IP=@status.podIP TPU_SIDE_CHANNEL_PORT=9600 TPU_KV_TRANSFER_PORT=9100"),
            kv=TPU_HMA,
            shm="100Gi",
            scratch={"metrics-volume": "/.config"},
        ),
    ),
)
