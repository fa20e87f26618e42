"""llm-d's guide "P/D Disaggregation" as pinned: llm-d 8c62784 of 2026-05-26, on the charts and CRDs of GAIE v1.5.0.

Model-server images are not listed: this is the release the builds in `hardware/accelerators` were written from.
"""

import yaml

from hardware.bill import Bill, Chart, Crd, EngineMetrics, Metrics, Router, Sidecar

COMMIT = "8c62784"
GAIE = "v1.5.0"
CRD_URL = f"https://raw.githubusercontent.com/kubernetes-sigs/gateway-api-inference-extension/{GAIE}/config/crd/bases"

CRD_SHA256 = {
    "inference.networking.k8s.io_inferencepools.yaml": (
        "0bc3ddd94db6f588a5cecc627c39e3d12b4343d51c48d47ffa68c50fa73c290c"
    ),
    "inference.networking.x-k8s.io_inferencemodelrewrites.yaml": (
        "887abbc047e7e36633f2f28ee47dc59cae5293ebef110e57cc286ab4605d8a97"
    ),
    "inference.networking.x-k8s.io_inferenceobjectives.yaml": (
        "e06a3e13e91f7a3a71a9d4146fb56076a247f43ad72b6401f8039ccf9cfa3700"
    ),
    "inference.networking.x-k8s.io_inferencepoolimports.yaml": (
        "45b32d60ca88057723f1e67bc732cf13745bea0fe0b755ccedec88c58e1228cc"
    ),
}

EPP_REGISTRY, EPP_OWNER, EPP_NAME, EPP_TAG = "ghcr.io", "llm-d", "llm-d-inference-scheduler", "v0.8.0"

BASE_VALUES = {
    "inferenceExtension": {
        "replicas": 1,
        "image": {
            # Charts up to v1.4 read hub and name, later ones registry and repository; upstream writes both.
            "hub": f"{EPP_REGISTRY}/{EPP_OWNER}",
            "name": EPP_NAME,
            "registry": EPP_REGISTRY,
            "repository": f"{EPP_OWNER}/{EPP_NAME}",
            "tag": EPP_TAG,
        },
        "flags": {"v": 2},
        "failureMode": "FailOpen",
        "pluginsConfigFile": "default-plugins.yaml",
        # Upstream's scale test: p90 of scheduling under 100 ms. No CPU limit, so that bursts may use the node.
        "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
        "sidecar": {
            # The chart's own default logs at trace level and starts a worker per core of the node.
            "args": [
                *("--service-node", "envoy-sidecar"),
                *("--log-level", "warn"),
                *("--concurrency", "8"),
                *("--drain-strategy", "immediate"),
                *("--drain-time-s", "60"),
                *("-c", "/etc/envoy/envoy.yaml"),
            ],
            "resources": {"requests": {"cpu": "4", "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
        },
        "tracing": {
            "otelExporterEndpoint": "http://localhost:4317",
            "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "0.1"},
        },
    },
    "inferencePool": {"modelServerProtocol": "http"},
}

PLUGIN_CONFIG = {
    "apiVersion": "inference.networking.x-k8s.io/v1alpha1",
    "kind": "EndpointPickerConfig",
    "plugins": [
        {"type": "disagg-headers-handler"},
        {"type": "always-disagg-pd-decider"},
        {"type": "disagg-profile-handler", "parameters": {"deciderPluginName": "always-disagg-pd-decider"}},
        {"type": "prefill-filter"},
        {"type": "decode-filter"},
        {"type": "prefix-cache-scorer"},
        {"type": "queue-scorer"},
        {"type": "kv-cache-utilization-scorer"},
        {"type": "active-request-scorer"},
        {"type": "max-score-picker"},
    ],
    "schedulingProfiles": [
        {
            "name": "prefill",
            "plugins": [
                {"pluginRef": "prefill-filter"},
                {"pluginRef": "prefix-cache-scorer", "weight": 3},
                {"pluginRef": "queue-scorer", "weight": 2},
                {"pluginRef": "kv-cache-utilization-scorer", "weight": 2},
                {"pluginRef": "max-score-picker"},
            ],
        },
        {
            "name": "decode",
            "plugins": [
                {"pluginRef": "decode-filter"},
                {"pluginRef": "active-request-scorer", "weight": 2},
                {"pluginRef": "prefix-cache-scorer", "weight": 3},
                {"pluginRef": "max-score-picker"},
            ],
        },
    ],
}

PD_VALUES = {
    "inferenceExtension": {
        "extraServicePorts": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8081}],
        "pluginsConfigFile": "pd-config.yaml",
        "pluginsCustomConfig": {"pd-config.yaml": yaml.safe_dump(PLUGIN_CONFIG, sort_keys=False)},
    },
}

MONITORING_VALUES = {
    "inferenceExtension": {
        "monitoring": {"interval": "10s", "prometheus": {"enabled": True, "auth": {"enabled": False}}},
    },
}

BILL = Bill(
    name="guide-2026-05",
    date="2026-05-26",
    commit=COMMIT,
    source=f"https://github.com/llm-d/llm-d/tree/{COMMIT}/guides/pd-disaggregation",
    router=Router(
        charts={"standalone": Chart("oci://registry.k8s.io/gateway-api-inference-extension/charts/standalone", GAIE)},
        image=f"{EPP_REGISTRY}/{EPP_OWNER}/{EPP_NAME}:{EPP_TAG}",
        proxy_image="docker.io/envoyproxy/envoy:distroless-v1.33.2",
        values=(BASE_VALUES, PD_VALUES),
        features={"monitoring": MONITORING_VALUES},
        match_labels=("inferencePool", "modelServers", "matchLabels"),
        plugin_config=PLUGIN_CONFIG,
    ),
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
    crds=tuple(Crd(file, f"{CRD_URL}/{file}", sha256) for file, sha256 in CRD_SHA256.items()),
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
)
