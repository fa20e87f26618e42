"""Pulumi's plugins in a rehearsal's PULUMI_HOME: the official ones where they can be downloaded, else the stand-ins.

The CLI downloads official plugins itself; they are kept in the user's cache, so that the next rehearsal needs no network.
"""

import importlib.metadata
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rehearsal import downloads
from rehearsal.parts import Part
from rehearsal.standins.install import STAND_INS, install_plugins, plugin_directory
from rehearsal.toolchain import Origin, Toolchain, offline
from releases.cache import cache_dir

#: Those the CLI can download.
PROVIDERS = {row.name: row.package for row in STAND_INS if not row.bundled and not row.pretend}
INSTALL_SECONDS = 300.0


def plugins(home: Path, toolchain: Toolchain, python: Path, checkout: Path, env: Mapping[str, str]) -> tuple[Part, ...]:
    """Puts every plugin the program needs into `home` and says which are official."""
    # An official release of the CLI brings some along, a build from Go modules none.
    bundled = toolchain["pulumi"].origin is not Origin.BUILT
    official = () if offline() else _official(home, toolchain, env)
    installed = install_plugins(home, python, checkout, bundled=bundled)
    found = [Part(f"plugin {name}", True, "official download") for name in official]
    brought = [row.key for row in STAND_INS if row.bundled and bundled]
    found += [Part(f"plugin {key}", True, str(toolchain["pulumi"].origin)) for key in brought]
    launched = [row for row in installed if row.launcher]
    found += [Part(f"plugin {row.key} {row.version}", True, "the SDK's own, started by us") for row in launched]
    return (*found, *(Part(f"plugin {row.key} {row.version}", False) for row in installed if not row.launcher))


def _official(home: Path, toolchain: Toolchain, env: Mapping[str, str]) -> tuple[str, ...]:
    cache = cache_dir() / "pulumi-plugins"
    wanted = {name: importlib.metadata.version(package) for name, package in PROVIDERS.items()}
    missing = {name: version for name, version in wanted.items() if not _installed(cache, name, version).is_dir()}
    if missing and downloads.probe(downloads.SOURCES["pulumi"].url):
        for name, version in missing.items():
            command = [str(toolchain["pulumi"].path), "plugin", "install", "resource", name, f"v{version}"]
            cached = {**env, "PULUMI_HOME": str(cache)}
            subprocess.run(command, env=cached, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    there = {name: version for name, version in wanted.items() if _installed(cache, name, version).is_dir()}
    for name, version in there.items():
        link = _installed(home, name, version)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(_installed(cache, name, version), target_is_directory=True)
    return tuple(f"resource-{name} {version}" for name, version in there.items())


def _installed(home: Path, name: str, version: str) -> Path:
    return plugin_directory(home, "resource", name, version)
