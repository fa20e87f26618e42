"""Checks of inputs before a resource is created: the SDK's types, the provider's schema, and the laws.

The SDK's types are judged first, then the table's rules over values and over several arguments, then the laws: rows of the
cloud's rules, over the resources of the stack in the cloud and this one. A kind that is judged as a `whole` is judged with
everything that it refers to; the others can still lack resources that are created after them. A value that is not known yet
breaks no law.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.clouds.inputs import camel
from rehearsal.clouds.pretend import PretendKinds
from rehearsal.clouds.references import reached
from rehearsal.clouds.sdk import Sdk
from rehearsal.clouds.store import Record
from rehearsal.plugins.values import contains_unknown, is_unknown
from stacks.clouds.resource import Arguments, Resource
from stacks.findings import run
from stacks.rules.facts import Facts


@dataclass(frozen=True)
class Subject:
    """The resource that is checked: kind, arguments in the SDK's spelling, id, and the other resources of its stack."""

    kind: str
    args: Arguments
    id: str
    others: Sequence[Record]


def problems(table: PretendKinds, subject: Subject) -> dict[str, str]:
    """Returns the mistakes by the input's path in the engine's spelling."""
    found: dict[str, list[str]] = {}
    for path, what in _wrong(table, subject):
        found.setdefault(camel(path), []).append(what)
    return {path: "; ".join(what) for path, what in found.items()}


def _wrong(table: PretendKinds, subject: Subject) -> list[tuple[str, str]]:
    """Returns mistakes in types; values and laws are judged only if there are none."""
    resource = Resource(subject.id, subject.kind, "", subject.args)
    mistaken = [(path, what) for path, what in Sdk(table.sdk).mistakes(resource, {})]
    if mistaken:
        return mistaken
    values = [row for check in table.values for row in check(subject.kind, subject.args)]
    together = [row for check in table.together for row in check(subject.kind, subject.args)]
    return [*values, *together, *(() if values else _laws(table, subject))]


def _laws(table: PretendKinds, subject: Subject) -> Iterator[tuple[str, str]]:
    kind, waits, known = table.kinds[subject.kind], contains_unknown(subject.args), _known(subject.args)
    own = Resource(table.law_name(subject.kind, known, subject.id), subject.kind, "", known)
    others = [(table.law_name(record.kind, record.args, record.id), record) for record in subject.others]
    everything = [*(Resource(name, record.kind, "", record.args) for name, record in others), own]
    laws = [rule for rule in table.rules if not waits or not rule.id.startswith(table.after_all)]
    below = reached(table.kinds, subject.kind, subject.args, subject.others) if kind.whole else {}
    for one in run(laws, Facts(resources=everything)).errors:
        _, name, *steps = one.finding.at
        field = ".".join(map(str, steps))
        if name == own.name and one.rule not in kind.later and not _unknown_at(subject.args, field):
            yield field, f"{one.rule}: {one.what}"
        for path, record in below.values():
            if (name, record) in others:
                yield path, f"{one.rule}: `{camel(field)}` of {record.name}: {one.what}"


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
