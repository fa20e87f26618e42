"""The router of llm-d's guide as pinned (8c62784): charts and CRDs of GAIE v1.5.0, and the guide's values for them."""

from typing import Any

import yaml

from hardware.bill import Chart, ChartImage, Crd, InModule, Router
from releases.gateways import GATEWAY
from releases.picker_plugins import CONFIG_KEYS_0_8, IN_MEMORY, PLUGINS_0_8

GAIE = "v1.5.0"
GAIE_MODULE = "sigs.k8s.io/gateway-api-inference-extension"
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

BASE_VALUES: dict[str, Any] = {
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

PLUGIN_CONFIG: dict[str, Any] = {
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

PLUGIN_FILE = "pd-config.yaml"

PD_VALUES: dict[str, Any] = {
    "inferenceExtension": {
        "extraServicePorts": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8081}],
        "pluginsConfigFile": PLUGIN_FILE,
        "pluginsCustomConfig": {PLUGIN_FILE: yaml.safe_dump(PLUGIN_CONFIG, sort_keys=False)},
    },
}

MONITORING: dict[str, Any] = {
    "inferenceExtension": {
        "monitoring": {"interval": "10s", "prometheus": {"enabled": True, "auth": {"enabled": False}}},
    },
}

#: GKE's exporter reads the metrics with a token: without authentication the chart renders no monitor on GKE.
MONITORING_ON_GKE: dict[str, Any] = {
    "inferenceExtension": {
        "monitoring": {"interval": "10s", "prometheus": {"enabled": True, "auth": {"enabled": True}}}
    }
}

TRACING: dict[str, Any] = {
    "inferenceExtension": {
        "tracing": {
            "enabled": True,
            "otelExporterEndpoint": "http://otel-collector:4317",
            "sampling": {"sampler": "parentbased_traceidratio", "samplerArg": "0.05"},
        },
    },
}

#: `0s`: the maximum that the gateway's implementation supports.
HTTP_ROUTE: dict[str, Any] = {
    "experimentalHttpRoute": {
        "enabled": True,
        "inferenceGatewayName": GATEWAY,
        "requestTimeout": "0s",
    },
}

CRDS = tuple(
    Crd(file, f"{CRD_URL}/{file}", sha256, InModule(GAIE_MODULE, f"config/crd/bases/{file}"))
    for file, sha256 in CRD_SHA256.items()
)

CHARTS = "oci://registry.k8s.io/gateway-api-inference-extension/charts"

ROUTER = Router(
    charts={
        "standalone": Chart(f"{CHARTS}/standalone", GAIE, InModule(GAIE_MODULE, "config/charts/standalone")),
        "gateway": Chart(f"{CHARTS}/inferencepool", GAIE, InModule(GAIE_MODULE, "config/charts/inferencepool")),
    },
    endpoint_picker=ChartImage(
        f"{EPP_REGISTRY}/{EPP_OWNER}/{EPP_NAME}:{EPP_TAG}",
        {
            ("inferenceExtension", "image", "hub"): "{place}",
            ("inferenceExtension", "image", "name"): "{base}",
            ("inferenceExtension", "image", "registry"): "{host}",
            ("inferenceExtension", "image", "repository"): "{path}",
            ("inferenceExtension", "image", "tag"): "{tag}",
        },
    ),
    proxy=ChartImage(
        "docker.io/envoyproxy/envoy:distroless-v1.33.2", {("inferenceExtension", "sidecar", "image"): "{image}"}
    ),
    values=(BASE_VALUES, PD_VALUES),
    features={"tracing": TRACING, "httpRoute": HTTP_ROUTE},
    monitoring={"*": MONITORING, "gke": MONITORING_ON_GKE},
    settings={
        "matchLabels": ("inferencePool", "modelServers", "matchLabels"),
        "replicas": ("inferenceExtension", "replicas"),
        "resources": ("inferenceExtension", "resources"),
        "proxyResources": ("inferenceExtension", "sidecar", "resources"),
        "flags": ("inferenceExtension", "flags"),
        "failureMode": ("inferenceExtension", "failureMode"),
        "pluginFiles": ("inferenceExtension", "pluginsCustomConfig"),
        "extraPorts": ("inferenceExtension", "extraServicePorts"),
        "tracingEndpoint": ("inferenceExtension", "tracing", "otelExporterEndpoint"),
        "tracingRatio": ("inferenceExtension", "tracing", "sampling", "samplerArg"),
        "provider": ("provider", "name"),
        "protocol": ("inferencePool", "modelServerProtocol"),
        "targetPorts": ("inferencePool", "targetPorts"),
        "gatewayName": ("experimentalHttpRoute", "inferenceGatewayName"),
        "requestTimeout": ("experimentalHttpRoute", "requestTimeout"),
        "baseModel": ("experimentalHttpRoute", "baseModel"),
    },
    plugin_config=PLUGIN_CONFIG,
    plugin_file=PLUGIN_FILE,
    plugins=PLUGINS_0_8,
    in_memory=IN_MEMORY,
    plugin_keys=CONFIG_KEYS_0_8,
    epp_selector="inferencepool",
)
