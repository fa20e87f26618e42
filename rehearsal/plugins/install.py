"""Puts the stand-ins where the Pulumi CLI looks for plugins.

In PULUMI_HOME, and not on PATH: the CLI warns of every plugin it finds there. Which plugins are official, and not to be replaced,
is told by the caller; those of a cloud never are: a rehearsal has a pretend one and never the real one.
"""

import importlib.metadata
import importlib.util
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from rehearsal.control_plane.files import write_whole
from rehearsal.parts import official


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
        StandIn("resource", "gcp", "pulumi-gcp", pretend=True),
        StandIn("resource", "coreweave", "pulumi-coreweave", pretend=True),
    )
    if not row.pretend or importlib.util.find_spec(row.package.replace("-", "_"))
)


def install_plugins(pulumi_home: Path, python: Path, checkout: Path, *, without: Collection[str] = ()) -> list[StandIn]:
    """Installs the stand-ins but those of the keys in `without`, of which there are official plugins; returns them.

    `python` is the interpreter of the project's environment, whose packages also give the versions; `checkout` is the directory
    that holds the package `rehearsal`.

    Raises:
        OSError: PULUMI_HOME cannot be written.
    """
    installed = []
    for plugin in STAND_INS:
        if plugin.key in without:
            continue
        directory = official.directory(pulumi_home, plugin.key, plugin.version)
        directory.mkdir(parents=True, exist_ok=True)
        # In one step: another rehearsal may be starting this very plugin.
        write_whole(directory / official.program(plugin.key), _wrapper(python, checkout, plugin.key), mode=0o755)
        installed.append(plugin)
    return installed


def _wrapper(python: Path, checkout: Path, plugin: str) -> str:
    """A shell script: the checkout on the search path of this process only, without the current directory (`-P`).

    Its output is not held back (`-u`): the engine waits for the first line, and a program's prints are for people.
    """
    start = f"import sys, runpy; sys.path.insert(0, {str(checkout)!r}); runpy.run_module('rehearsal.plugins', None, '__main__')"
    return f'#!/bin/sh\n# stand-in of llmd-pd\nexec {shlex.quote(str(python))} -P -u -c {shlex.quote(start)} {plugin} "$@"\n'
