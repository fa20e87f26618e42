"""The rule of `suppress`: it names rules that there are, and that can be suppressed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacks.findings import ERROR, Finding, Rule, known

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def _known_rules(facts: "Facts") -> Iterator[Finding]:
    from stacks.rules.table import rules  # the table has this row

    rows = {rule.id: rule for rule in rules()}
    for index, stated in enumerate(facts.spec.suppress):
        at = ("suppress", index, "rule")
        rule = rows.get(stated.rule)
        if rule is None:
            what, why = f"rule `{stated.rule}` does not exist", "nothing would be suppressed"
            fix = known(stated.rule, [each.id for each in rows.values() if each.suppressible])
            yield Finding(at=at, what=what, why=why, fix=fix)
        elif not rule.suppressible:
            what, why = (
                f"rule {rule.id} cannot be suppressed",
                "without what it asks for nothing can be made of the file",
            )
            yield Finding(at=at, what=what, why=why, fix="take it out, and correct what it finds")


SUPPRESS_01 = Rule(
    "SUPPRESS-01", ERROR,
    "in `suppress`, a rule that does not exist or cannot be suppressed",
    "nothing would be suppressed",
    "docs/stack-files.md", check=_known_rules, firm=True,
)  # fmt: skip
