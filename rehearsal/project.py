"""The Pulumi project of a rehearsal: the checkout's program, and the stack file as it is on the fleet.

The stack's own file is not changed. Kubeconfig and context are the fleet's, so that nothing can lead to a real cluster. Keys of
parts with a stand-in differ as well. Secrets cannot be decrypted here and are replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.control_plane.files import write_whole
from releases.values import merge
from stacks.findings import PROJECT

PLACEHOLDER = "rehearsal"


@dataclass(frozen=True)
class Project:
    """A directory in which the Pulumi CLI can be run, and the stack in it."""

    directory: Path
    stack: str

    @property
    def stack_file(self) -> Path:
        """The stack file as it is on the fleet."""
        return self.directory / f"Pulumi.{self.stack}.yaml"


def write(
    directory: Path, checkout: Path, python: Path, stack_file: Path, stack: str, *overrides: Mapping[str, Any]
) -> Project:
    """Writes the project. `overrides` are keys of the stack file without their prefix, merged in order; the last wins.

    The encryption salt that the Pulumi CLI stored in the file of an earlier rehearsal stays.
    """
    project = Project(directory, stack)
    directory.mkdir(parents=True, exist_ok=True)
    program = yaml.safe_load((checkout / "Pulumi.yaml").read_text())
    program["main"] = str(checkout)
    program["runtime"] = {"name": "python", "options": {"virtualenv": str(python.parent.parent)}}
    write_whole(directory / "Pulumi.yaml", yaml.safe_dump(program, sort_keys=False))

    config = yaml.safe_load(stack_file.read_text())["config"]
    own = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(f"{PROJECT}:")}
    own = _readable(merge(own, *overrides))
    content = _salt(project.stack_file) | {"config": {f"{PROJECT}:{key}": value for key, value in own.items()}}
    header = f"# {stack_file.name} as it is rehearsed: on the fleet's own cluster. Written anew by each rehearsal.\n"
    write_whole(project.stack_file, header + yaml.safe_dump(content, sort_keys=False))
    return project


def _salt(stack_file: Path) -> dict[str, str]:
    """Returns the encryption salt in the file of an earlier rehearsal."""
    kept = yaml.safe_load(stack_file.read_text()) if stack_file.exists() else None
    return {key: value for key, value in (kept or {}).items() if key == "encryptionsalt"}


def _readable(value: Any) -> Any:
    """Replaces encrypted values, whose key the real stack has."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return PLACEHOLDER
        return {key: _readable(item) for key, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list) else value
