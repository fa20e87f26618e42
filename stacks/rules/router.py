"""Rules of the router and its gateway: what its charts can do, and what they would do without a word."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from hardware.bill import Bill
from releases import RELEASES
from releases.gateways import IMPLEMENTATIONS, RECIPES
from stacks.findings import known
from stacks.rules.facts import Finding, Subject
from stacks.serving.gateway import recipe_of
from stacks.spec.router import Gateway
from stacks.spec.stack import StackSpec

#: Flags the charts write themselves; the picker would take the last of two.
CHARTS_FLAGS = {
    "pool-name": "the stack's name", "pool-namespace": "the stack's namespace", "pool-group": "the CRDs",
    "config-file": "`router.plugins`", "config-text": "`router.plugins`", "tracing": "`router.tracing`",
    "metrics-endpoint-auth": "`monitoring.router`", "ha-enable-leader-election": "`router.replicas`",
}  # fmt: skip


def gateway_section(subject: Subject) -> Iterator[Finding]:
    """`router.gateway` and mode `gateway` come together; its recipe, class and place are ones that can be."""
    router = subject.spec.router
    if router.mode == "gateway" and router.gateway is None:
        what, why = "mode gateway without a gateway", "whose implementation it is decides what the chart makes"
        yield Finding("router.gateway", what, why, "add `gateway: {provider: istio}` (or gke, agentgateway, na)")
    elif router.mode == "standalone" and router.gateway is not None:
        what, why = "a gateway in mode standalone", "nothing would be made of it"
        yield Finding("router.gateway", what, why, "write `mode: gateway`, or leave it out")
    elif router.gateway is not None:
        yield from _gateway(subject.spec, router.gateway)


def without_gateway(spec: StackSpec) -> StackSpec | None:
    """The spec in mode standalone: the rules after this one do not ask about gateways."""
    return spec.model_copy(update={"router": spec.router.model_copy(update={"mode": "standalone", "gateway": None})})


def _gateway(spec: StackSpec, gateway: Gateway) -> Iterator[Finding]:
    place, provider = "router.gateway", gateway.provider
    of_provider = [recipe.key for recipe in RECIPES.values() if recipe.provider == provider]
    if gateway.recipe is not None and gateway.recipe not in of_provider:
        what = f"recipe `{gateway.recipe}` is not one of provider {provider}"
        why = "the chart's objects and the Gateway would be of different implementations"
        yield Finding(f"{place}.recipe", what, why, known(gateway.recipe, of_provider))
    elif gateway.manage and gateway.class_name is None and recipe_of(gateway).gateway_class is None:
        what, why = (
            "the Gateway has no class",
            f"recipe `{recipe_of(gateway).key}` leaves it open, and nobody would serve it",
        )
        yield Finding(f"{place}.className", what, why, "write the name of a GatewayClass of the cluster")
    if gateway.manage and gateway.namespace not in (None, spec.namespace):
        what = f"a Gateway of the stack's own in namespace `{gateway.namespace}`"
        why = f"the stack owns namespace {spec.namespace} only"
        yield Finding(
            f"{place}.namespace", what, why, "leave it out, or write `manage: false` to use one that is there"
        )
    yield from _idle(gateway)
    if gateway.install and provider not in IMPLEMENTATIONS:
        what = f"`install` for provider {provider}"
        why = (
            f"{gateway.implementation.title} brings its own"
            if gateway.implementation.in_cluster
            else "what `na` stands for cannot be known"
        )
        yield Finding(f"{place}.install", what, why, f"leave it out, or use {' or '.join(IMPLEMENTATIONS)}")
    elif gateway.install and not gateway.manage:
        what, why = "`install` for a Gateway of somebody else's", "it has to work before this stack comes"
        yield Finding(f"{place}.install", what, why, "leave it out: who owns the Gateway installs its implementation")
    if gateway.backend_timeout is not None and not gateway.implementation.policies:
        what, why = f"`backendTimeout` for provider {provider}", "only GKE's GCPBackendPolicy has one"
        yield Finding(f"{place}.backendTimeout", what, why, "use `requestTimeout`")
    if gateway.request_timeout is not None and not gateway.implementation.route_timeout:
        what, why = (
            "`requestTimeout` for provider gke",
            "GKE's gateways know no timeout in a route, and the chart leaves it out",
        )
        yield Finding(f"{place}.requestTimeout", what, why, "use `backendTimeout`, in seconds")


def _idle(gateway: Gateway) -> Iterator[Finding]:
    """Keys that mean nothing beside the others, and a base model that YAML would not take for text."""
    place, why = "router.gateway", "nothing would be made of it"
    theirs = {"recipe": gateway.recipe, "className": gateway.class_name, "deleteInUse": gateway.delete_in_use}
    for key in [key for key, value in theirs.items() if value and not gateway.manage]:
        yield Finding(
            f"{place}.{key}", f"`{key}` for a Gateway of somebody else's", why, "leave it out: it is the owner's"
        )
    if not gateway.retain and not gateway.install:
        yield Finding(f"{place}.retain", "`retain` without `install`", why, "leave it out, or write `install: true`")
    if gateway.base_model is not None and not isinstance(yaml.safe_load(gateway.base_model), str):
        what, why = f"base model `{gateway.base_model}`", "the chart writes it without quotes, and it would be no text"
        yield Finding(f"{place}.baseModel", what, why, "use a name that is no number, date, `true` or `null`")


def plugin_config(subject: Subject) -> Iterator[Finding]:
    """A team's own plugin configuration uses sections and plugins this release's endpoint picker knows."""
    given, bill = subject.spec.router.plugins, subject.bill
    if given is None:
        return
    where = "router.plugins"
    for key in given:
        if key in ("apiVersion", "kind"):
            wanted = bill.router.plugin_config[key]
            if given[key] != wanted:
                what, why = f"{key} `{given[key]}`", f"release {bill.name} has `{wanted}`, and two releases do not mix"
                yield Finding(where, what, why, "leave it out: it is the release's")
        elif key not in bill.router.plugin_keys:
            what = f"section `{key}` is not one of release {bill.name}'s EndpointPickerConfig"
            yield Finding(
                where, what, "the endpoint picker would not start", known(key, sorted(bill.router.plugin_keys))
            )
    plugins = given.get("plugins")
    if not isinstance(plugins, list) or not all(map(_is_plugin, plugins)):
        what, why = "`plugins` is no list of `{type: …}`", "the endpoint picker would not start"
        yield Finding(where, what, why, "write `plugins: [{type: queue-scorer}, …]`")
        return
    for row in plugins:
        if row["type"] not in bill.router.plugins:
            what = f"plugin `{row['type']}` is not in release {bill.name}"
            yield Finding(
                where, what, "the endpoint picker would not start", known(row["type"], sorted(bill.router.plugins))
            )
    names = [row.get("name", row["type"]) for row in plugins]
    for reference in _references(given.get("schedulingProfiles")):
        if reference not in names:
            what, why = f"`pluginRef: {reference}` refers to no plugin", "the endpoint picker would not start"
            yield Finding(where, what, why, known(str(reference), sorted({*names})))


def _is_plugin(row: Any) -> bool:
    """Whether a row names a type, and has no name but text."""
    return (
        isinstance(row, Mapping) and bool(row.get("type")) and {type(row["type"]), type(row.get("name", ""))} == {str}
    )


def _references(profiles: Any) -> Iterator[Any]:
    """What profiles refer to; what is no reference at all as it is, because it refers to no plugin either."""
    for profile in profiles if isinstance(profiles, list) else ():
        rows = profile.get("plugins") if isinstance(profile, Mapping) else profile
        for row in rows if isinstance(rows, list) else filter(None, [rows]):
            yield row.get("pluginRef") if isinstance(row, Mapping) else row


def one_replica(subject: Subject) -> Iterator[Finding]:
    """Of several endpoint pickers one serves (the charts have them elect a leader), and what it knows is in its memory."""
    replicas, bill = subject.spec.router.replicas or 1, subject.bill
    stateful = [kind for kind in _types(subject.spec, bill) if kind in bill.router.in_memory]
    if replicas > 1 and stateful:
        what = f"{replicas} replicas of an endpoint picker with {', '.join(stateful)}"
        why = "one of them serves, and what these know is in its memory: the next one would start with nothing"
        yield Finding("router.replicas", what, why, "write 1, or bring `router.plugins` without them")
    elif replicas > 1 and subject.spec.router.wait:
        what, why = f"a wait for {replicas} replicas", "only the leader is ever Ready, so the wait for all would fail"
        yield Finding("router.wait", what, why, "write `wait: false` under `router`")


def _types(spec: StackSpec, bill: Bill) -> list[str]:
    rows = (spec.router.plugins or bill.router.plugin_config).get("plugins")
    return [row["type"] for row in rows if _is_plugin(row)] if isinstance(rows, list) else []


def charts_flags(subject: Subject) -> Iterator[Finding]:
    """Flags that the chart derives from something else."""
    for name, source in CHARTS_FLAGS.items():
        if name in subject.spec.router.flags:
            what, why = f"flag `{name}`", "the chart sets it, and the last of two would silently win"
            yield Finding("router.flags", what, why, f"leave it out: it follows from {source}")


def own_bills_values(subject: Subject) -> Iterator[Finding]:
    """Values of the chart are those of this release's chart: another's would be ignored, or fail the install."""
    bill = subject.bill
    others = {key: other.name for other in RELEASES.values() for key in other.router.sections - bill.router.sections}
    for key in subject.spec.router.values:
        if key in others:
            what = f"`{key}` is a key of release {others[key]}'s chart"
            why = f"the stack is on {bill.name}, and keys of two releases do not mix"
            fix = f"write it in this chart's keys ({', '.join(sorted(bill.router.sections))})"
            yield Finding("router.values", what, why, fix)


def of_this_mode(subject: Subject) -> Iterator[Finding]:
    """Settings that nothing reads in the stack's mode."""
    router, proxied = subject.spec.router, subject.spec.router.mode in subject.bill.router.proxy_modes
    stated = router.proxy_resources.requests, router.proxy_resources.limits
    if not proxied and any(part.model_dump(exclude_none=True) for part in stated):
        what, why = f"resources of a proxy in mode {router.mode}", "there the gateway is the proxy"
        yield Finding("router.proxyResources", what, why, "leave them out, or set them on the gateway")
    if proxied and router.failure_mode is not None:
        what = f"a failure mode in mode {router.mode}"
        why = "a gateway reads it from the InferencePool, and the chart's own proxy does not"
        yield Finding("router.failureMode", what, why, "leave it out, or use mode gateway")
