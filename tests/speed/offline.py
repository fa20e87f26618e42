"""The commands that need no cluster, as whole processes, and what they import."""

import sys
from collections.abc import Mapping
from pathlib import Path

from rehearsal import placeholders, project
from rehearsal.session import CHECKOUT
from rehearsal.stack import rehearsable
from tests.speed.commands import CommandError, run

PROGRAM = Path(sys.executable).parent / "llmd-pd"


def filled(file: Path, directory: Path) -> Path:
    """A copy of a stack file of the checkout with its placeholders filled in: of a file with placeholders, `check` does half
    the work.
    """
    found = rehearsable(file)
    keys = placeholders.keys(found.spec)
    return project.write(directory / found.stack, CHECKOUT, Path(sys.executable), file, found.stack, keys).stack_file


def check(files: list[Path], program: Path = PROGRAM) -> None:
    """`llmd-pd check` of these stack files, by this checkout's program or another's."""
    run([str(program), "check", *map(str, files)])


def render(file: Path, output: Path, env: Mapping[str, str]) -> None:
    """`llmd-pd render` of one stack file; `env` leads to helm, which renders the router."""
    run([str(PROGRAM), "render", str(file), "--output", str(output)], env)


def imported(files: list[Path]) -> frozenset[str]:
    """Top-level packages that `check` imports, as the interpreter itself tells.

    Raises:
        CommandError: it tells of no import at all, so nothing would be proven.
    """
    told = run([sys.executable, "-X", "importtime", str(PROGRAM), "check", *map(str, files)])
    rows = [line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")]
    packages = frozenset(row.partition(".")[0] for row in rows)
    if "stacks" not in packages:
        raise CommandError("`python -X importtime` does not tell what `llmd-pd check` imports")
    return packages
