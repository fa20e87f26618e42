"""The file that a shell sources to work with a kept rehearsal: kubectl, helm and pulumi reach the fleet and nothing else."""

import os
from collections.abc import Mapping
from pathlib import Path

from rehearsal.engine import AGENT_VARIABLES

PROJECT = "LLMD_PD_PROJECT"


def write(path: Path, variables: Mapping[str, str], project: Path) -> None:
    """Writes the file. Any POSIX shell can source it, also with `-u`; PATH is extended, not replaced."""
    lines = [
        "# For a shell that works with this rehearsal: `. <this file>`",
        # The CLI must not take this shell for a coding agent's, nor use a stack or a token of the user's.
        f"unset {' '.join((*AGENT_VARIABLES, 'PULUMI_STACK', 'PULUMI_ACCESS_TOKEN'))}",
        f"export {PROJECT}={_quoted(str(project))}",
    ]
    for key, value in variables.items():
        if key == "PATH":
            first, _, _ = value.partition(os.pathsep)
            lines.append(f'export PATH={_quoted(first)}"${{PATH:+:$PATH}}"')
        else:
            lines.append(f"export {key}={_quoted(value)}")
    path.write_text("\n".join(lines) + "\n")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
