"""Changes: the kind and the subject of each, and the text for a reviewer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stacks.findings import Finding


class Kind(StrEnum):
    """REPLACED: deleted and created anew. BREAKS: the user has to act. CHANGES: nothing to do."""

    REPLACED = "replaced"
    BREAKS = "breaks"
    CHANGES = "changes"


@dataclass(frozen=True, init=False)
class Change:
    """One difference after the move. `why` and `fix` of its finding may be empty."""

    kind: Kind
    subject: str
    finding: Finding

    def __init__(self, kind: Kind, subject: str, what: str, why: str = "", fix: str = "") -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "subject", subject)
        object.__setattr__(self, "finding", Finding(at=(), what=what, why=why, fix=fix))

    def __str__(self) -> str:
        found = self.finding
        why, fix = (f", because {found.why}" if found.why else ""), (f"; {found.fix}" if found.fix else "")
        return f"{self.subject}: {found.what}{why}{fix}"

    def of(self, subject: str) -> "Change":
        """Returns this change with another subject."""
        return Change(self.kind, subject, what=self.finding.what, why=self.finding.why, fix=self.finding.fix)

    def as_json(self) -> dict[str, Any]:
        """Returns the whole change as JSON, for programs."""
        found = self.finding
        return {"kind": self.kind, "subject": self.subject, "what": found.what, "why": found.why, "fix": found.fix}


def became(before: str, after: str) -> str:
    """Returns the text for a value that became another one; an empty text stands for a missing value."""
    if before and after:
        return f"{before} → {after}"
    return f"added ({after})" if after else f"gone (was {before})"


def of_all(parts: Iterable[tuple[str, Iterable[Change]]], everyone: str) -> Iterator[Change]:
    """Yields the changes of several parts, each once: for `everyone` if all parts have it, else for the parts that have it."""
    parts = [(name, list(changes)) for name, changes in parts]
    found = dict.fromkeys(change for _, changes in parts for change in changes)
    for change in found:
        names = [name for name, changes in parts if change in changes]
        owners = everyone if len(names) == len(parts) else ", ".join(names)
        yield change.of(f"{change.subject} of {owners}")
