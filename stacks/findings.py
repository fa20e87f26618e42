"""A problem of a stack file: what, where, why, and the fix, in one sentence each."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """One thing a stack file says that cannot be honoured.

    `path` is the YAML path (`llmd-pd:serving.prefill.replicas`), `rule` the id of the rule, `source` where the rule comes
    from; `line` counts from 1, 0 where no line can be named.
    """

    rule: str
    path: str
    what: str
    why: str
    fix: str
    source: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        source = f" [{self.source}]" if self.source else ""
        path = f"{self.path}: " if self.path else ""
        end = "" if self.fix.endswith("?") else "."
        return single_line(f"{place}{path}{self.what}, because {self.why}; {self.fix}{end} ({self.rule}){source}")

    def as_json(self) -> dict[str, str | int]:
        """All fields, for machines."""
        return asdict(self)


class StackFileError(ValueError):
    """A stack file cannot be used; carries every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def single_line(text: str) -> str:
    """The text with whatever is not printable escaped as in Python: line ends, tabs, a terminal's control sequences."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def known(key: str, names: Iterable[str]) -> str:
    """The fix for a key that is not among these: the name that was probably meant, else all there are, if any."""
    names = list(names)
    return meant(key, names) or (f"use one of {', '.join(names)}" if names else "")


def meant(key: str, names: Sequence[str]) -> str:
    """The name among these that was probably meant, as a fix; nothing where none is like it."""
    if len(names) == 1:
        return f"write `{names[0]}`"
    in_lower_case = {name.lower(): name for name in names}
    close = difflib.get_close_matches(key.lower(), in_lower_case, n=1, cutoff=0.7)
    return f"did you mean `{in_lower_case[close[0]]}`?" if close else ""
