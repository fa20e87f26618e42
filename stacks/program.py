"""The running Pulumi program's side of a stack file: its configuration, and errors as the engine shows them."""

import json
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config

from releases.crds import SourceError
from stacks.compose import compose
from stacks.files import PROJECT, spec_from_config
from stacks.lookahead import look_ahead
from stacks.plan import plan
from stacks.problems import StackFileError
from stacks.unblock import unblock


def run(base: Path) -> None:
    """Composes the stack the engine is running. Relative paths in the stack file start at `base`.

    Raises:
        pulumi.RunError: the stack file cannot be honoured; the engine shows the message without a traceback.
    """
    try:
        owner = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
        spec = spec_from_config(_configuration())
        planned = plan(spec, base)
        revisions = look_ahead(planned, owner)
        if not pulumi.runtime.is_dry_run():
            unblock(planned, revisions)
        compose(planned, owner)
    except (StackFileError, SourceError) as error:
        raise pulumi.RunError(str(error)) from error


def _configuration() -> dict[str, Any]:
    """The project's keys as they were written; text stays text where JSON would read a number into it."""
    prefix = f"{PROJECT}:"
    found = {
        key.removeprefix(prefix): value for key, value in runtime_config.CONFIG.get().items() if key.startswith(prefix)
    }
    return {key: _structured(value) for key, value in found.items()}


def _structured(value: str) -> Any:
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, dict | list) else value
