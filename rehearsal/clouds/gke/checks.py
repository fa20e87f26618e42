"""Checks of inputs before a resource is created: the SDK's types, the provider's schema, and the laws.

The SDK's types are judged first, then rules over values (`value_rules`) and over several arguments (`cross_fields`,
`combinations`), then the laws: rows of `stacks.clouds.gke.rules`, over the resources of the stack in the cloud and this one.
Clusters and node pools are judged with everything that they refer to; a network can still lack resources that are created after
it. A value that is not known yet breaks no law.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from rehearsal.clouds.gke.combinations import combination_problems
from rehearsal.clouds.gke.cross_fields import cross_field_problems
from rehearsal.clouds.gke.references import reached
from rehearsal.clouds.gke.value_rules import value_problems
from rehearsal.clouds.inputs import camel
from rehearsal.clouds.store import Record
from rehearsal.plugins.values import contains_unknown, is_unknown
from stacks.clouds.gke.rules import RULES
from stacks.clouds.resource import Arguments, Resource
from stacks.findings import run
from stacks.rules.facts import Facts

#: Ids of laws about networks. A value that is not known yet is most often the network.
NETWORKS = "NET-"
#: Kinds whose laws are about resources that are created later: the subnets of a network.
_LATER = frozenset({("compute.Network", "NET-04")})


@dataclass(frozen=True)
class Subject:
    """The resource that is checked: kind, arguments in the SDK's spelling, id, and the other resources of its stack."""

    kind: str
    args: Arguments
    id: str
    others: Sequence[Record]


def problems(subject: Subject) -> dict[str, str]:
    """Returns the mistakes by the input's path in the engine's spelling."""
    found: dict[str, list[str]] = {}
    for path, what in _wrong(subject):
        found.setdefault(camel(path), []).append(what)
    return {path: "; ".join(what) for path, what in found.items()}


def _wrong(subject: Subject) -> list[tuple[str, str]]:
    """Yields mistakes in types; values and laws are judged only if there are none."""
    mistaken = [*_types(subject)]
    if mistaken:
        return mistaken
    values = [*value_problems(subject.kind, subject.args), *_ranges(subject)]
    together = [*cross_field_problems(subject.kind, subject.args), *combination_problems(subject.kind, subject.args)]
    return [*values, *together, *(() if values else _laws(subject))]


def _types(subject: Subject) -> Iterator[tuple[str, str]]:
    from rehearsal.clouds.gke.sdk import mistakes  # it imports Google's SDK, which costs a second

    yield from mistakes(Resource(subject.id, subject.kind, "", subject.args), {})


def _ranges(subject: Subject) -> Iterator[tuple[str, str]]:
    """Yields invalid address ranges, over which no law can be judged."""
    if subject.kind != "compute.Subnetwork":
        return
    secondary: Sequence[Mapping[str, Any]] = subject.args.get("secondary_ip_ranges") or ()
    secondary = () if is_unknown(secondary) else secondary
    said = {"ip_cidr_range": subject.args.get("ip_cidr_range")}
    said |= {
        f"secondary_ip_ranges[{at}].ip_cidr_range": row.get("ip_cidr_range")
        for at, row in enumerate(secondary)
        if not is_unknown(row)
    }
    for path, value in said.items():
        try:
            if not is_unknown(value):
                IPv4Network(str(value))
        except ValueError as error:
            yield path, f"it is no range of addresses: {error}"


def _laws(subject: Subject) -> Iterator[tuple[str, str]]:
    waits = contains_unknown(subject.args)
    known = _known(subject.args)
    own = Resource(_called(subject.kind, known, subject.id), subject.kind, "", known)
    others = [(_called(record.kind, record.args, record.id), record) for record in subject.others]
    everything = [*(Resource(name, record.kind, "", record.args) for name, record in others), own]
    laws = [rule for rule in RULES if not waits or not rule.id.startswith(NETWORKS)]
    broken = run(laws, Facts(resources=everything)).errors
    below = reached(subject.kind, subject.args, subject.others) if subject.kind.startswith("container.") else {}
    for one in broken:
        _, name, *steps = one.finding.at
        field = ".".join(map(str, steps))
        judged = (subject.kind, one.rule) not in _LATER and not _unknown_at(subject.args, field)
        if name == own.name and judged:
            yield field, f"{one.rule}: {one.what}"
        for path, record in below.values():
            if (name, record) in others:
                yield path, f"{one.rule}: `{camel(field)}` of {record.name}: {one.what}"


def _called(kind: str, args: Arguments, id_: str) -> str:
    """Returns the name of a resource for the laws: networks and their subnets have names that others can have too."""
    return str(args.get("name") or id_) if kind.startswith("compute.") else id_


def _known(value: Any) -> Any:
    """Returns arguments without values that are not known yet."""
    if isinstance(value, Mapping):
        return {key: _known(part) for key, part in value.items() if not is_unknown(part)}
    if isinstance(value, list):
        return [_known(part) for part in value if not is_unknown(part)]
    return value


def _unknown_at(args: Any, path: str) -> bool:
    """Whether the value at a path, or a part of it, is not known yet."""
    for step in path.split("."):
        if isinstance(args, list):
            args = next((part for part in args if isinstance(part, Mapping) and step in part), None)
        args = args.get(step) if isinstance(args, Mapping) else args
    return contains_unknown(args)
