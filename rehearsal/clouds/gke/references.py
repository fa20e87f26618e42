"""References between the resources of the pretend GKE: by id, link, name, or the address of an account.

A bare name refers to the same project, and to the same region for regional resources.
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
    """An argument that refers to another resource: its path, its value, and the id or alias that it names."""

    path: str
    said: str
    target: str
    kinds: tuple[str, ...]

    def found(self, records: Sequence[Record]) -> Record | None:
        """Returns the resource that it refers to, or None."""
        return next(
            (record for record in records if record.kind in self.kinds and self.target in known_as(record)), None
        )


def references(kind: str, args: Arguments) -> Iterator[Reference]:
    """Yields the known references of a resource. Members of a role that are no service accounts are ignored."""
    for path, kinds in KINDS[kind].refers.items():
        for place, said in _values(args, path.split("."), ""):
            if not is_unknown(said) and (path != "member" or said.startswith("serviceAccount:")):
                yield Reference(place, said, _canonical(said, kinds[0], args), kinds)


def known_as(record: Record) -> list[str]:
    """Returns the names by which others can refer to a resource."""
    return [record.id, *(str(record.state.get(alias)) for alias in KINDS[record.kind].aliases)]


def users(record: Record, records: Sequence[Record]) -> Iterator[Record]:
    """Yields the resources that refer to it."""
    for other in records:
        if other is not record and any(reference.found([record]) for reference in references(other.kind, other.args)):
            yield other


def reached(kind: str, args: Arguments, records: Sequence[Record]) -> dict[str, tuple[str, Record]]:
    """Returns the direct and indirect references of a resource: by id, with the path of its own argument that leads there."""
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
    """Yields the texts at a path with their places; indices of lists are no steps of a path."""
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
    # The name of a zone begins with its region.
    region = where.rpartition("-")[0] if where.count("-") == 2 else where
    return KINDS[kind].id.format_map(
        {"project": args.get("project"), "region": region, "location": where, "name": said}
    )
