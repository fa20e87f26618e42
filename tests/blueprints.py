"""The spec of a configuration, and the whole blueprint around what a test serves with."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.file.load import judged
from stacks.file.messages import fields
from stacks.findings import Problem
from stacks.rules.facts import Facts, blueprint
from stacks.rules.table import Examined, rules
from stacks.spec.stack import StackSpec


def spec_from_config(config: Mapping[str, Any]) -> StackSpec:
    """Returns the spec of a configuration by key (`serving`, …). Raises StackFileError with every problem."""
    return judged(config).facts.spec


def examined(spec: StackSpec) -> Examined:
    """Returns the state of a spec of which the rules found nothing."""
    return Examined(facts=Facts(spec, planned=True))


def asking_all(facts: Facts) -> Examined:
    """The state in which every rule is still to be asked about these facts."""
    return Examined(unanswered=rules(), facts=facts)


def whole(serving: ServingBlueprint, base: Path = Path()) -> Blueprint:
    """Returns the stack's blueprint with this serving part, which a test may have changed. Relative paths start at `base`."""
    return replace(blueprint(serving.spec, base), serving=serving)


def read(config: dict[str, Any]) -> tuple[list[Problem], StackSpec | None]:
    """Every problem of the fields, and a spec: whole if there is none, else of what remains without the faulty ones."""
    found = fields(config)
    return [*found.problems], found.left.spec
