"""Rules of the router: what its chart can do, and what it would do without a word."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.bill import Bill
from releases import RELEASES
from stacks.findings import ERROR, Finding, Place, Rule, known, meant
from stacks.rules.facts import Facts
from stacks.rules.router_api import ports_once, requests_within_limits
from stacks.spec.router import Router

#: Flags the charts write themselves; the picker would take the last of two.
CHARTS_FLAGS = {
    "pool-name": "the stack's name", "pool-namespace": "the stack's namespace", "pool-group": "the CRDs",
    "config-file": "`router.plugins`", "config-text": "`router.plugins`", "tracing": "`router.tracing`",
    "metrics-endpoint-auth": "`monitoring.router`", "ha-enable-leader-election": "`router.replicas`",
}  # fmt: skip


def plugin_config(facts: Facts) -> Iterator[Finding]:
    """A team's own plugin configuration uses sections and plugins this release's endpoint picker knows."""
    given, bill = facts.router.plugins, facts.bill
    if given is None:
        return
    where, fatal = ("router", "plugins"), "the endpoint picker would not start"
    for key in given:
        if key in ("apiVersion", "kind"):
            wanted = bill.router.plugin_config[key]
            if given[key] != wanted:
                what, why = f"{key} `{given[key]}`", f"release {bill.name} has `{wanted}`, and two releases do not mix"
                yield Finding(at=(*where, key), what=what, why=why, fix="leave it out: it is the release's")
        elif key not in bill.router.plugin_keys:
            what = f"section `{key}` is not one of release {bill.name}'s EndpointPickerConfig"
            fix = meant(key, sections := sorted(bill.router.plugin_keys))
            fix = fix or f"leave it out; the sections are {', '.join(sections)}"
            yield Finding(at=(*where, key), what=what, why=fatal, fix=fix)
    plugins = given.get("plugins")
    if not isinstance(plugins, list):
        what, fix = "it is no list of `{type: …}`", "write something like `[{type: queue-scorer}]`"
        yield Finding(at=(*where, "plugins"), what=what, why=fatal, fix=fix)
        return
    for index, row in enumerate(plugins):
        if not _is_plugin(row):
            what, fix = "it is no `{type: …}`", "write something like `{type: queue-scorer}`"
            yield Finding(at=(*where, "plugins", index), what=what, why=fatal, fix=fix)
        elif row["type"] not in bill.router.plugins:
            what, fix = (
                f"plugin `{row['type']}` is not in release {bill.name}",
                known(row["type"], sorted(bill.router.plugins)),
            )
            yield Finding(at=(*where, "plugins", index, "type"), what=what, why=fatal, fix=fix)
    if not all(map(_is_plugin, plugins)):
        return  # not every name is known
    names = [row.get("name", row["type"]) for row in plugins]
    for at, what, fix in _misreferred(given.get("schedulingProfiles"), sorted({*names})):
        yield Finding(at=(*where, "schedulingProfiles", *at), what=what, why=fatal, fix=fix)


def _is_plugin(row: Any) -> bool:
    """Whether a row names a type, and has no name but text."""
    return (
        isinstance(row, Mapping) and bool(row.get("type")) and {type(row["type"]), type(row.get("name", ""))} == {str}
    )


def _misreferred(profiles: Any, names: Sequence[str]) -> Iterator[tuple[Place, str, str]]:
    """Yields places in profiles that refer to no plugin of these names, with what is wrong and the fix."""
    reference = f"{{pluginRef: {next(iter(names), 'queue-scorer')}}}"
    profile = f"{{name: default, plugins: [{reference}]}}"
    if not isinstance(profiles, list | None):
        yield (), "it is no list of `{name: …, plugins: …}`", f"write something like `[{profile}]`"
        return
    for index, given in enumerate(profiles or ()):
        if not isinstance(given, Mapping):
            yield (index,), "it is no `{name: …, plugins: …}`", f"write something like `{profile}`"
            continue
        rows = given.get("plugins") or []
        if not isinstance(rows, list):
            yield (index, "plugins"), "it is no list of `{pluginRef: …}`", f"write something like `[{reference}]`"
            continue
        for item, row in enumerate(rows):
            at = (index, "plugins", item)
            if not isinstance(row, Mapping):
                fix = f"write `{{pluginRef: {row}}}`" if row in names else f"write something like `{reference}`"
                yield at, "it is no `{pluginRef: …}`", fix
            elif row.get("pluginRef") not in names:
                what = f"`pluginRef: {row.get('pluginRef')}` refers to no plugin"
                yield (*at, "pluginRef"), what, known(str(row.get("pluginRef")), names) or "add it to `plugins`"


def one_replica(facts: Facts) -> Iterator[Finding]:
    """Of several endpoint pickers one serves (the charts have them elect a leader), and what it knows is in its memory."""
    replicas, bill = facts.router.replicas or 1, facts.bill
    stateful = [kind for kind in _types(facts.router, bill) if kind in bill.router.in_memory]
    if replicas > 1 and stateful:
        what = f"{replicas} replicas of an endpoint picker with {', '.join(stateful)}"
        why = "one of them serves, and what these know is in its memory: the next one would start with nothing"
        yield Finding(
            at=("router", "replicas"), what=what, why=why, fix="write `1`, or bring plugins of your own without them"
        )
    elif replicas > 1 and facts.router.wait:
        what, why = f"a wait for {replicas} replicas", "only the leader is ever Ready, so the wait for all would fail"
        yield Finding(at=("router", "wait"), what=what, why=why, fix="write `wait: false` under `router`")


def _types(router: Router, bill: Bill) -> list[str]:
    rows = (router.plugins or bill.router.plugin_config).get("plugins")
    return [row["type"] for row in rows if _is_plugin(row)] if isinstance(rows, list) else []


def charts_flags(facts: Facts) -> Iterator[Finding]:
    """Flags that the chart derives from something else."""
    for name, source in CHARTS_FLAGS.items():
        if name in facts.router.flags:
            what, why = f"flag `{name}` is there twice", "the chart sets it, and the last of two would silently win"
            at, fix = ("router", "flags", name), f"leave it out: it follows from {source}"
            yield Finding(at=at, what=what, why=why, fix=fix)


def own_bills_values(facts: Facts) -> Iterator[Finding]:
    """Values of the chart are those of this release's chart: another's would be ignored, or fail the install."""
    bill = facts.bill
    others = {key: other.name for other in RELEASES.values() for key in other.router.sections - bill.router.sections}
    for key in facts.router.values:
        if key in others:
            what = f"`{key}` is a key of release {others[key]}'s chart"
            why = f"the stack is on {bill.name}, and keys of two releases do not mix"
            fix = f"write it in this chart's keys ({', '.join(sorted(bill.router.sections))})"
            yield Finding(at=("router", "values", key), what=what, why=why, fix=fix)


def of_this_mode(facts: Facts) -> Iterator[Finding]:
    """Settings that nothing reads in the stack's mode."""
    router, proxied = facts.router, facts.router.mode in facts.bill.router.proxy_modes
    stated = router.proxy_resources.requests, router.proxy_resources.limits
    if not proxied and any(part.model_dump(exclude_none=True) for part in stated):
        what, why = f"there is no proxy to have resources in mode {router.mode}", "there the gateway is the proxy"
        yield Finding(
            at=("router", "proxyResources"), what=what, why=why, fix="leave it out, or set them on the gateway"
        )
    if proxied and router.failure_mode is not None:
        what = f"a failure mode has no effect in mode {router.mode}"
        why = "a gateway reads it from the InferencePool, and the chart's own proxy does not"
        yield Finding(at=("router", "failureMode"), what=what, why=why, fix="leave it out, or use mode gateway")


BILL_02 = Rule(
    "BILL-02", ERROR,
    "values of another release's chart in `router.values`",
    "keys of two releases do not mix",
    "docs/upgrade.md", check=own_bills_values,
)  # fmt: skip
ROUTER_02 = Rule(
    "ROUTER-02", ERROR,
    "more than one replica of an endpoint picker whose plugins keep their state in memory, or a wait for all of"
    " several",
    "one of them serves, the leader: the next would know nothing, and only one is ever Ready",
    "docs/stack-files.md", check=one_replica,
)  # fmt: skip
ROUTER_04 = Rule(
    "ROUTER-04", ERROR,
    "resources for the proxy in mode `gateway`, a failure mode in mode `standalone`",
    "nothing would read them",
    "docs/gateways.md", check=of_this_mode,
)  # fmt: skip
RULES = (
    BILL_02,
    Rule(
        "ROUTER-01", ERROR,
        "a plugin configuration with sections or plugins the release's endpoint picker does not know, or of another"
        " `apiVersion`",
        "it would not start",
        "docs/stack-files.md", check=plugin_config,
    ),
    ROUTER_02,
    Rule(
        "ROUTER-03", ERROR,
        "a flag of the endpoint picker that its chart sets",
        "the last of two would silently win",
        "docs/stack-files.md", check=charts_flags,
    ),
    ROUTER_04,
    Rule(
        "ROUTER-05", ERROR,
        "`router.resources` or `router.proxyResources` that ask for more than the limit, upstream's included",
        "the API server refuses the pods, when the model servers run already",
        "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
        check=requests_within_limits,
    ),
    Rule(
        "ROUTER-06", ERROR,
        "a port in `router.extraPorts` whose name or number the Service has already (`grpc-ext-proc` 9002, "
        "`http-metrics` 9090, `http` 80)",
        "the API server refuses the Service",
        "https://kubernetes.io/docs/concepts/services-networking/service/", check=ports_once,
    ),
)  # fmt: skip
