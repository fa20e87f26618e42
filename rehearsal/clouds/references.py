"""References between the resources of a pretend cloud: by id, or by an output such as the address of an account."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.clouds.pretend import Kind, Reference
from rehearsal.clouds.store import Record
from rehearsal.plugins.values import is_unknown
from stacks.clouds.resource import Arguments

Kinds = Mapping[str, Kind]


def references(kinds: Kinds, kind: str, args: Arguments) -> Iterator[Reference]:
    """Yields the known references of a resource."""
    own = kinds[kind]
    for path, wanted in own.refers.items():
        for place, said in _values(args, path.split("."), ""):
            if is_unknown(said):
                continue
            target = own.target(path, said, kinds[wanted[0]], args)
            if target is not None:
                yield Reference(place, said, target, wanted)


def found(kinds: Kinds, reference: Reference, records: Sequence[Record]) -> Record | None:
    """Returns the resource that a reference names, or None."""
    named = (record for record in records if record.kind in reference.kinds)
    return next((record for record in named if reference.target in known_as(kinds, record)), None)


def known_as(kinds: Kinds, record: Record) -> list[str]:
    """Returns the names by which others can refer to a resource."""
    return [record.id, *(str(record.state.get(alias)) for alias in kinds[record.kind].aliases)]


def users(kinds: Kinds, record: Record, records: Sequence[Record]) -> Iterator[Record]:
    """Yields the resources that refer to it."""
    for other in records:
        named = references(kinds, other.kind, other.args)
        if other is not record and any(found(kinds, reference, [record]) for reference in named):
            yield other


def reached(kinds: Kinds, kind: str, args: Arguments, records: Sequence[Record]) -> dict[str, tuple[str, Record]]:
    """Returns the direct and indirect references of a resource: by id, with the path of its own argument that leads there."""
    reached_: dict[str, tuple[str, Record]] = {}
    waiting = [(reference.path, reference) for reference in references(kinds, kind, args)]
    while waiting:
        path, reference = waiting.pop(0)
        record = found(kinds, reference, records)
        if record is not None and record.id not in reached_:
            reached_[record.id] = (path, record)
            waiting += [(path, further) for further in references(kinds, record.kind, record.args)]
    return reached_


def _values(value: Any, steps: Sequence[str], path: str) -> Iterator[tuple[str, str]]:
    """Yields the texts at a path with their places; indices of lists are no steps of a path."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _values(part, steps, f"{path}[{index}]")
    elif steps and isinstance(value, Mapping):
        yield from _values(value.get(steps[0]), steps[1:], f"{path}.{steps[0]}" if path else steps[0])
    elif not steps and isinstance(value, str):
        yield path, value
