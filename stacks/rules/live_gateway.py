"""Checks of what a stack's router and gateway meet in the cluster, before anything is applied.

Read-only. What it finds would otherwise show late, or not at all: a Gateway that nobody serves, two routes of which one
wins, a second proxy's configuration under the one name both charts use.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from releases.charts import HelmRelease
from releases.gateway_api import API, CRDS
from releases.gateway_entry import entry
from releases.gateways import IMPLEMENTATIONS, hangs_on
from stacks.findings import ERROR, Finding, Rule
from stacks.kube import helm as helm_records
from stacks.kube.api import Api, Object
from stacks.kube.commands import helm_flags, kubectl_flags
from stacks.kube.helm import Releases
from stacks.kube.live import LiveCluster, live_check
from stacks.kube.owner import owner_of
from stacks.rules.facts import Facts
from stacks.serving.gateway import GatewayPlan

if TYPE_CHECKING:
    from stacks.blueprint import ServingBlueprint

#: The name under which every standalone chart keeps its proxy's configuration.
ENVOY = "envoy"


def namespace(facts: Facts, live: LiveCluster) -> Object | None:
    """Returns the stack's namespace, if it exists."""
    return live.get(f"/api/v1/namespaces/{facts.served.spec.namespace}")


def implementation(facts: Facts, live: LiveCluster) -> Releases:
    """Returns the Helm releases of the gateway's implementation that the stack installs, with their revisions."""
    installs = facts.served.gateway.implementation if facts.served.gateway else ()
    return [(one, helm_records.revisions(live, one.namespace, one.name)) for one in installs]


def second_proxy(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    """The configuration of another standalone router in the stack's namespace."""
    plan = facts.served
    if plan.spec.router.mode not in plan.bill.router.proxy_modes or namespace(facts, live) is None:
        return
    there = live.get(f"/api/v1/namespaces/{plan.spec.namespace}/configmaps/{ENVOY}")
    release = ((there or {}).get("metadata", {}).get("annotations") or {}).get("meta.helm.sh/release-name")
    if there is not None and release != plan.router.name:
        holder = f"Helm release {release}" if release else "another owner"
        yield Finding(
            at=("namespace",), what=f"ConfigMap {ENVOY} is in namespace {plan.spec.namespace} already",
            why=f"it belongs to {holder}, and the standalone chart keeps its proxy's configuration under this one name",
            fix="use one namespace per stack, or mode gateway",
        )  # fmt: skip


def _gateway(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    """Everything about the gateway that the cluster speaks against."""
    plan = facts.served
    if (gateway := plan.gateway) is None:
        return
    missing = list(_no_api(live, plan, gateway))
    yield from missing
    if not missing:
        yield from _class(live, gateway) if gateway.objects else _shared(live, plan, gateway)
        yield from _rivals(live, plan, gateway)


def _no_api(api: Api, plan: "ServingBlueprint", gateway: GatewayPlan) -> Iterator[Finding]:
    """The Gateway API, where the stack does not bring its CRDs."""
    if not set(CRDS).isdisjoint(plan.crd_files) or api.get(API) is not None:
        return
    why, fix = (
        "the cluster's owner installs its CRDs",
        "write `crds: {gatewayApi: true}`, or have them installed first",
    )
    brought = gateway.stated.implementation
    if brought.in_cluster and plan.spec.crds.gateway_api is None:
        why, fix = f"{brought.title} brings it if it is turned on", brought.turn_on
    yield Finding(at=("crds", "gatewayApi"), what="the cluster has no Gateway API", why=why, fix=fix)


def _class(api: Api, gateway: GatewayPlan) -> Iterator[Finding]:
    """The class of a Gateway to be made: with the implementation it is installed, or it has to be there."""
    classes = api.items(f"{API}/gatewayclasses")
    names = sorted(item["metadata"]["name"] for item in classes)
    # Without the CRDs there are no classes yet, and an implementation that watches for them brings its own.
    if gateway.implementation or not names or gateway.gateway_class in names:
        return
    ours = ", or install the implementation (`install: true`)" if gateway.stated.provider in IMPLEMENTATIONS else ""
    yield Finding(
        at=("router", "gateway"), what=f"GatewayClass {gateway.gateway_class} is not in the cluster",
        why="the Gateway would never be programmed", fix=f"use one that is ({', '.join(names)}) as `className`{ours}",
    )  # fmt: skip


def _shared(api: Api, plan: "ServingBlueprint", gateway: GatewayPlan) -> Iterator[Finding]:
    """Checks a Gateway of another owner: it exists, is programmed, and accepts a route of the stack's namespace."""
    where, name = ("router", "gateway"), f"{gateway.namespace}/{gateway.name}"
    live = api.get(f"{API}/namespaces/{gateway.namespace}/gateways/{gateway.name}")
    if live is None:
        yield Finding(
            at=where, what=f"Gateway {gateway.name} is not in namespace {gateway.namespace}, or may not be read",
            why="with `manage: false` it has to be there", fix="bring up the stack that owns it first, or write `manage: true`",
        )  # fmt: skip
        return
    conditions = {row["type"]: row for row in live.get("status", {}).get("conditions") or ()}
    programmed = conditions.get("Programmed", {})
    if programmed.get("status") != "True":
        said = programmed.get("message") or programmed.get("reason") or "its controller has not said why"
        describe = (
            f"kubectl describe gateway {gateway.name} -n {gateway.namespace}{kubectl_flags(plan.spec.cluster.at)}"
        )
        yield Finding(
            at=where,
            what=f"Gateway {name} is not programmed",
            why=said.rstrip("."),
            fix=f"wait for it, or see `{describe}`",
        )
    if entry(live["spec"], elsewhere=gateway.elsewhere) is None:
        yield Finding(
            at=where, what=f"no listener of Gateway {name} takes HTTPRoutes of namespace {plan.spec.namespace}",
            why="the stack's would never be accepted",
            fix="have its owner write `allowedRoutes: {namespaces: {from: All}}` for one with protocol HTTP or HTTPS",
        )  # fmt: skip


def _rivals(api: Api, plan: "ServingBlueprint", gateway: GatewayPlan) -> Iterator[Finding]:
    """Routes of others on the same Gateway that take the same requests: the older one would get them all."""
    wanted = gateway.stated.base_model
    for route in api.items(f"{API}/httproutes"):
        metadata = route["metadata"]
        if metadata["namespace"] == plan.spec.namespace and metadata["name"] in gateway.route_names:
            continue
        if not hangs_on(route, gateway=gateway.name, namespace=gateway.namespace):
            continue
        if wanted in _base_models(route):
            same = f"requests for base model {wanted}" if wanted else "every request"
            yield Finding(
                at=("router", "gateway", "baseModel"),
                what=f"HTTPRoute {metadata['namespace']}/{metadata['name']} takes {same} on this Gateway already",
                why="of two routes with one match the older gets everything",
                fix="give each stack on the Gateway a `baseModel` of its own",
            )  # fmt: skip


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


def installed(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    """Existing releases of the implementation that are not in the stack's state."""
    found, owner = namespace(facts, live), live.owner
    ours = found is not None and owner_of(found) == owner
    for release, revisions in implementation(facts, live):
        whose = _whose(release, revisions, owner, ours=ours) if revisions else None
        if whose is not None:
            uninstall = f"helm uninstall {release.name} -n {release.namespace}{helm_flags(facts.spec.cluster.at)}"
            yield Finding(
                at=("router", "gateway", "install"), what=f"Helm release {release.name} is in {release.namespace} already",
                why=f"it is {whose}, and helm cannot use a name twice",
                fix=f"write `install: false` to use it, or remove it first: `{uninstall}`",
            )  # fmt: skip


def _whose(release: HelmRelease, revisions: Sequence[Object], owner: str, *, ours: bool) -> str | None:
    """Returns the owner of an existing release as text; None for one in the stack's state."""
    if helm_records.foreign(revisions, owner) is not None:
        return "another owner's"
    if not ours:
        return "left behind by an earlier life of this stack"
    # The router's namespace is the stack's; this one may be anybody's, who may be installing at this very moment.
    if helm_records.unfinished(revisions) and not helm_records.made_with(revisions, release.version, release.values):
        return "an unfinished one of another version or with other values than this stack's"
    return None


GATEWAY = Rule(
    "GATEWAY", ERROR,
    "when Pulumi runs: what a gateway needs is not in the cluster, or not for this stack",
    "the Gateway or the route would never work",
    "docs/gateways.md", check=live_check(_gateway), firm=True, when_run=True,
)  # fmt: skip
