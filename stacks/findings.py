"""Findings and rules: a rule is a row, a finding is its result for one stack, and `run` checks rules over facts."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, Self, TypeVar

#: Keys of a place, and indices of lists: `("serving", "tolerations", 1, "value")`. Empty: the whole file.
Place = tuple[str | int, ...]
#: Begins a place that is not under the project's configuration: another key of the file, or an argument of a resource.
OUTSIDE = 0
#: The prefix of the project's keys in a stack file.
PROJECT = "llmd-pd"


class Severity(StrEnum):
    """An error refuses a stack, a warning points something out."""

    ERROR = "error"
    WARNING = "warning"


ERROR, WARNING = Severity.ERROR, Severity.WARNING


class UnknownError(Exception):
    """A fact cannot be had. A rule that asks for it is silent, because another finding says why."""


@dataclass(frozen=True)
class Finding:
    """Something wrong at a place, in three phrases of one sentence: what, because why; the fix.

    `firm`: nothing can be derived of the stack because of it, so it cannot be suppressed, though its rule can.
    """

    at: Place
    what: str
    why: str
    fix: str
    firm: bool = False


def _nothing(_: Any) -> Iterator[Finding]:
    return iter(())


@dataclass(frozen=True)
class Rule:
    """A row of the table: an id with one severity, what it refuses or points out, why, and a link or a page of the docs.

    `check` finds it in facts. A rule without one is reported by the reader of the file, because there are no facts yet.
    `firm`: nothing can be derived of a stack that breaks it, or something would be lost; it cannot be suppressed. `when_run`: it,
    or a part of it, is found only when Pulumi runs.
    """

    id: str
    severity: Severity
    title: str
    why: str
    source: str
    check: Callable[[Any], Iterable[Finding]] = _nothing
    firm: bool = False
    when_run: bool = False

    @property
    def asks_facts(self) -> bool:
        """Whether it is found in facts, and not said by a look."""
        return self.check is not _nothing

    @property
    def suppressible(self) -> bool:
        """Whether a stack file may suppress it."""
        return self.asks_facts and not self.firm

    def problem(self, *, at: Place, what: str, why: str, fix: str, file: str = "", line: int = 0) -> "Problem":
        """A finding of this rule."""
        return Problem(self, Finding(at=at, what=what, why=why, fix=fix), file, line)


@dataclass(frozen=True)
class Problem:
    """A finding of a rule, of either severity, with the file it is in; `line` counts from 1, 0 where none can be named."""

    row: Rule
    finding: Finding
    file: str = ""
    line: int = 0

    @property
    def rule(self) -> str:
        """The rule's id."""
        return self.row.id

    @property
    def severity(self) -> Severity:
        """The rule's severity."""
        return self.row.severity

    @property
    def source(self) -> str:
        """Where the rule comes from."""
        return self.row.source

    @property
    def path(self) -> str:
        """The place as text: `llmd-pd:serving.tolerations[1].value`."""
        return place_text(self.finding.at)

    @property
    def what(self) -> str:
        """The problem."""
        return self.finding.what

    @property
    def why(self) -> str:
        """The reason."""
        return self.finding.why

    @property
    def fix(self) -> str:
        """The fix."""
        return self.finding.fix

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        source = f" [{self.source}]" if self.source else ""
        path = f"{self.path}: " if self.path else ""
        end = "" if self.fix.endswith("?") else "."
        return single_line(f"{place}{path}{self.what}, because {self.why}; {self.fix}{end} ({self.rule}){source}")

    def as_json(self) -> dict[str, str | int]:
        """All fields, for machines."""
        keys = ("rule", "path", "what", "why", "fix", "source", "file", "line", "severity")
        return {key: str(value) if isinstance(value := getattr(self, key), Severity) else value for key in keys}


class StackFileError(ValueError):
    """A stack file cannot be used; carries every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


def each(*checks: Callable[[Any], Iterable[Finding]]) -> Callable[[Any], Iterator[Finding]]:
    """Several checks of one rule: one that lacks a fact does not keep the others silent."""

    def check(facts: Any) -> Iterator[Finding]:
        unknown: UnknownError | None = None
        for one in checks:
            try:
                yield from one(facts)
            except UnknownError as error:
                unknown = error
        if unknown:
            raise unknown

    return check


Answer = TypeVar("Answer")


def answered(*questions: Callable[[], Answer]) -> Iterator[Answer]:
    """Yields the answers to the questions whose facts can be had."""
    for question in questions:
        try:
            yield question()
        except UnknownError:
            continue


class Suppression(Protocol):
    """A rule that a stack file suppresses, and why."""

    @property
    def rule(self) -> str:
        """The id."""

    @property
    def reason(self) -> str:
        """Why the finding is accepted."""


@dataclass(frozen=True)
class Suppressed:
    """A problem that the stack file suppresses, and the reason it gives."""

    problem: Problem
    reason: str

    def __str__(self) -> str:
        reason = f"reason given: {self.reason.strip().rstrip('.')}"
        return str(replace(self.problem, finding=replace(self.problem.finding, fix=reason)))


@dataclass(frozen=True)
class Outcome:
    """The result of rules: errors, warnings, suppressed findings, and the rules that asked for an unknown fact."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    unanswered: tuple[Rule, ...] = ()

    def then(self, later: "Outcome", asked: Iterable[Rule]) -> Self:
        """Returns both outcomes as one. Of a rule that was `asked` again, the later answer counts if there is one."""
        again = {rule.id for rule in asked} - {rule.id for rule in later.unanswered}
        errors = [row for row in self.errors if row.rule not in again]
        warnings = [row for row in self.warnings if row.rule not in again]
        suppressed = [row for row in self.suppressed if row.problem.rule not in again]
        return replace(
            self,
            errors=tuple(dict.fromkeys([*errors, *later.errors])),
            warnings=tuple(dict.fromkeys([*warnings, *later.warnings])),
            suppressed=tuple(dict.fromkeys([*suppressed, *later.suppressed])),
            unanswered=tuple(rule for rule in self.unanswered if rule.id not in again),
        )


def run(rules: Iterable[Rule], facts: Any, suppress: Sequence[Suppression] = ()) -> Outcome:
    """Asks every rule about the facts, in the order of the table; the order decides nothing but that of what is printed."""
    found: dict[Severity, list[Problem]] = {ERROR: [], WARNING: []}
    suppressed: list[Suppressed] = []
    unanswered: list[Rule] = []
    for rule in rules:
        findings: dict[Finding, None] = {}
        try:
            for finding in rule.check(facts):
                findings[finding] = None  # once, where both roles have the same
        except UnknownError:
            unanswered.append(rule)
        counted, accepted = sift([Problem(rule, finding) for finding in findings], suppress)
        found[rule.severity] += counted
        suppressed += accepted
    return Outcome(tuple(found[ERROR]), tuple(found[WARNING]), tuple(suppressed), tuple(unanswered))


def sift(problems: Iterable[Problem], suppress: Sequence[Suppression]) -> tuple[list[Problem], list[Suppressed]]:
    """Splits problems into those that count and those that a stack file suppresses."""
    reasons = {each.rule: each.reason for each in reversed(suppress)}  # the first of two counts
    counted: list[Problem] = []
    accepted: list[Suppressed] = []
    for problem in problems:
        finding = problem.finding
        if not problem.row.suppressible or problem.rule not in reasons:
            counted.append(problem)
        elif finding.firm:
            fix = f"{finding.fix}; it cannot be suppressed"
            counted.append(replace(problem, finding=replace(finding, fix=fix)))
        else:
            accepted.append(Suppressed(problem, reasons[problem.rule]))
    return counted, accepted


def place_text(at: Place) -> str:
    """`("serving", "prefill", "replicas")` -> `llmd-pd:serving.prefill.replicas`; items of lists as `[0]`, keys with dots as
    `["a.b"]`.
    """
    if not at:
        return ""
    outside = at[0] == OUTSIDE and not isinstance(at[0], str)
    first, *below = at[1:] if outside else at
    text = "".join(map(_step_text, below))
    return f"{first}{text}" if outside else f"{PROJECT}:{first}{text}"


def _step_text(step: str | int) -> str:
    """A step below the first, as `pulumi config set --path` spells it: `.key`, `[0]`, `["key.with/dots"]`."""
    if isinstance(step, int):
        return f"[{step}]"
    return f'["{step}"]' if not step or set(step) & set('.[]"') else f".{step}"


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
    near = closest(key, names)
    return f"did you mean `{near}`?" if near else ""


def closest(key: str, names: Iterable[str]) -> str | None:
    """The name among these that is most like a key; None where none is like it."""
    in_lower_case = {name.lower(): name for name in names}
    close = difflib.get_close_matches(key.lower(), in_lower_case, n=1, cutoff=0.7)
    return in_lower_case[close[0]] if close else None
