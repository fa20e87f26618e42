"""Judges a configuration: problems of its fields, errors of the rules, and which of the two goes further at one place."""

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stacks.file import messages
from stacks.file.faults import BY_DEFAULT, Written
from stacks.findings import Place, Problem
from stacks.rules.table import Examined, examine


def judge(
    config: dict[str, Any],
    but: Collection[str] = (),
    base: Path | None = None,
    written: Written = lambda _: None,
) -> tuple[list[Problem], Examined | None]:
    """Every problem of the fields, and, on what remains without the faulty ones, every error of the rules.

    The rules' findings are None if a field is faulty.
    """
    fields = messages.fields(config, written)
    found, left, examined = [*fields.problems], fields.left, None
    if left.spec is not None:
        outcome = examine(left.spec, but, base, plan=not found)
        examined = None if found else outcome
        errors = [
            replace(problem, finding=replace(problem.finding, at=at))
            for problem in outcome.errors
            if (at := left.in_the_file(problem.finding.at, problem.rule)) is not None
        ]
        further = [each for each in found if not _goes_further(each, errors, fields.mended)]
        found = [_without_vain_default(each, fields.config, but, base) for each in further] + errors
    if config.get("serving", {}) == {} and any(problem.finding.at == ("cluster", "provider") for problem in found):
        # With the provider that was meant, it may be a platform stack.
        found = [problem for problem in found if problem.finding.at[:1] != ("serving",)]
    return found, examined


def _below(problem: Problem, place: Place) -> bool:
    return problem.finding.at[: len(place)] == place


def _goes_further(of_a_field: Problem, errors: Collection[Problem], mended: Collection[Place]) -> bool:
    """Whether a rule refuses the text, or the default, that the fix of a field asks for: then its fix is the one to follow."""
    at, fix = of_a_field.finding.at, of_a_field.finding.fix
    whole = fix.startswith(("quote it", "shorten it")) or fix.endswith(BY_DEFAULT)
    return whole and at in mended and any(_below(problem, at) for problem in errors)


def _without_vain_default(
    of_a_field: Problem, config: Mapping[str, Any], but: Collection[str], base: Path | None
) -> Problem:
    """A problem of a field, without the proposal to leave the key out if a rule refuses the default."""
    finding = of_a_field.finding
    fix = finding.fix.removesuffix(f", or {BY_DEFAULT}")
    if fix == finding.fix:
        return of_a_field
    left = messages.fields(_without(config, finding.at)).left.spec
    errors = examine(left, but, base, plan=False).errors if left is not None else ()
    refused = any(_below(problem, finding.at) for problem in errors)
    return replace(of_a_field, finding=replace(finding, fix=fix)) if refused else of_a_field


def _without(config: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A configuration without a key, which may be out already."""
    changed = copy.deepcopy(dict(config))
    holder: Any = changed
    for step in place[:-1]:
        holder = holder[step]
    holder.pop(place[-1], None)
    return changed
