"""The rules of router and gateway: each finds what it is for, and what a team may ask for passes."""

from typing import Any

import pytest

from releases.gateways import RECIPES
from tests.unit.test_rules import problems

NVIDIA = {"accelerator": "nvidia"}
OWN_PLUGINS: dict[str, Any] = {
    "plugins": [{"type": "queue-scorer"}, {"type": "decode-filter", "name": "mine"}, {"type": "max-score-picker"}],
    "schedulingProfiles": [{"name": "decode", "plugins": [{"pluginRef": "mine"}, {"pluginRef": "queue-scorer"}]}],
}


def gateway(provider: str, **more: Any) -> dict[str, Any]:
    return {"mode": "gateway", "gateway": {"provider": provider, **more}}


#: Rule, `router`, the rest, path, words of the sentence.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("GW-01", {"mode": "gateway"}, {}, "router.gateway", "add `gateway: {provider: istio}`"),
    ("GW-01", {"gateway": {"provider": "gke"}}, {}, "router.gateway", "write `mode: gateway`"),
    ("GW-01", gateway("istio", recipe="gke-l7-rilb"), {}, "router.gateway.recipe", "write `istio`"),
    ("GW-01", gateway("gke", recipe="gke-l7-ril"), {}, "router.gateway.recipe", "did you mean `gke-l7-rilb`?"),
    ("GW-01", gateway("na"), {}, "router.gateway.className", "name of a GatewayClass"),
    ("GW-01", gateway("istio", namespace="other"), {}, "router.gateway.namespace", "or write `manage: false`"),
    ("GW-01", gateway("gke", install=True), {}, "router.gateway.install", "GKE brings its own"),
    ("GW-01", gateway("istio", install=True, manage=False), {}, "router.gateway.install", "who owns the Gateway installs"),
    ("GW-01", gateway("istio", backendTimeout=600), {}, "router.gateway.backendTimeout", "write `requestTimeout: 600s` instead"),
    ("GW-01", gateway("gke", requestTimeout="600s"), {}, "router.gateway.requestTimeout", "write `backendTimeout: 600` instead"),
    ("GW-01", gateway("gke", requestTimeout="1h30m"), {}, "router.gateway.requestTimeout", "`backendTimeout: 5400`"),
    ("GW-01", gateway("gke", requestTimeout="20ms"), {}, "router.gateway.requestTimeout", "`backendTimeout: 1`"),
    ("GW-01", gateway("istio", retain=False), {}, "router.gateway.retain", "or write `install: true`"),
    ("GW-01", gateway("istio", manage=False, className="istio"), {}, "router.gateway.className", "it is the owner's"),
    ("GW-01", gateway("istio", manage=False, deleteInUse=True), {}, "router.gateway.deleteInUse", "it is the owner's"),
    ("GW-01", gateway("istio", baseModel="20"), {}, "router.gateway.baseModel", "it would be no text"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "apiVersion": "llm-d.ai/v1"}}, {}, "router.plugins.apiVersion", "leave it out"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "profiles": []}}, {}, "router.plugins.profiles",
     "leave it out; the sections are apiVersion"),
    ("ROUTER-01", {"plugins": {"plugins": [{"type": "queue-scoer"}]}}, {},
     "router.plugins.plugins[0].type", "mean `queue-scorer`?"),
    ("ROUTER-01", {"plugins": {"plugins": "queue-scorer"}}, {}, "router.plugins.plugins",
     "it is no list of `{type: …}`, because the endpoint picker would not start; write something like `[{type: queue-scorer}]`."),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": [{"plugins": [{"pluginRef": "queue"}]}]}}, {},
     "router.plugins.schedulingProfiles[0].plugins[0].pluginRef", "`pluginRef: queue` refers to no plugin"),
    ("ROUTER-01", {"plugins": {"plugins": [{"type": ["queue-scorer"]}]}}, {},
     "router.plugins.plugins[0]", "it is no `{type: …}`"),
    ("ROUTER-01", {"plugins": {"plugins": [{"type": "queue-scorer", "name": ["a"]}]}}, {},
     "router.plugins.plugins[0]", "it is no `{type: …}`"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": [{"plugins": [{"pluginRef": ["mine"]}]}]}}, {},
     "router.plugins.schedulingProfiles[0].plugins[0].pluginRef", "`pluginRef: ['mine']` refers to no plugin"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": [{"plugins": 7}]}}, {},
     "router.plugins.schedulingProfiles[0].plugins", "it is no list of `{pluginRef: …}`"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": [{"plugins": ["mine"]}]}}, {},
     "router.plugins.schedulingProfiles[0].plugins[0]", "write `{pluginRef: mine}`"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": {"name": "a"}}}, {},
     "router.plugins.schedulingProfiles", "it is no list of `{name: …, plugins: …}`"),
    ("ROUTER-01", {"plugins": {"plugins": [], "schedulingProfiles": [{"plugins": [{"pluginRef": "a"}]}]}}, {},
     "router.plugins.schedulingProfiles[0].plugins[0].pluginRef", "add it to `plugins`"),
    ("ROUTER-01", {"plugins": {**OWN_PLUGINS, "schedulingProfiles": ["mine-too"]}}, {},
     "router.plugins.schedulingProfiles[0]", "it is no `{name: …, plugins: …}`"),
    ("ROUTER-02", {"replicas": 2}, {}, "router.replicas", "2 replicas of an endpoint picker with prefix-cache-scorer"),
    ("ROUTER-02", {"replicas": 2, "plugins": OWN_PLUGINS}, {}, "router.wait", "only the leader is ever Ready"),
    ("ROUTER-03", {"flags": {"config-file": "/x"}}, {}, "router.flags.config-file", "it follows from `router.plugins`"),
    ("ROUTER-04", {**gateway("istio"), "proxyResources": {"limits": {"cpu": "8"}}}, {}, "router.proxyResources", "the proxy"),
    ("ROUTER-04", {"failureMode": "FailClose"}, {}, "router.failureMode", "the chart's own proxy does not"),
    ("ROUTER-05", {"resources": {"requests": {"memory": "32Gi"}}}, {},
     "router.resources.requests.memory", "upstream's limit 16Gi"),
    ("ROUTER-05", {"proxyResources": {"requests": {"cpu": "8"}, "limits": {"cpu": "7500m"}}}, {"release": "guide-2026-06"},
     "router.proxyResources.requests.cpu", "8 cpu asked for and limit 7500m"),
    ("ROUTER-06", {"extraPorts": [{"name": "mine", "port": 9002, "targetPort": 1}]}, {}, "router.extraPorts[0].port", "9002"),
    ("ROUTER-06", {"extraPorts": [{"name": "http", "port": 81, "targetPort": 1}]}, {"release": "guide-2026-06"},
     "router.extraPorts[0].name", "port name `http` is taken"),
    ("ROUTER-06", {"extraPorts": [{"name": name, "port": 443, "targetPort": 1} for name in "ab"]}, {},
     "router.extraPorts[1].port", "port 443 of TCP is taken"),
    ("BILL-02", {"values": {"router": {}}}, {}, "router.values.router", "`router` is a key of release guide-2026-06's chart"),
    ("BILL-02", {"values": {"inferencePool": {}}}, {"release": "guide-2026-06"},
     "router.values.inferencePool", "guide-2026-05's chart"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "router", "more", "path", "words"), FINDINGS, ids=[f"{f[0]} {f[4][:40]}" for f in FINDINGS]
)
def test_a_rule_finds_what_it_is_for(
    rule: str, router: dict[str, Any], more: dict[str, Any], path: str, words: str
) -> None:
    (found,) = problems(NVIDIA, router=router, **more)
    assert (found.rule, found.path) == (rule, f"llmd-pd:{path}")
    assert words in str(found)


@pytest.mark.parametrize(
    "router",
    [
        *(gateway(recipe.provider, recipe=key, className="c") for key, recipe in RECIPES.items()),
        gateway("istio", install=True, retain=False, requestTimeout="1h"),
        gateway("agentgateway", manage=False, namespace="shared", baseModel="gpt-oss-120b"),
        gateway("gke", backendTimeout=3600),
        {"plugins": OWN_PLUGINS, "replicas": 2, "wait": False},
        {"plugins": {**OWN_PLUGINS, "apiVersion": "inference.networking.x-k8s.io/v1alpha1"}},
        {"flags": {"v": 4, "kv-cache": True}, "tracing": {}},
        {**gateway("istio"), "failureMode": "FailClose"},
        {"values": {"inferenceExtension": {"affinity": {}}}},
        {"extraPorts": [{"name": "https", "port": 443, "targetPort": 8443}]},
        {"extraPorts": [{"name": "quic", "port": 80, "targetPort": 8443, "protocol": "UDP"}]},
        {"resources": {"requests": {"memory": "32Gi"}, "limits": {"memory": "32Gi", "cpu": "4"}}},
    ],
    ids=str,
)
def test_what_a_team_may_ask_for(router: dict[str, Any]) -> None:
    assert problems(NVIDIA, router=router) == []
