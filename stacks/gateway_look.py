"""A look at what a stack's router and gateway meet in the cluster, before anything is applied.

Read-only. What it finds would otherwise show late, or not at all: a Gateway that nobody serves, two routes of which one
wins, a second proxy's configuration under the one name both charts use.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks import helm_records
from stacks.gateway import GatewayPlan
from stacks.kube_api import Api, Object
from stacks.plan import Plan
from stacks.problems import Problem

GATEWAYS = "/apis/gateway.networking.k8s.io/v1"
#: The name under which every standalone chart keeps its proxy's configuration.
ENVOY = "envoy"


def look_at_gateway(api: Api, plan: Plan, gateway: GatewayPlan, owner: str, *, ours: bool) -> Iterator[Problem]:
    """Everything about the gateway that the cluster speaks against. `ours`: the namespace is there and the stack's."""
    yield from _class(api, gateway) if gateway.objects else _shared(api, gateway)
    yield from _rivals(api, plan, gateway)
    for release in gateway.implementation:
        revisions = api.items(f"/api/v1/namespaces/{release.namespace}/secrets?{helm_records.selector(release.name)}")
        foreign = helm_records.foreign(revisions, owner) if revisions else None
        if revisions and (foreign is not None or not ours):
            whose = "somebody else's" if foreign is not None else "left behind by an earlier life of this stack"
            uninstall = f"helm uninstall {release.name} -n {release.namespace}"
            yield Problem(
                "EXISTS", "llmd-pd:router.gateway.install", f"Helm release {release.name} is in {release.namespace} already",
                f"it is {whose}, and helm cannot use a name twice",
                f"write `install: false` to use it, or remove it first: `{uninstall}`",
            )  # fmt: skip


def second_proxy(api: Api, plan: Plan) -> Iterator[Problem]:
    """The configuration of another standalone router in the stack's namespace."""
    namespace = plan.spec.namespace
    if plan.spec.router.mode not in plan.bill.router.proxy_modes:
        return
    there = api.get(f"/api/v1/namespaces/{namespace}/configmaps/{ENVOY}")
    release = ((there or {}).get("metadata", {}).get("annotations") or {}).get("meta.helm.sh/release-name")
    if there is not None and release != plan.router.name:
        holder = f"Helm release {release}" if release else "somebody else"
        yield Problem(
            "EXISTS", "llmd-pd:namespace", f"ConfigMap {ENVOY} is in namespace {namespace} already",
            f"it belongs to {holder}, and the standalone chart keeps its proxy's configuration under this one name",
            "use one namespace per stack, or mode gateway",
        )  # fmt: skip


def _class(api: Api, gateway: GatewayPlan) -> Iterator[Problem]:
    """The class of a Gateway to be made: with the implementation it is installed, or it has to be there."""
    classes = api.items(f"{GATEWAYS}/gatewayclasses")
    names = sorted(item["metadata"]["name"] for item in classes)
    # Without the CRDs there are no classes yet, and an implementation that watches for them brings its own.
    if gateway.implementation or not names or gateway.gateway_class in names:
        return
    yield Problem(
        "GATEWAY", "llmd-pd:router.gateway", f"GatewayClass {gateway.gateway_class} is not in the cluster",
        "the Gateway would never be programmed",
        f"use one that is ({', '.join(names)}) as `className`, or install the implementation (`install: true`)",
    )  # fmt: skip


def _shared(api: Api, gateway: GatewayPlan) -> Iterator[Problem]:
    where = "llmd-pd:router.gateway"
    live = api.get(f"{GATEWAYS}/namespaces/{gateway.namespace}/gateways/{gateway.name}")
    if live is None:
        yield Problem(
            "GATEWAY", where, f"Gateway {gateway.name} is not in namespace {gateway.namespace}",
            "with `manage: false` it has to be there", "bring up the stack that owns it first, or write `manage: true`",
        )  # fmt: skip
        return
    conditions = {row["type"]: row for row in live.get("status", {}).get("conditions") or ()}
    programmed = conditions.get("Programmed", {})
    if programmed.get("status") != "True":
        said = programmed.get("message") or programmed.get("reason") or "its controller has not said why"
        yield Problem(
            "GATEWAY", where, f"Gateway {gateway.namespace}/{gateway.name} is not programmed", said,
            "wait for it, or see `kubectl describe gateway`",
        )  # fmt: skip


def _rivals(api: Api, plan: Plan, gateway: GatewayPlan) -> Iterator[Problem]:
    """Routes of others on the same Gateway that take the same requests: the older one would get them all."""
    wanted = gateway.stated.base_model
    for route in api.items(f"{GATEWAYS}/httproutes"):
        metadata = route["metadata"]
        own = (plan.spec.namespace, plan.spec.name)
        if (metadata["namespace"], metadata["name"]) == own or not _hangs_on(route, gateway):
            continue
        if wanted in _base_models(route):
            same = f"requests for base model {wanted}" if wanted else "every request"
            yield Problem(
                "GATEWAY", "llmd-pd:router.gateway.baseModel",
                f"HTTPRoute {metadata['namespace']}/{metadata['name']} takes {same} on this Gateway already",
                "of two routes with one match the older gets everything",
                "give each stack on the Gateway a `baseModel` of its own",
            )  # fmt: skip


def _hangs_on(route: Object, gateway: GatewayPlan) -> bool:
    place = route["metadata"]["namespace"]
    return any(
        (parent.get("kind", "Gateway"), parent.get("namespace", place), parent["name"])
        == ("Gateway", gateway.namespace, gateway.name)
        for parent in route["spec"].get("parentRefs") or ()
    )


def _base_models(route: Object) -> set[str | None]:
    """The base models a route takes requests for; None among them: of every request under `/`."""
    found: set[str | None] = set()
    rules: list[Object] = route["spec"].get("rules") or []
    matches: list[Object] = [match for rule in rules for match in rule.get("matches") or [{}]]
    for match in matches:
        if match.get("path", {}).get("value", "/") != "/" or route["spec"].get("hostnames"):
            continue
        headers: list[Mapping[str, Any]] = match.get("headers") or []
        named = [row["value"] for row in headers if row["name"].lower() == "x-gateway-base-model-name"]
        found |= {*named} if named else set() if headers else {None}
    return found
