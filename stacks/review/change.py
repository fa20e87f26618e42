"""What one change is: of which kind, of what, and what a reviewer has to know about it."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """REPLACED is deleted and made anew; what BREAKS needs somebody to do something; what CHANGES does not."""

    REPLACED = "replaced"
    BREAKS = "breaks"
    CHANGES = "changes"


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise after the move. `why` and `fix` are clauses, empty where there is nothing to say."""

    kind: Kind
    subject: str
    what: str
    why: str = ""
    fix: str = ""

    def __str__(self) -> str:
        why, fix = (f", because {self.why}" if self.why else ""), (f"; {self.fix}" if self.fix else "")
        return f"{self.subject}: {self.what}{why}{fix}"

    def as_json(self) -> dict[str, Any]:
        """All fields, for machines."""
        return asdict(self)


def became(before: str, after: str) -> str:
    """A value that became another one; the empty text is one that is not there."""
    if before and after:
        return f"{before} → {after}"
    return f"added ({after})" if after else f"gone (was {before})"


def of_all(parts: Iterable[tuple[str, Iterable[Change]]], everyone: str) -> Iterator[Change]:
    """The changes of several parts, each said once: of `everyone` where all parts have it, else of the parts it is of."""
    parts = [(name, list(changes)) for name, changes in parts]
    found = dict.fromkeys(change for _, changes in parts for change in changes)
    for change in found:
        names = [name for name, changes in parts if change in changes]
        whose = everyone if len(names) == len(parts) else ", ".join(names)
        yield replace(change, subject=f"{change.subject} of {whose}")
