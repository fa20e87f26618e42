"""`llmd-pd rules` and `llmd-pd explain`: print the table of rules, and the page of one rule."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from commands import console
from commands.check import Output

if TYPE_CHECKING:
    from stacks.findings import Rule


def rules(
    output: Annotated[Output, typer.Option(help="A table, or one JSON document.")] = Output.TEXT,
) -> None:
    """List every rule: its id, whether it refuses a stack, and what it is about.

    Examples:

    \b
      llmd-pd rules
      llmd-pd rules --output json | jq -r '.rules[] | select(.suppressible) | .id'
    """
    from stacks.rules import table

    if output is Output.JSON:
        console.line(json.dumps({"rules": [_document(rule) for rule in table.rules()]}, indent=2))
        return
    console.tables((("rule", "severity", "title"), [(rule.id, rule.severity, rule.title) for rule in table.rules()]))


def explain(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The id of a rule, as problems name it.")],
) -> None:
    """Print the page of a rule: what it refuses or points out, why, where it comes from, and what to do.

    Examples:

    \b
      llmd-pd explain GKE-12
    """
    from stacks.findings import meant
    from stacks.rules import table

    found = next((row for row in table.rules() if row.id == rule), None)
    if found is None:
        near = meant(rule, [row.id for row in table.rules()]) or "`llmd-pd rules` lists them all."
        console.error(f"there is no rule `{rule}`; {near}")
        raise typer.Exit(1)
    does = "refuses" if found.severity == "error" else "points out"
    rows = [("severity", found.severity), (does, found.title), ("because", found.why), ("source", found.source)]
    console.facts(found.id, [*rows, ("what to do", _advice(found))])


def _advice(rule: "Rule") -> str:
    said = "`pulumi preview`" if rule.title.startswith("when Pulumi runs") else "`llmd-pd check`"
    text = f"{said} names the place and the fix"
    if rule.suppressible:
        return f"{text}; to accept what it finds, write `llmd-pd:suppress: [{{rule: {rule.id}, reason: …}}]`"
    return f"{text}; it cannot be suppressed"


def _document(rule: "Rule") -> dict[str, str | bool]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "why": rule.why,
        "source": rule.source,
        "suppressible": rule.suppressible,
    }
