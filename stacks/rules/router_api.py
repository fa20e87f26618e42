"""Rules for objects of the router that the API server refuses, at the end of an `up`, when the servers run already."""

import itertools
import json
from collections.abc import Collection, Iterator

from hardware.fit.quantities import parse
from releases.values import merge, upstreams
from stacks.findings import Finding, answered
from stacks.rules.facts import Facts
from stacks.serving.router import settings
from stacks.spec.router import ExtraPort

#: Ports that every release's chart gives the router's Service itself.
CHARTS_PORTS = {"grpc-ext-proc": 9002, "http-metrics": 9090}


def requests_within_limits(facts: Facts) -> Iterator[Finding]:
    """Requests are not above their limits, which may be upstream's. `router.values`, which override both, are not read."""
    stated = settings(next(answered(lambda: facts.chosen), facts.spec), facts.bill)
    for key in ("resources", "proxyResources"):
        if key not in stated:
            continue
        whole = merge(upstreams(facts.bill, key) or {}, stated[key])
        for resource, asked in whole.get("requests", {}).items():
            limit = whole.get("limits", {}).get(resource)
            if limit is not None and parse(asked) > parse(limit):
                whose = "" if resource in stated[key].get("limits", {}) else "upstream's "
                what = f"{asked} {resource} asked for and {whose}limit {limit}"
                amount = json.dumps(asked) if resource == "cpu" else asked
                fix = f"write `limits: {{{resource}: {amount}}}` or more, or ask for less"
                part = "requests" if resource in stated[key].get("requests", {}) else "limits"
                yield Finding(
                    at=("router", key, part, resource),
                    what=what,
                    why="Kubernetes refuses a pod that asks for more than its limit",
                    fix=fix,
                )


def ports_once(facts: Facts) -> Iterator[Finding]:
    """A Service has a name, and a number of a protocol, once."""
    upstream = upstreams(facts.bill, "extraPorts") or []
    taken = [*CHARTS_PORTS.items(), *((row["name"], row["port"]) for row in upstream)]
    names, numbers = {name for name, _ in taken}, {(number, "TCP") for _, number in taken}
    for index, port in enumerate(facts.router.extra_ports):
        why, where = "a Service has each once, and the API server refuses it", ("router", "extraPorts", index)
        if port.name in names:
            yield Finding(
                at=(*where, "name"), what=f"port name `{port.name}` is taken", why=why,
                fix=f"write another name, such as `{_free_name(port.name, names)}`",
            )  # fmt: skip
        if (port.port, port.protocol) in numbers:
            what = f"port {port.port} of {port.protocol} is taken"
            yield Finding(
                at=(*where, "port"),
                what=what,
                why=why,
                fix=f"write another number, such as `{_free_number(port, numbers)}`, or take the item out: there is such a port",
            )
        names.add(port.name)
        numbers.add((port.port, port.protocol))


def _free_name(name: str, taken: Collection[str]) -> str:
    """A name like this within the 15 characters of a port's."""
    return next(free for number in itertools.count(2) if (free := f"{name[:12].rstrip('-')}-{number}") not in taken)


def _free_number(port: ExtraPort, taken: Collection[tuple[int, str]]) -> int:
    """The next number that is free, else the next of 1024."""
    following = (*range(port.port + 1, 2**16), *range(1024, port.port))
    return next(number for number in map(int, following) if (number, port.protocol) not in taken)
