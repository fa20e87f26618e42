"""The plugin configuration of each release's endpoint picker: plugin types, and the keys of an EndpointPickerConfig.

0.8 is llm-d-inference-scheduler v0.8.0 (05c91f0). It registers its own types (pkg/epp/framework/plugins/register.go) beside
those of the picker it wraps, gateway-api-inference-extension v1.5.0 (cmd/epp/runner/runner.go, registerInTreePlugins; keys:
apix/config/v1alpha1/endpointpickerconfig_types.go), and reads apiVersion inference.networking.x-k8s.io/v1alpha1.
0.9 is llm-d-router v0.9.0 (5f4e762; the same paths, all in one repository). It reads llm-d.ai/v1alpha1, and still the old one.

Both decode strictly and refuse to start with another key or type. `sheddable-eviction-filter` and
`priority-then-time-eviction-order-policy` register themselves too, in packages that neither binary links.
"""

_BOTH = frozenset(
    {
        # P/D: roles, profiles, deciders
        "by-label",
        "by-label-selector",
        "encode-filter",
        "prefill-filter",
        "decode-filter",
        "data-parallel-profile-handler",
        "disagg-headers-handler",
        "prefill-header-handler",
        "disagg-profile-handler",
        "pd-profile-handler",
        "single-profile-handler",
        "always-disagg-multimodal-decider",
        "always-disagg-pd-decider",
        "prefix-based-pd-decider",
        # filters, scorers, pickers
        "prefix-cache-affinity-filter",
        "slo-headroom-tier-filter",
        "active-request-scorer",
        "context-length-aware",
        "kv-cache-utilization-scorer",
        "latency-scorer",
        "load-aware-scorer",
        "lora-affinity-scorer",
        "no-hit-lru-scorer",
        "precise-prefix-cache-scorer",
        "prefix-cache-scorer",
        "queue-scorer",
        "running-requests-size-scorer",
        "session-affinity-scorer",
        "token-load-scorer",
        "max-score-picker",
        "random-picker",
        "weighted-random-picker",
        # flow control and admission
        "edf-ordering-policy",
        "fcfs-ordering-policy",
        "slo-deadline-ordering-policy",
        "global-strict-fairness-policy",
        "round-robin-fairness-policy",
        "static-usage-limit-policy",
        "concurrency-detector",
        "utilization-detector",
        "latency-slo-admitter",
        # data: producers, sources, extractors, parsers, reports
        "approx-prefix-cache-producer",
        "inflight-load-producer",
        "predicted-latency-producer",
        "tokenizer",
        "metrics-data-source",
        "models-data-source",
        "core-metrics-extractor",
        "endpoint-notification-source",
        "k8s-notification-source",
        "openai-parser",
        "passthrough-parser",
        "vllmgrpc-parser",
        "request-attribute-reporter",
        # upstream's conformance tests
        "destination-endpoint-served-verifier",
        "header-based-testing-filter",
    }
)

PLUGINS_0_8 = _BOTH | {"model-server-protocol-models", "predicted-latency-scorer"}

PLUGINS_0_9 = _BOTH | {
    "agent-identity",
    "anthropic-parser",
    "file-discovery",
    "label-selector-filter",
    "mm-embeddings-cache-producer",
    "mm-embeddings-cache-scorer",
    "models-data-extractor",
    "precise-prefix-cache-producer",
    "probabilistic-admitter",
    "program-aware-fairness",
    "session-affinity-filter",
    "session-id-producer",
    "token-producer",
    "vertexai-parser",
    "vllmhttp-parser",
}

#: Types that count or remember requests in one picker's memory, which replicas do not share. Both charts elect a leader among
#: replicas; only the leader is Ready and serves, and a new leader starts with empty memory. Without the election each replica
#: would see a part of the requests. The `precise-…` types are left out: model servers send their events to every replica.
IN_MEMORY = frozenset(
    {
        # With state of their own: an index of prefixes, counts of requests in flight, a queue per endpoint, an LRU list.
        "approx-prefix-cache-producer",
        "inflight-load-producer",
        "mm-embeddings-cache-producer",
        "no-hit-lru-scorer",
        "predicted-latency-producer",
        "predicted-latency-scorer",
        "program-aware-fairness",
        # Has its own state in 0.8 and reads the in-flight producer's in 0.9.
        "active-request-scorer",
        # Readers of those producers, which the picker adds if the configuration lacks them (0.8: for `prefix-cache-scorer` only).
        "concurrency-detector",
        "latency-scorer",
        "latency-slo-admitter",
        "mm-embeddings-cache-scorer",
        "prefix-based-pd-decider",
        "prefix-cache-affinity-filter",
        "prefix-cache-scorer",
        "slo-headroom-tier-filter",
        "token-load-scorer",
    }
)

CONFIG_KEYS_0_8 = frozenset(
    {
        "apiVersion",
        "kind",
        "featureGates",
        "plugins",
        "schedulingProfiles",
        "saturationDetector",
        "dataLayer",
        "flowControl",
        "parser",
    }
)

#: `saturationDetector` moved to `flowControl`, and `parser` to `requestHandler`; the old keys are still read.
CONFIG_KEYS_0_9 = CONFIG_KEYS_0_8 | {"requestHandler"}
