"""Installs the stand-ins in PULUMI_HOME. Not on PATH, where the CLI warns of every plugin.

The caller names the official plugins that are not replaced. A cloud's plugin always is: a rehearsal has a pretend cloud only.
"""

import importlib.metadata
import importlib.util
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from rehearsal.clouds.registry import pretend_clouds
from rehearsal.control_plane.files import write_whole
from rehearsal.parts import official


class StandIn(NamedTuple):
    """A plugin, and the Python package whose version it has.

    `bundled`: an official release of the CLI contains it. `launcher`: it starts code of the package. `pretend`: it stands in
    for a cloud, also if the official plugin is available.
    """

    kind: str
    name: str
    package: str
    bundled: bool = False
    launcher: bool = False
    pretend: bool = False

    @property
    def key(self) -> str:
        """Pulumi's name of it in file names."""
        return f"{self.kind}-{self.name}"

    @property
    def version(self) -> str:
        """The version of the installed package."""
        return importlib.metadata.version(self.package)


#: The stand-ins whose package is installed; a cloud's is an extra.
STAND_INS = tuple(
    row
    for row in (
        StandIn("language", "python", "pulumi", bundled=True),
        StandIn("resource", "pulumi-python", "pulumi", bundled=True, launcher=True),
        StandIn("resource", "kubernetes", "pulumi-kubernetes"),
        *(StandIn("resource", package, f"pulumi-{package}", pretend=True) for package in pretend_clouds()),
    )
    if not row.pretend or importlib.util.find_spec(row.package.replace("-", "_"))
)


def install_plugins(pulumi_home: Path, python: Path, checkout: Path, *, without: Collection[str] = ()) -> list[StandIn]:
    """Installs the stand-ins, except those with keys in `without`, which have official plugins; returns them.

    `python` is the interpreter of the project's environment, whose packages also have the versions; `checkout` is the directory
    that contains the package `rehearsal`.

    Raises:
        OSError: PULUMI_HOME cannot be written.
    """
    installed = []
    for plugin in STAND_INS:
        if plugin.key in without:
            continue
        directory = official.directory(pulumi_home, plugin.key, plugin.version)
        directory.mkdir(parents=True, exist_ok=True)
        # In one step: another rehearsal can be starting the same plugin.
        write_whole(directory / official.program(plugin.key), _wrapper(python, checkout, plugin.key), mode=0o755)
        installed.append(plugin)
    return installed


def _wrapper(python: Path, checkout: Path, plugin: str) -> str:
    """Returns a shell script that puts the checkout on the search path, without the current directory (`-P`).

    Output is unbuffered (`-u`): the engine waits for the first line, and users for a program's prints.
    """
    start = f"import sys, runpy; sys.path.insert(0, {str(checkout)!r}); runpy.run_module('rehearsal.plugins', None, '__main__')"
    return f'#!/bin/sh\n# stand-in of llmd-pd\nexec {shlex.quote(str(python))} -P -u -c {shlex.quote(start)} {plugin} "$@"\n'
