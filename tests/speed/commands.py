"""Commands that are measured: run to their end, silently, an error being the end of the benchmark."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT_SECONDS = 600


class CommandError(Exception):
    """A measured command failed, so there is nothing to compare. The message holds its last lines."""


def run(command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None, given: str = "") -> str:
    """Runs a command, `given` on its standard input; its output. Raises CommandError for any exit code but 0."""
    done = subprocess.run(
        list(command), env=None if env is None else dict(env), cwd=cwd, input=given, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise CommandError(f"`{' '.join(command)}` ended with exit code {done.returncode}\n{tail}")
    return done.stdout


def binary(name: str, env: Mapping[str, str]) -> str:
    """A rehearsal's tool. The PATH that counts is the rehearsal's, which is not that of this process."""
    return os.path.join(env["PATH"].split(os.pathsep, 1)[0], name)
