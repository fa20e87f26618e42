"""A failing and a passing case of every rule, by its id.

Cases that another test states already are taken from there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stacks.clouds.changes import fingerprint
from stacks.clouds.cloud import ClusterPlan, Previous
from stacks.clouds.coreweave.replaces import CKS
from stacks.clouds.gke.readiness import NEEDED, Connect
from stacks.clouds.gke.replaces import GKE
from stacks.clouds.replaces import Immutables
from stacks.kube.live import LiveCluster
from stacks.rules.facts import Facts
from stacks.rules.previous import OUTPUT, pod_templates
from stacks.spec.stack import StackSpec
from tests import cks_plans, gke_plans
from tests.blueprints import read, spec_from_config
from tests.gke_changes import Answers
from tests.unit import (
    test_coreweave,
    test_gke_checks,
    test_gke_rules,
    test_gke_warnings,
    test_mirror,
    test_monitors,
    test_router_rules,
    test_rules,
    test_token,
)
from tests.unit.api_server import NAMESPACE, OWNER, Answer, namespace
from tests.unit.test_live_gateway import API as GATEWAY_API
from tests.unit.test_live_pools import API, CLUSTER, CPU, GPU, NODES, NONE, PODS, SERVING, judged, pool, running
from tests.unit.test_monitors import API as MONITORS
from tests.unit.test_rules import NVIDIA, spec

Case = tuple[str, Callable[[], StackSpec]]


def _without_none(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


def _gke(serving: dict[str, Any], gke: dict[str, Any], cluster: dict[str, Any]) -> StackSpec:
    return gke_plans.stack(serving, gke, cluster, **(gke_plans.JUNE if serving is gke_plans.TPU_V6E else {}))


def _coreweave(cluster: dict[str, Any], serving: dict[str, Any], pools: dict[str, Any]) -> StackSpec:
    stated = _without_none({**test_coreweave.CLUSTER, **cluster})
    served = _without_none({**test_coreweave.SERVING, **serving})
    return spec(served, cluster={**stated, **({"coreweave": pools} if pools else {})})


def _platform(**more: Any) -> StackSpec:
    cluster = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}
    found, whole = read({"cluster": cluster, **more})
    assert found == []
    assert whole is not None
    return whole


def of_files() -> Iterator[Case]:
    """Stack files to which a rule objects."""
    for rule, serving, more, *_ in (*test_rules.FINDINGS, *test_token.FINDINGS, *test_monitors.FINDINGS):
        yield rule, lambda serving=serving, more=more: spec(serving, **more)  # type: ignore[misc]
    for rule, serving, gke, cluster, *_ in test_gke_rules.FINDINGS:
        yield rule, lambda serving=serving, gke=gke, cluster=cluster: _gke(serving, gke, cluster)  # type: ignore[misc]
    for rule, cluster, serving, pools, *_ in test_coreweave.FINDINGS:
        yield rule, lambda cluster=cluster, serving=serving, pools=pools: _coreweave(cluster, serving, pools)  # type: ignore[misc]
    for rule, router, mirror, *_ in test_mirror.FINDINGS:
        yield rule, lambda router=router, mirror=mirror: spec(NVIDIA, router=router, mirror=mirror)  # type: ignore[misc]
    for rule, router, more, *_ in test_router_rules.FINDINGS:
        yield rule, lambda router=router, more=more: spec(NVIDIA, router=router, **more)  # type: ignore[misc]
    yield test_gke_rules.GATEWAYS[0], lambda: gke_plans.stack(gke={"gateways": False}, router=gke_plans.GATEWAY)
    yield "PLATFORM-01", lambda: _platform(namespace="served")
    yield "PATH-01", lambda: spec(NVIDIA, crds={"directory": "/nowhere/crds"})
    yield "SUPPRESS-01", lambda: spec(NVIDIA, suppress=[{"rule": "FILE", "reason": "none"}])


def of_warnings() -> Iterator[Case]:
    """Valid stack files of which something is pointed out."""
    for rule, serving, gke, more, *_ in test_gke_warnings.WARNED:
        yield rule, lambda serving=serving, gke=gke, more=more: gke_plans.stack(serving, gke, **more)  # type: ignore[misc]
    yield "SUPPRESS-02", lambda: spec(NVIDIA, suppress=[{"rule": "PIN-01", "reason": "none"}])
    yield "CW-17", lambda: spec({**NVIDIA, "fabric": "coreweave"})
    yield "CW-18", lambda: cks_plans.stack({"version": "v1.37"})


def of_plans() -> Iterator[tuple[str, str, test_gke_checks.Change]]:
    """Changes of GKE plans that break a law, with the variant they are made to."""
    for rule, variant, change, *_ in test_gke_checks.BREACHES:
        yield rule, variant, change


def valid() -> dict[str, Callable[[], StackSpec]]:
    """Stack files to which no rule objects, of every cloud and of none."""
    found: dict[str, Callable[[], StackSpec]] = {
        "nvidia": lambda: spec(NVIDIA),
        "gateway": lambda: spec(NVIDIA, router={"mode": "gateway", "gateway": {"provider": "istio"}}),
        "mirror": lambda: spec(NVIDIA, mirror={"registry": test_mirror.REGISTRY}),
        "told": lambda: spec(
            {**NVIDIA, "image": "a/b:main", "extraArgs": ["--seed=1"], "tolerations": [{"operator": "Exists"}]},
            suppress=[{"rule": "PIN-01", "reason": "a case"}],
        ),
        "by reference": lambda: spec(NVIDIA, cluster={"provider": "stack", "stack": "platform"}),
        "paths": lambda: spec(NVIDIA, crds={"directory": str(Path(__file__).parent)}),
        "pools": lambda: _coreweave({}, {}, {}),
        "platform": _platform,
    }
    found |= {f"gke {name}": lambda name=name: gke_plans.variant(name) for name in gke_plans.VARIANTS}  # type: ignore[misc]
    variants = [name for name in cks_plans.VARIANTS if name != "a long name"]  # which NAME-02 refuses
    found |= {f"cks {name}": lambda name=name: cks_plans.variant(name) for name in variants}  # type: ignore[misc]
    return found


def _roll(*, alone: bool) -> Facts:
    """A change that replaces the pods of one role, alone or with those of the other."""
    after = Facts(spec(NVIDIA), planned=True)
    templates = pod_templates(after.objects)
    before = {role: "another" if role == "decode" or not alone else templates[role] for role in templates}
    return after.also(previous=Previous(OWNER, {OUTPUT: before}, {}))


def _since(before: ClusterPlan, table: Immutables, after: StackSpec) -> Facts:
    """A change since a plan."""
    planned = fingerprint(before.resources, table)
    return Facts(after, planned=True, previous=Previous(OWNER, {"namespace": "served"}, planned))


def _new() -> Facts:
    """A new stack on GKE."""
    return Facts(gke_plans.stack(), planned=True, previous=Previous(OWNER, {}, {}))


def changes() -> dict[str, tuple[Callable[[], Facts], Callable[[], Facts]]]:
    """By rule, a change of which it finds something and one of which it finds nothing."""
    gke, cks = gke_plans.stack(), cks_plans.stack()
    reserved = {"capacity": {"reservation": "projects/acme-serving/reservations/other"}}
    upgraded = {"version": "1.36.1-gke.1"}

    def on_gke(after: StackSpec) -> Callable[[], Facts]:
        return lambda: _since(gke_plans.planned(gke), GKE, after)

    def on_cks(after: StackSpec) -> Callable[[], Facts]:
        return lambda: _since(cks_plans.planned(cks), CKS, after)

    return {
        "ROLL-01": (lambda: _roll(alone=True), lambda: _roll(alone=False)),
        "IMM": (on_gke(gke_plans.stack(gke=reserved)), on_gke(gke)),
        "GKE-31": (on_gke(gke_plans.stack(gke=upgraded)), on_gke(gke)),
        "CW-15": (
            on_cks(cks_plans.stack(cluster={"context": None})),
            on_cks(cks_plans.stack(cluster={"context": "cw"})),
        ),
        "CW-11": (on_cks(cks_plans.stack({"version": "v1.37"})), on_cks(cks)),
        "GKE-17": (_new, _new),
        "GKE-30": (_new, _new),
        "GKE-32": (_new, _new),
    }


def google(rule: str, *, failing: bool) -> Connect:
    """A Google that answers as one of which a rule finds something, or nothing."""
    states = dict.fromkeys(NEEDED, "DISABLED" if rule == "GKE-30" and failing else "ENABLED")
    offered = "1.36.1-gke.1" if rule == "GKE-17" and failing else gke_plans.GKE["version"]
    services = [{"name": f"services/{api}.googleapis.com", "state": state} for api, state in states.items()]
    channel = {"channel": "REGULAR", "validVersions": [offered]}
    found = {
        "serviceusage/services:batchGet": {"services": services},
        "container/serverConfig": {"channels": [channel]},
    }
    return lambda project: Answers(project, {} if rule == "GKE-32" and failing else found)


def _busy(nodes: int) -> dict[str, Answer]:
    """A pool of three nodes, with pods on so many of them; the stack file has two."""
    _, live = pool("gd-8xh200ib-i128")
    live["spec"]["targetNodes"] = 3
    items = [{"metadata": {"name": f"n{index}"}} for index in range(nodes)]
    return {API: NONE, GPU: (200, live), NODES: (200, {"items": items}), PODS: (200, {"items": [running()]})}


_CLASSES = {"items": [{"metadata": {"name": "istio"}}]}
_POOLS = {"cluster": CLUSTER, "serving": SERVING}
#: By rule: the sections of a stack file, and the answers of a live cluster of which it finds something, and nothing.
LIVE: dict[str, tuple[dict[str, Any], dict[str, Answer], dict[str, Answer]]] = {
    "EXISTS": ({}, {NAMESPACE: namespace("acme/llmd-pd/dev")}, {NAMESPACE: namespace(OWNER)}),
    "GATEWAY": (
        {
            "router": {"mode": "gateway", "gateway": {"provider": "istio"}},
            "crds": {"manage": False, "gatewayApi": False},
        },
        {},
        {GATEWAY_API: (200, {}), f"{GATEWAY_API}/gatewayclasses": (200, _CLASSES)},
    ),
    "MON-01": ({"monitoring": {"podMonitors": True}}, {}, {MONITORS: (200, {"resources": [{"kind": "PodMonitor"}]})}),
    "CLUSTER": (_POOLS, {}, {API: NONE}),
    "CW-03": (_POOLS, {API: NONE, GPU: pool("gd-8xh100ib-i128")}, {API: NONE, GPU: pool("gd-8xh200ib-i128")}),
    "CW-10": (_POOLS, _busy(3), _busy(2)),
    "CW-16": (
        _POOLS,
        {API: NONE, CPU: judged("False", "Invalid", "no")},
        {API: NONE, CPU: judged("True", "Valid", "")},
    ),
}


def on(kubeconfig: Path, **sections: Any) -> Facts:
    """A stack in namespace team-a that reaches its cluster by this kubeconfig, with these sections."""
    cluster = {"kubeconfig": str(kubeconfig), "context": "prod", **sections.pop("cluster", {})}
    given = {"serving": NVIDIA, "namespace": "team-a", "crds": {"manage": False}, **sections}
    stated = spec_from_config({**given, "cluster": cluster})
    return Facts(stated, planned=True, live=LiveCluster(stated.cluster.at, OWNER))


#: Rules without a check, which a reader of the file reports: the module, and its tests of a finding and of none.
SAID: dict[str, tuple[str, str, str]] = {
    "FILE": (
        "unit.test_stack_files",
        "test_what_is_no_stack_file_is_refused_with_line_reason_and_fix",
        "test_what_people_may_write",
    ),
    "SPEC": (
        "unit.test_spec",
        "test_it_refuses_and_says_how_to_mend_it",
        "test_every_section_is_frozen_closed_strict_and_camel_cased",
    ),
    "SECRET-02": (
        "mocks.test_credentials",
        "test_nothing_else_may_be_encrypted",
        "test_the_token_is_a_secret_whatever_it_comes_as",
    ),
    "SDK": (
        "unit.test_sdk",
        "test_without_it_whoever_makes_a_cluster_on_gke_is_told",
        "test_with_it_and_of_others_nothing_is_said",
    ),
}
