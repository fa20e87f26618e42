"""Tries a fix before it is proposed: a reader follows it literally, and a word that leads to the next refusal is none."""

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from stacks.findings import Place, run
from stacks.rules.proposals import Changes
from stacks.spec.stack import StackSpec

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def objections(facts: "Facts", changes: Changes) -> set[tuple[str, Place]]:
    """Returns what the rules find in a stack file with these changes, by rule and place.

    Nothing, if a key that cannot be read is needed: then nothing can be tried.
    """
    from stacks.rules.table import rules  # the table has the rules that propose

    content = facts.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for at, value in changes.items():
        _put(content, at, value)
    try:
        spec = StackSpec.model_validate_json(json.dumps(content))
    except ValidationError as error:
        faulty = {detail["loc"] for detail in error.errors()}
        return {("SPEC", place) for place in changes if any(at[: len(place)] == place for at in faulty)}
    asked = [rule for rule in rules() if rule.asks_facts]
    return {(found.rule, found.finding.at) for found in run(asked, facts.of_a_trial(spec)).errors}


def _put(content: dict[str, Any], at: Place, value: Any) -> None:
    *above, last = map(str, at)
    for step in above:
        content = content.setdefault(step, {})
    if value is None:
        content.pop(last, None)
    else:
        content[last] = value
