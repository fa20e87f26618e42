"""Puts the stand-ins where the Pulumi CLI looks for plugins.

In PULUMI_HOME, and not on PATH: the CLI warns of every plugin it finds there. Plugins that are installed already, official
ones, are left alone; but not those of a cloud, of which a rehearsal has a pretend one and never the real one.
"""

import importlib.metadata
import importlib.util
import shlex
from pathlib import Path
from typing import NamedTuple

from rehearsal.files import write_whole


class StandIn(NamedTuple):
    """A plugin, and the Python package whose version it has.

    `bundled`: an official release of the CLI brings it along. `launcher`: only its start is ours, what runs is the package's.
    `pretend`: it stands in for a cloud, also where the official plugin can be had.
    """

    kind: str
    name: str
    package: str
    bundled: bool = False
    launcher: bool = False
    pretend: bool = False

    @property
    def key(self) -> str:
        """What Pulumi calls it in the names of its files."""
        return f"{self.kind}-{self.name}"

    @property
    def version(self) -> str:
        """Of the installed package."""
        return importlib.metadata.version(self.package)


#: Those whose package is installed: that of a cloud is an extra.
STAND_INS = tuple(
    row
    for row in (
        StandIn("language", "python", "pulumi", bundled=True),
        StandIn("resource", "pulumi-python", "pulumi", bundled=True, launcher=True),
        StandIn("resource", "kubernetes", "pulumi-kubernetes"),
        StandIn("resource", "random", "pulumi-random"),
        StandIn("resource", "gcp", "pulumi-gcp", pretend=True),
        StandIn("resource", "coreweave", "pulumi-coreweave", pretend=True),
    )
    if not row.pretend or importlib.util.find_spec(row.package.replace("-", "_"))
)
_MARK = "# stand-in of llmd-pd"


def install_plugins(pulumi_home: Path, python: Path, checkout: Path, *, bundled: bool = False) -> list[StandIn]:
    """Install the stand-ins that no official plugin makes unnecessary; returns them. `bundled`: the CLI has those it brings.

    `python` is the interpreter of the project's environment, whose packages also give the versions; `checkout` is the directory
    that holds the package `rehearsal`. Raises OSError when PULUMI_HOME cannot be written.
    """
    installed = []
    for plugin in STAND_INS:
        directory = plugin_directory(pulumi_home, plugin.kind, plugin.name, plugin.version)
        program = directory / f"pulumi-{plugin.key}"
        official = program.exists() and not _is_stand_in(program)
        if (bundled and plugin.bundled) or (official and not plugin.pretend):
            continue
        directory.mkdir(parents=True, exist_ok=True)
        # In one step: another rehearsal may be starting this very plugin.
        write_whole(program, _wrapper(python, checkout, plugin.key), mode=0o755)
        installed.append(plugin)
    return installed


def plugin_directory(pulumi_home: Path, kind: str, name: str, version: str) -> Path:
    """Where the CLI looks for a plugin."""
    return pulumi_home / "plugins" / f"{kind}-{name}-v{version}"


def _is_stand_in(program: Path) -> bool:
    with program.open("rb") as content:
        return _MARK.encode() in content.read(4096)


def _wrapper(python: Path, checkout: Path, plugin: str) -> str:
    """A shell script: the checkout on the search path of this process only, without the current directory (`-P`).

    Its output is not held back (`-u`): the engine waits for the first line, and a program's prints are for people.
    """
    start = f"import sys, runpy; sys.path.insert(0, {str(checkout)!r}); runpy.run_module('rehearsal.standins', None, '__main__')"
    return f'#!/bin/sh\n{_MARK}\nexec {shlex.quote(str(python))} -P -u -c {shlex.quote(start)} {plugin} "$@"\n'
