"""Monitors of the Prometheus operator: refused in a cluster that cannot have it, and in one that does not have it."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from stacks.findings import StackFileError
from stacks.program import check_live_cluster
from stacks.rules.facts import Facts
from stacks.rules.monitoring import API, operator_kinds
from stacks.rules.table import examine
from tests.blueprints import asking_all
from tests.cks_plans import CKS, CLUSTER, SERVING
from tests.unit.api_server import NAMESPACE, OWNER, SECRETS, Answer, ApiServer, Look, kubeconfig, namespace, releases
from tests.unit.test_gke_rules import DRANET
from tests.unit.test_rules import spec

GKE: dict[str, Any] = {
    "provider": "gke",
    "machine": "gke-a3-ultragpu-8g-dra",
    "nodes": 2,
    "gke": {
        "project": "acme-ml",
        "region": "us-south1",
        "zone": "us-south1-b",
        "version": "1.35.2-gke.1000000",
        "capacity": {"onDemand": True},
    },
}
NEW_CKS: dict[str, Any] = {**CLUSTER, "coreweave": {"cluster": CKS}}
PODS, ROUTER, BOTH = {"podMonitors": True}, {"router": True}, {"podMonitors": True, "router": True}
ON_GKES_GATEWAY = {"mode": "gateway", "gateway": {"provider": "gke"}}
#: Rule, what is served, the rest of the stack file, and of each problem the key and words.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = [
    ("MON-01", DRANET, {"cluster": GKE, "monitoring": PODS}, [("podMonitors", "operator, and so knows no PodMonitor")]),
    ("MON-01", DRANET, {"cluster": GKE, "monitoring": ROUTER}, [("router", "knows no ServiceMonitor; leave it out; what GKE's")]),
    ("MON-01", DRANET, {"cluster": GKE, "monitoring": BOTH}, [("podMonitors", "PodMonitor"), ("router", "ServiceMonitor")]),
    ("MON-01", DRANET, {"cluster": GKE, "monitoring": BOTH, "router": ON_GKES_GATEWAY}, [("podMonitors", "PodMonitor")]),
    ("MON-01", SERVING, {"cluster": NEW_CKS, "monitoring": PODS}, [("podMonitors", "leave it out until the cluster exists")]),
    ("MON-01", SERVING, {"cluster": NEW_CKS, "monitoring": ROUTER}, [("router", "and so knows no ServiceMonitor")]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "serving", "more", "expected"), FINDINGS)
def test_a_new_cluster_has_no_operator(
    rule: str, serving: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = [*examine(spec(serving, **more)).errors]
    assert [(one.rule, one.path) for one in found] == [(rule, f"llmd-pd:monitoring.{key}") for key, _ in expected]
    for one, (_, words) in zip(found, expected, strict=True):
        assert words in str(one)
        assert one.source


@pytest.mark.parametrize(
    ("serving", "more"),
    [
        ({"accelerator": "nvidia"}, {"monitoring": BOTH}),
        (DRANET, {"cluster": GKE}),
        # GKE has the kind that the chart makes there.
        (DRANET, {"cluster": GKE, "monitoring": ROUTER, "router": ON_GKES_GATEWAY}),
        (SERVING, {"cluster": NEW_CKS}),
        # Clusters that exist are asked.
        (SERVING, {"cluster": {**NEW_CKS, "context": "cw"}, "monitoring": BOTH}),
        (SERVING, {"cluster": {**CLUSTER, "context": "cw"}, "monitoring": BOTH}),
        ({"accelerator": "nvidia"}, {"cluster": {"provider": "stack", "stack": "a/b/c"}, "monitoring": BOTH}),
    ],
)
def test_elsewhere_monitors_may_be_asked_for(serving: dict[str, Any], more: dict[str, Any]) -> None:
    assert examine(spec(serving, **more)).errors == ()


def kinds(*names: str) -> Answer:
    return 200, {"kind": "APIResourceList", "resources": [{"name": f"{name.lower()}s", "kind": name} for name in names]}


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("answer", "monitoring", "missing"),
    [
        ((404, {}), PODS, ["podMonitors"]),
        ((404, {}), ROUTER, ["router"]),
        ((404, {}), BOTH, ["podMonitors", "router"]),
        (kinds("Prometheus", "ServiceMonitor"), BOTH, ["podMonitors"]),
        (kinds("PodMonitor"), BOTH, ["router"]),
        (kinds("PodMonitor", "ServiceMonitor"), BOTH, []),
        (kinds("PodMonitor"), PODS, []),
        # A user without the right to ask gets the provider's error.
        ((403, {}), BOTH, []),
    ],
)
def test_a_cluster_without_the_kinds_is_refused_before_anything_is_made(
    answer: Answer, monitoring: dict[str, Any], missing: list[str], preview: bool, look: Look, server: ApiServer
) -> None:
    server.answers = {API: answer}
    if not missing:
        look(server.url, preview=preview, monitoring=monitoring)
        return
    with pytest.raises(StackFileError) as refusal:
        look(server.url, preview=preview, monitoring=monitoring)
    assert [(one.rule, one.path) for one in refusal.value.problems] == [
        ("MON-01", f"llmd-pd:monitoring.{key}") for key in missing
    ]
    assert "which the Prometheus operator brings; leave `" in str(refusal.value)


def test_a_stack_that_is_there_already_is_asked_too(look: Look, server: ApiServer) -> None:
    """Monitors can be turned on later."""
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER)}
    look(server.url)
    with pytest.raises(StackFileError, match=r"podmonitors\.monitoring\.coreos\.com is missing"):
        look(server.url, monitoring=PODS)


def test_a_missing_kind_that_the_stack_file_suppresses_is_reported_and_refuses_nothing(
    look: Look, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = {API: (404, {})}
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", logged.append)
    look(server.url, monitoring=PODS, suppress=[{"rule": "MON-01", "reason": "the operator comes later"}])
    (line,) = logged
    assert line.startswith("Suppressed: llmd-pd:monitoring.podMonitors: the cluster has no PodMonitors")
    assert "; reason given: the operator comes later. (MON-01) [" in line


def test_a_stack_on_nodes_of_another_is_asked_too(server: ApiServer, tmp_path: Path) -> None:
    """Its cluster may be one that the other made, on GKE or CoreWeave."""
    given = spec({"accelerator": "nvidia"}, cluster={"provider": "stack", "stack": "a/b/c"}, monitoring=PODS)
    reached = {"kubeconfig": str(kubeconfig(tmp_path / "kubeconfig", server.url)), "context": "prod"}
    referred = given.model_copy(update={"cluster": given.cluster.model_copy(update=reached)})
    facts = Facts(referred, base=tmp_path, planned=True)
    with pytest.raises(StackFileError, match="the cluster has no PodMonitors"):
        check_live_cluster(asking_all(facts), facts, OWNER)


def test_without_monitors_nothing_is_asked(look: Look, server: ApiServer) -> None:
    look(server.url)
    assert API not in {path for path, *_ in server.asked}


def test_kinds_by_what_asks_for_them() -> None:
    assert operator_kinds(spec({"accelerator": "nvidia"}, monitoring=BOTH)) == {
        "PodMonitor": "podMonitors",
        "ServiceMonitor": "router",
    }
