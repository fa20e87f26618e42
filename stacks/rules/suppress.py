"""Rules of `suppress`: it names rules that exist and can be suppressed, each once, and the file breaks them."""

from collections.abc import Iterator

from stacks.findings import ERROR, WARNING, Finding, Rule, each, known
from stacks.rules.facts import Facts
from stacks.rules.file import RULES as OF_THE_FILE


def _rows() -> dict[str, Rule]:
    from stacks.rules.table import rules  # the table has these rows

    return {rule.id: rule for rule in rules()}


def _known_rules(facts: Facts) -> Iterator[Finding]:
    rows = _rows()
    for index, stated in enumerate(facts.spec.suppress):
        at = ("suppress", index, "rule")
        rule = rows.get(stated.rule)
        if rule is None:
            what, why = f"rule `{stated.rule}` does not exist", "nothing would be suppressed"
            fix = known(stated.rule, [row.id for row in rows.values() if row.suppressible])
            yield Finding(at=at, what=what, why=why, fix=fix)
        elif not rule.suppressible:
            what, fix = f"rule {rule.id} cannot be suppressed", "take the entry out, and correct what the rule finds"
            yield Finding(at=at, what=what, why=_why_not(rule), fix=fix)


def _why_not(rule: Rule) -> str:
    if rule.when_run:
        return "it is found outside the file when Pulumi runs, and what it finds makes an `up` fail or do harm"
    if rule in OF_THE_FILE:
        return "a file that breaks it cannot be read"
    return "nothing can be made of a file that breaks it"


def _twice(facts: Facts) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, stated in enumerate(facts.spec.suppress):
        before = first.setdefault(stated.rule, index)
        if before != index:
            what, why = (
                f"rule {stated.rule} is there twice (first as item {before + 1})",
                "one reason counts, the first",
            )
            yield Finding(at=("suppress", index, "rule"), what=what, why=why, fix="keep one")


def _idle(facts: Facts) -> Iterator[Finding]:
    used, rows = {row.problem.rule for row in facts.outcome.suppressed}, _rows()
    first = {stated.rule: index for index, stated in reversed([*enumerate(facts.spec.suppress)])}
    for id_, index in sorted(first.items(), key=lambda entry: entry[1]):
        rule = rows.get(id_)
        if rule is None or rule.when_run or id_ in used or id_ == SUPPRESS_02.id:
            continue
        what, why = f"rule {id_} finds nothing in this stack", "the entry would hide what it finds after a later change"
        yield Finding(at=("suppress", index, "rule"), what=what, why=why, fix="take the entry out")


SUPPRESS_01 = Rule(
    "SUPPRESS-01", ERROR,
    "in `suppress`, a rule that does not exist or cannot be suppressed",
    "nothing would be suppressed",
    "docs/stack-files.md", check=_known_rules, firm=True,
)  # fmt: skip
SUPPRESS_02 = Rule(
    "SUPPRESS-02", WARNING,
    "in `suppress`, a rule twice, or one that finds nothing in this stack",
    "an entry without an effect would hide what the rule finds after a later change",
    "docs/stack-files.md", check=each(_twice, _idle),
)  # fmt: skip
RULES = (SUPPRESS_01, SUPPRESS_02)
