"""Placeholder until the researched lists are in."""

_GUIDE = frozenset(
    {
        "disagg-headers-handler", "always-disagg-pd-decider", "disagg-profile-handler", "prefill-filter", "decode-filter",
        "prefix-cache-scorer", "queue-scorer", "kv-cache-utilization-scorer", "active-request-scorer", "max-score-picker",
    }
)  # fmt: skip
PLUGINS_0_8 = PLUGINS_0_9 = _GUIDE
IN_MEMORY = frozenset({"prefix-cache-scorer", "active-request-scorer"})
CONFIG_KEYS_0_8 = CONFIG_KEYS_0_9 = frozenset({"apiVersion", "kind", "plugins", "schedulingProfiles", "featureGates"})
