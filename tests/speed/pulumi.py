"""Our side: the rehearsal's stack and, as its peer in previews, a program that does nothing."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.speed.commands import binary, run

EMPTY = "empty"


@dataclass(frozen=True)
class Program:
    """A Pulumi project and the stack of it that is measured."""

    directory: Path
    stack: str
    env: Mapping[str, str]

    def pulumi(self, *arguments: str) -> str:
        """Runs the CLI as a pipeline would: no questions, no colours."""
        common = ["--non-interactive", "--color", "never", "--stack", self.stack]
        return run([binary("pulumi", self.env), *arguments, *common], self.env, self.directory)

    def up(self) -> None:
        """`pulumi up`, without the preview that would come first."""
        self.pulumi("up", "--yes", "--skip-preview")

    def preview(self) -> None:
        """`pulumi preview` of a stack that is as its program says."""
        self.pulumi("preview", "--expect-no-changes")

    def destroy(self) -> None:
        """`pulumi destroy`."""
        self.pulumi("destroy", "--yes", "--skip-preview")

    def resources(self) -> list[Any]:
        """Returns the resources of the stack's state."""
        found: list[Any] = json.loads(self.pulumi("stack", "export"))["deployment"].get("resources", [])
        return found


def empty_program(directory: Path, env: Mapping[str, str]) -> Program:
    """A project whose program has no line, deployed; run by the same CLI, language host and interpreter as ours."""
    directory.mkdir()
    runtime = {"name": "python", "options": {"virtualenv": str(Path(sys.executable).parent.parent)}}
    (directory / "Pulumi.yaml").write_text(yaml.safe_dump({"name": EMPTY, "runtime": runtime}))
    (directory / "__main__.py").touch()
    program = Program(directory, EMPTY, env)
    run([binary("pulumi", env), "stack", "init", EMPTY, "--non-interactive"], env, directory)
    program.up()
    return program
