"""The whole blueprint around what a test serves with."""

from dataclasses import replace
from pathlib import Path

from stacks.blueprint import Blueprint, ServingBlueprint, blueprint


def whole(serving: ServingBlueprint, base: Path = Path()) -> Blueprint:
    """Returns the stack's blueprint with this serving part, which a test may have changed. Relative paths start at `base`."""
    return replace(blueprint(serving.spec, base), serving=serving)
