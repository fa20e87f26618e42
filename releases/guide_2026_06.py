"""The bill of llm-d's guide "P/D Disaggregation" at 7edda66 of 2026-06-27, with llm-d's own router charts.

Holds the release's changes to the builds in `hardware/accelerators`. Its additions (`tpu-v6e`, AWS) are rows there, which the
bill of May lacks. Model servers read HF_TOKEN from a Secret `llm-d-hf-token`.
"""

from dataclasses import replace

from hardware.bill import AddedEnv, Bill, Sidecar
from hardware.vocabulary import HF_TOKEN, SecretRef
from releases.guide_2026_05 import BILL as MAY
from releases.guide_2026_05 import FAILED_PREFILL
from releases.router_2026_06 import CRDS, DECISIONS, ROUTER

COMMIT = "7edda66"

NVIDIA_VLLM, NVIDIA_SGLANG, AMD_VLLM = ("nvidia", "vllm"), ("nvidia", "sglang"), ("amd", "vllm")
XPU_VLLM, TPU_VLLM, TPU_V6E_VLLM = ("xpu", "vllm"), ("tpu", "vllm"), ("tpu-v6e", "vllm")

#: AWS Deep Learning Containers: the engines with libfabric and NIXL's plug-in for libfabric.
AWS_IMAGES = "763104351884.dkr.ecr.us-east-1.amazonaws.com"

TOKEN = {HF_TOKEN: SecretRef("llm-d-hf-token", HF_TOKEN)}

BILL = Bill(
    name="guide-2026-06",
    date="2026-06-27",
    commit=COMMIT,
    source=f"https://github.com/llm-d/llm-d/tree/{COMMIT}/guides/pd-disaggregation",
    router=ROUTER,
    sidecar=Sidecar(
        image="ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0",
        args=(
            "--port=8000",
            "--vllm-port=8200",
            "--kv-connector={connector}",
            "--zap-log-level=1",
            "--secure-proxy=false",
        ),
        image_pull_policy="Always",
    ),
    crds=CRDS,
    metrics=replace(MAY.metrics, decisions=DECISIONS, still=frozenset({MAY.metrics.decisions})),
    engine_label="llm-d.ai/engine-type",
    guide_label="llm-d.ai/guide",
    images={
        NVIDIA_VLLM: "vllm/vllm-openai:v0.23.0",
        NVIDIA_SGLANG: "docker.io/lmsysorg/sglang:v0.5.13.post1",
        (*NVIDIA_VLLM, "aws"): f"{AWS_IMAGES}/vllm:0.23.0-gpu-py312-cu130-ubuntu22.04-ec2",
        (*NVIDIA_SGLANG, "aws"): f"{AWS_IMAGES}/sglang:0.5.12-gpu-py312-cu130-ubuntu24.04-ec2",
    },
    env=(
        AddedEnv(TOKEN, builds=frozenset({NVIDIA_VLLM, NVIDIA_SGLANG, AMD_VLLM}), first=True),
        AddedEnv(
            {"VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "120"},
            builds=frozenset({NVIDIA_VLLM, AMD_VLLM, XPU_VLLM, TPU_VLLM, TPU_V6E_VLLM}),
            roles=("prefill",),
        ),
        AddedEnv(TOKEN, builds=frozenset({XPU_VLLM, TPU_VLLM, TPU_V6E_VLLM})),
        AddedEnv({"USER": "llm-d"}, builds=frozenset({NVIDIA_VLLM, XPU_VLLM})),
    ),
    scratch={NVIDIA_VLLM: {"vllm-config": "/.config", "triton-cache": "/.triton"}},
    dropped={NVIDIA_VLLM: ("--gpu-memory-utilization",)},
    lacks=frozenset({("hpu",)}),
    apis=MAY.apis,
    kv_compatibility="vllm-0.23 sglang-0.5.13",
    behaviour={FAILED_PREFILL: "the client gets its error, and nothing tries again"},
    reasons={
        "llm-d.ai/engine-type": "llm-d moved its labels from the inference extension's prefix to its own (llm-d#1642)",
        HF_TOKEN: "Hugging Face answers too many downloads without a token with 429 (llm-d#1684)",
        "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "vLLM closes an idle connection after 5 s, the routing proxy keeps it for 90 s and "
        "then writes into a reset: a 502 (llm-d#1564)",
        "USER": "vLLM fails where the user has no name (vllm#44548)",
        "--kv-connector": "`--connector` is deprecated and gone in the routing proxy's v0.10 (llm-d-router#2054)",
        "chart": "the inference extension gave up its charts after v1.5, and llm-d's router brings its own (llm-d#1607)",
        "apiVersion": "the configuration is llm-d's own now, and the old group deprecated (llm-d-router#972)",
        "max-score-picker": "it is the default picker of a profile",
    },
)
