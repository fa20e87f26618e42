"""A change for a reviewer: its kind, its subject, and a finding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stacks.findings import Finding


class Kind(StrEnum):
    """REPLACED: deleted and made anew. BREAKS: needs manual work. CHANGES: needs none."""

    REPLACED = "replaced"
    BREAKS = "breaks"
    CHANGES = "changes"


@dataclass(frozen=True, init=False)
class Change:
    """One difference after the move. The reason and the fix of its finding may be empty."""

    kind: Kind
    subject: str
    finding: Finding

    def __init__(self, kind: Kind, subject: str, what: str, why: str = "", fix: str = "") -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "subject", subject)
        object.__setattr__(self, "finding", Finding((), what, why, fix))

    def __str__(self) -> str:
        found = self.finding
        why, fix = (f", because {found.why}" if found.why else ""), (f"; {found.fix}" if found.fix else "")
        return f"{self.subject}: {found.what}{why}{fix}"

    def of(self, subject: str) -> "Change":
        """Returns this change for another subject."""
        return Change(self.kind, subject, self.finding.what, self.finding.why, self.finding.fix)

    def as_json(self) -> dict[str, Any]:
        """Returns all fields, for machines."""
        found = self.finding
        return {"kind": self.kind, "subject": self.subject, "what": found.what, "why": found.why, "fix": found.fix}


def became(before: str, after: str) -> str:
    """Describes a changed value; the empty text stands for a missing one."""
    if before and after:
        return f"{before} → {after}"
    return f"added ({after})" if after else f"gone (was {before})"


def of_all(parts: Iterable[tuple[str, Iterable[Change]]], everyone: str) -> Iterator[Change]:
    """Yields the changes of several parts, each once: of `everyone` if all parts have it, else of the parts that have it."""
    parts = [(name, list(changes)) for name, changes in parts]
    found = dict.fromkeys(change for _, changes in parts for change in changes)
    for change in found:
        names = [name for name, changes in parts if change in changes]
        whose = everyone if len(names) == len(parts) else ", ".join(names)
        yield change.of(f"{change.subject} of {whose}")
