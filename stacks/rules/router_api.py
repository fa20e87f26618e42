"""What the API server refuses of the router's objects. It would say so at the end of an `up`, when the servers run already."""

from collections.abc import Iterator

from hardware.fit.quantities import parse
from releases.values import merge, upstreams
from stacks.rules.facts import Finding, Subject
from stacks.serving.router import settings

#: Ports that every release's chart gives the router's Service itself.
CHARTS_PORTS = {"grpc-ext-proc": 9002, "http-metrics": 9090}


def requests_within_limits(subject: Subject) -> Iterator[Finding]:
    """What a container asks for is not above its limit, which may be upstream's. `router.values`, the last word, is not read."""
    stated = settings(subject.spec, subject.bill)
    for key in ("resources", "proxyResources"):
        if key not in stated:
            continue
        whole = merge(upstreams(subject.bill, key) or {}, stated[key])
        for resource, asked in whole.get("requests", {}).items():
            limit = whole.get("limits", {}).get(resource)
            if limit is not None and parse(asked) > parse(limit):
                whose = "" if resource in stated[key].get("limits", {}) else "upstream's "
                what = f"{asked} {resource} asked for and {whose}limit {limit}"
                fix = f"write `limits: {{{resource}: {asked}}}` or more, or ask for less"
                yield Finding(f"router.{key}", what, "Kubernetes refuses a pod that asks for more than its limit", fix)


def ports_once(subject: Subject) -> Iterator[Finding]:
    """A Service has a name, and a number of a protocol, once."""
    upstream = upstreams(subject.bill, "extraPorts") or []
    taken = [*CHARTS_PORTS.items(), *((row["name"], row["port"]) for row in upstream)]
    names, numbers = {name for name, _ in taken}, {(number, "TCP") for _, number in taken}
    for index, port in enumerate(subject.spec.router.extra_ports):
        why, where = "a Service has each once, and the API server refuses it", f"router.extraPorts[{index}]"
        if port.name in names:
            yield Finding(f"{where}.name", f"port name `{port.name}` is taken", why, "choose another name")
        if (port.port, port.protocol) in numbers:
            what = f"port {port.port} of {port.protocol} is taken"
            yield Finding(f"{where}.port", what, why, "choose another number, or leave it out if upstream's will do")
        names.add(port.name)
        numbers.add((port.port, port.protocol))
