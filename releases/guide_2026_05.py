"""The bill of llm-d's guide "P/D Disaggregation" at 8c62784 of 2026-05-26, with the charts and CRDs of GAIE v1.5.0.

Model-server images are not listed: they are the defaults of the builds in `hardware/accelerators`.
"""

from hardware.bill import Bill, EngineMetrics, Metrics, Sidecar
from releases.gateway_api import GATEWAY_API
from releases.router_2026_05 import CRDS, GAIE, ROUTER

COMMIT = "8c62784"

#: Title of a difference in behaviour between releases (llm-d-router#1206, in v0.9.0).
FAILED_PREFILL = "a prefill that fails"

BILL = Bill(
    name="guide-2026-05",
    date="2026-05-26",
    commit=COMMIT,
    source=f"https://github.com/llm-d/llm-d/tree/{COMMIT}/guides/pd-disaggregation",
    router=ROUTER,
    sidecar=Sidecar(
        image="ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0",
        args=(
            "--port=8000",
            "--vllm-port=8200",
            "--connector={connector}",
            "--zap-log-level=1",
            "--secure-proxy=false",
        ),
        image_pull_policy="Always",
    ),
    crds=CRDS,
    metrics=Metrics(
        # llm-d-router v0.8.0, pkg/metrics/metrics.go; renamed in v0.9.
        decisions="llm_d_inference_scheduler_disagg_decision_total",
        decision_label="decision_type",
        engines={
            "vllm": EngineMetrics(
                requests="vllm:request_success_total",
                prompt_tokens="vllm:prompt_tokens_total",
                generation_tokens="vllm:generation_tokens_total",
                external_hits="vllm:external_prefix_cache_hits_total",
                kv_bytes="vllm:nixl_bytes_transferred_sum",
                kv_failures="vllm:nixl_num_failed_transfers_total",
            ),
            "sglang": EngineMetrics(
                requests="sglang:num_requests_total",
                prompt_tokens="sglang:prompt_tokens_total",
                generation_tokens="sglang:generation_tokens_total",
            ),
        },
    ),
    engine_label="inference.networking.k8s.io/engine-type",
    guide_label="llm-d.ai/guide",
    # Upstream added them in June.
    lacks=frozenset({("tpu-v6e",), ("nvidia", "aws")}),
    apis={"Gateway API Inference Extension": GAIE, "Gateway API": GATEWAY_API},
    kv_compatibility="vllm-0.19 sglang-0.5.8",
    behaviour={FAILED_PREFILL: "decode does the whole request itself, slowly and unnoticed"},
)
