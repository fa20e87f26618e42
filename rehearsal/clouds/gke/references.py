"""What refers to what in the pretend cloud: by id, link, name, or the address of an account.

A bare name is one of the same project, and of the same region where such things have one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.clouds.gke.kinds import KINDS
from rehearsal.clouds.store import Record
from rehearsal.plugins.values import is_unknown
from stacks.clouds.resource import Arguments


@dataclass(frozen=True)
class Reference:
    """An argument that refers to something: its path, what it says, and what it would be the id or an alias of."""

    path: str
    said: str
    target: str
    kinds: tuple[str, ...]

    def found(self, records: Sequence[Record]) -> Record | None:
        """What it refers to, if that is there."""
        return next(
            (record for record in records if record.kind in self.kinds and self.target in known_as(record)), None
        )


def references(kind: str, args: Arguments) -> Iterator[Reference]:
    """What a resource refers to, as far as that is known. Members of a role who are no accounts are nobody's here."""
    for path, kinds in KINDS[kind].refers.items():
        for place, said in _values(args, path.split("."), ""):
            if not is_unknown(said) and (path != "member" or said.startswith("serviceAccount:")):
                yield Reference(place, said, _canonical(said, kinds[0], args), kinds)


def known_as(record: Record) -> list[str]:
    """What others may call it."""
    return [record.id, *(str(record.state.get(alias)) for alias in KINDS[record.kind].aliases)]


def users(record: Record, records: Sequence[Record]) -> Iterator[Record]:
    """Everything that refers to it."""
    for other in records:
        if other is not record and any(reference.found([record]) for reference in references(other.kind, other.args)):
            yield other


def reached(kind: str, args: Arguments, records: Sequence[Record]) -> dict[str, tuple[str, Record]]:
    """Everything a resource refers to, also by way of others: by id, with the path of its own argument that leads there."""
    found: dict[str, tuple[str, Record]] = {}
    waiting = [(reference.path, reference) for reference in references(kind, args)]
    while waiting:
        path, reference = waiting.pop(0)
        record = reference.found(records)
        if record is not None and record.id not in found:
            found[record.id] = (path, record)
            waiting += [(path, further) for further in references(record.kind, record.args)]
    return found


def _values(value: Any, steps: Sequence[str], path: str) -> Iterator[tuple[str, str]]:
    """The texts at a path, with their places: numbers of lists are not steps."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _values(part, steps, f"{path}[{index}]")
    elif steps and isinstance(value, Mapping):
        yield from _values(value.get(steps[0]), steps[1:], f"{path}.{steps[0]}" if path else steps[0])
    elif not steps and isinstance(value, str):
        yield path, value


def _canonical(said: str, kind: str, args: Arguments) -> str:
    if "/" in said:
        return "projects/" + said.partition("projects/")[2] if "projects/" in said else said
    if kind == "serviceaccount.Account":
        return said
    where = str(args.get("location") or args.get("region") or "")
    # A zone is in the region of its name.
    region = where.rpartition("-")[0] if where.count("-") == 2 else where
    return KINDS[kind].id.format_map(
        {"project": args.get("project"), "region": region, "location": where, "name": said}
    )
