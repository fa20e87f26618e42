"""The router of June's guide (llm-d 7edda66): llm-d's own router charts, which refuse the keys of GAIE's charts.

The values do not name the endpoint picker's image, like upstream's: the published chart carries its own version.
"""

from typing import Any

import yaml

from hardware.bill import Chart, ChartImage, Crd, Router
from releases import router_2026_05 as may
from releases.gateways import GATEWAY
from releases.picker_plugins import CONFIG_KEYS_0_9, IN_MEMORY, PLUGINS_0_9

VERSION = "v0.9.0"

EPP_HOST, EPP_OWNER, EPP_NAME = "ghcr.io", "llm-d", "llm-d-router-endpoint-picker"

#: The counter of the router's decisions (llm-d-router v0.9.0, pkg/metrics): renamed from llm_d_inference_scheduler_….
DECISIONS = "llm_d_epp_disagg_decision_total"

BASE_VALUES: dict[str, Any] = {
    "router": {
        "epp": {
            "replicas": 1,
            "flags": {"v": 2},
            "pluginsConfigFile": "default-plugins.yaml",
            "resources": may.BASE_VALUES["inferenceExtension"]["resources"],
        },
        "inferencePool": {"failureMode": "FailOpen"},
        "modelServers": {"protocol": "http"},
        "proxy": may.BASE_VALUES["inferenceExtension"]["sidecar"],
        "tracing": may.BASE_VALUES["inferenceExtension"]["tracing"],
    },
}

#: Upstream's configuration of this release: the scorers of May's under another apiVersion; the max-score-picker is implied.
PLUGIN_CONFIG: dict[str, Any] = {
    "apiVersion": "llm-d.ai/v1alpha1",
    "kind": "EndpointPickerConfig",
    "plugins": [row for row in may.PLUGIN_CONFIG["plugins"] if row["type"] != "max-score-picker"],
    "schedulingProfiles": [
        {**profile, "plugins": [row for row in profile["plugins"] if row["pluginRef"] != "max-score-picker"]}
        for profile in may.PLUGIN_CONFIG["schedulingProfiles"]
    ],
}

PLUGIN_FILE = may.PLUGIN_FILE

PD_VALUES: dict[str, Any] = {
    "router": {
        "extraServicePorts": may.PD_VALUES["inferenceExtension"]["extraServicePorts"],
        "epp": {
            "pluginsConfigFile": PLUGIN_FILE,
            "pluginsCustomConfig": {PLUGIN_FILE: yaml.safe_dump(PLUGIN_CONFIG, sort_keys=False)},
        },
    },
}

MONITORING: dict[str, Any] = {"router": {"monitoring": may.MONITORING["inferenceExtension"]["monitoring"]}}

#: As in May's charts: without authentication the chart renders no monitor on GKE.
MONITORING_ON_GKE: dict[str, Any] = {
    "router": {"monitoring": may.MONITORING_ON_GKE["inferenceExtension"]["monitoring"]}
}

TRACING: dict[str, Any] = {"router": {"tracing": may.TRACING["inferenceExtension"]["tracing"]}}

HTTP_ROUTE: dict[str, Any] = {
    "httpRoute": {"create": True, "inferenceGatewayName": GATEWAY, "requestTimeout": "0s"},
}

#: June's guide installs InferencePool only: its endpoint picker starts without the other CRDs.
CRDS: tuple[Crd, ...] = tuple(crd for crd in may.CRDS if crd.file.endswith("_inferencepools.yaml"))

CHARTS = "oci://ghcr.io/llm-d/charts"

ROUTER = Router(
    charts={
        "standalone": Chart(f"{CHARTS}/llm-d-router-standalone", VERSION),
        "gateway": Chart(f"{CHARTS}/llm-d-router-gateway", VERSION),
    },
    endpoint_picker=ChartImage(
        f"{EPP_HOST}/{EPP_OWNER}/{EPP_NAME}:{VERSION}",
        {
            ("router", "epp", "image", "registry"): "{place}",
            ("router", "epp", "image", "repository"): "{base}",
            ("router", "epp", "image", "tag"): "{tag}",
        },
    ),
    proxy=ChartImage("docker.io/envoyproxy/envoy:distroless-v1.33.2", {("router", "proxy", "image"): "{image}"}),
    values=(BASE_VALUES, PD_VALUES),
    features={"tracing": TRACING, "httpRoute": HTTP_ROUTE},
    monitoring={"*": MONITORING, "gke": MONITORING_ON_GKE},
    settings={
        "matchLabels": ("router", "modelServers", "matchLabels"),
        "replicas": ("router", "epp", "replicas"),
        "resources": ("router", "epp", "resources"),
        "proxyResources": ("router", "proxy", "resources"),
        "flags": ("router", "epp", "flags"),
        "failureMode": ("router", "inferencePool", "failureMode"),
        "pluginFiles": ("router", "epp", "pluginsCustomConfig"),
        "extraPorts": ("router", "extraServicePorts"),
        "tracingEndpoint": ("router", "tracing", "otelExporterEndpoint"),
        "tracingRatio": ("router", "tracing", "sampling", "samplerArg"),
        "provider": ("provider", "name"),
        "protocol": ("router", "modelServers", "protocol"),
        "targetPorts": ("router", "modelServers", "targetPorts"),
        "gatewayName": ("httpRoute", "inferenceGatewayName"),
        "gatewayNamespace": ("httpRoute", "inferenceGatewayNamespace"),
        "requestTimeout": ("httpRoute", "requestTimeout"),
        "baseModel": ("httpRoute", "baseModel"),
    },
    plugin_config=PLUGIN_CONFIG,
    plugin_file=PLUGIN_FILE,
    plugins=PLUGINS_0_9,
    in_memory=IN_MEMORY,
    plugin_keys=CONFIG_KEYS_0_9,
    epp_selector="llm-d-router-gateway",
)
