"""What is wrong with inputs before anything is made: what the SDK or the provider's schema does not take, and broken laws.

The SDK's types are judged first, then rules over values (`value_rules`) and over several arguments (`cross_fields`,
`combinations`), then the laws: rows of `stacks.clouds.gke.rules`, judged over what the cloud holds of the stack and
this resource.
Clusters and node pools answer for all they stand on; of the other kinds a network may still lack what comes after it. What is not
known yet breaks none.
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

#: Ids of laws about networks: in which one something is, an unknown mostly hides.
NETWORKS = "NET-"
#: Of these the law is about what comes after them: the subnets of a network.
_LATER = frozenset({("compute.Network", "NET-04")})


@dataclass(frozen=True)
class Subject:
    """What is checked: its kind, arguments in the SDK's words, its id, and what else there is of its stack."""

    kind: str
    args: Arguments
    id: str
    others: Sequence[Record]


def problems(subject: Subject) -> dict[str, str]:
    """What is wrong, by the input's path as the engine spells it."""
    found: dict[str, list[str]] = {}
    for path, what in _wrong(subject):
        found.setdefault(camel(path), []).append(what)
    return {path: "; ".join(what) for path, what in found.items()}


def _wrong(subject: Subject) -> list[tuple[str, str]]:
    """Mistakes in types alone, as nothing else can be judged over them; laws only over values that are taken."""
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
    """Ranges that are none, which no law could be judged over."""
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
    """The name it has for the laws: networks and what is in them are known by theirs, which others may have too."""
    return str(args.get("name") or id_) if kind.startswith("compute.") else id_


def _known(value: Any) -> Any:
    """Without what is not known yet."""
    if isinstance(value, Mapping):
        return {key: _known(part) for key, part in value.items() if not is_unknown(part)}
    if isinstance(value, list):
        return [_known(part) for part in value if not is_unknown(part)]
    return value


def _unknown_at(args: Any, path: str) -> bool:
    """Whether what is at a path, or something in it, is not known yet."""
    for step in path.split("."):
        if isinstance(args, list):
            args = next((part for part in args if isinstance(part, Mapping) and step in part), None)
        args = args.get(step) if isinstance(args, Mapping) else args
    return contains_unknown(args)
