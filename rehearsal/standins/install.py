"""Puts the stand-ins where the Pulumi CLI looks for plugins.

In PULUMI_HOME, and not on PATH: the CLI warns of every plugin it finds there. Plugins that are installed already, official
ones, are left alone.
"""

import importlib.metadata
import shlex
from pathlib import Path

from rehearsal.files import write_whole

# Plugin kind, name, Python package whose version it stands for.
STAND_INS = (
    ("language", "python", "pulumi"),
    ("resource", "kubernetes", "pulumi-kubernetes"),
    ("resource", "random", "pulumi-random"),
)
_MARK = "# stand-in of llmd-pd"


def install_plugins(pulumi_home: Path, python: Path, checkout: Path) -> list[str]:
    """Install the stand-ins that no official plugin makes unnecessary; returns `kind-name version` of each one installed.

    `python` is the interpreter of the project's environment, whose packages also give the versions; `checkout` is the directory
    that holds the package `rehearsal`. Raises OSError when PULUMI_HOME cannot be written.
    """
    installed = []
    for kind, name, package in STAND_INS:
        version = importlib.metadata.version(package)
        directory = plugin_directory(pulumi_home, kind, name, version)
        program = directory / f"pulumi-{kind}-{name}"
        if program.exists() and not _is_stand_in(program):
            continue
        directory.mkdir(parents=True, exist_ok=True)
        # In one step: another rehearsal may be starting this very plugin.
        write_whole(program, _wrapper(python, checkout, f"{kind}-{name}"), mode=0o755)
        installed.append(f"{kind}-{name} {version}")
    return installed


def plugin_directory(pulumi_home: Path, kind: str, name: str, version: str) -> Path:
    """Where the CLI looks for a plugin."""
    return pulumi_home / "plugins" / f"{kind}-{name}-v{version}"


def _is_stand_in(program: Path) -> bool:
    with program.open("rb") as content:
        return _MARK.encode() in content.read(4096)


def _wrapper(python: Path, checkout: Path, plugin: str) -> str:
    """A shell script: the checkout on the search path of this process only, and without the current directory (`-P`)."""
    start = f"import sys, runpy; sys.path.insert(0, {str(checkout)!r}); runpy.run_module('rehearsal.standins', None, '__main__')"
    return f'#!/bin/sh\n{_MARK}\nexec {shlex.quote(str(python))} -P -c {shlex.quote(start)} {plugin} "$@"\n'
