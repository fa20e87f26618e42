"""The programs that a rehearsal needs: commands, and the Kubernetes provider.

Owns the accepted tools and versions, and the order of sources: an installed tool, the official download, a build from Go modules.
`downloads` and `builds` get them, `official` finds an installed provider.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from rehearsal.errors import RehearsalError
from rehearsal.parts import builds, downloads, official
from rehearsal.report import Report
from releases.files import cache_dir

OFFLINE = "LLMD_PD_OFFLINE"
"""Environment variable: if it is 1, no host of downloads is probed, and charts and CRDs are only taken from the user's cache
(for air-gapped machines, after one `llmd-pd setup` without it)."""

COLD_MINUTES = "about 14 minutes"
"""Time of a build of everything with every cache empty (measured, README)."""

Version = tuple[int, int, int]

VERSIONS: Mapping[str, str] = {
    "etcd": "3.6.14",
    "kubernetes": "1.36.1",
    "kwok": "0.8.0",
    "helm": "3.21.4",
    "pulumi": "3.274.1",
    # The plugin that the SDK asks for.
    "pulumi-kubernetes": importlib.metadata.version("pulumi-kubernetes"),
}
"""The versions that are downloaded or built, by project; a test compares them with the go.mod of the tool modules."""


PROVIDER = official.program(official.KUBERNETES)
"""The one tool that is a plugin of the Pulumi CLI and not a command."""


class Origin(StrEnum):
    NAMED = f"named by {official.PLUGINS}"
    CLI = "in the Pulumi CLI's plugin directory"
    PATH = "on PATH"
    OFFICIAL = "official download"
    BUILT = "built from Go modules"


@dataclass(frozen=True)
class Tool:
    name: str
    path: Path
    version: str
    origin: Origin


@dataclass(frozen=True)
class Wanted:
    """One row per tool: which installed versions are accepted, and the sources of a build."""

    name: str
    project: str
    """Key of `VERSIONS`."""
    version_command: tuple[str, ...]
    at_least: Version
    below: Version
    module: str
    package: str
    beside: tuple[str, ...] = ()
    """Programs that must be in the same directory. The official release contains them, a build from Go modules does not."""
    installed: "Callable[[Wanted], Tool | None] | None" = None
    """Finds an installed one; None looks on PATH."""
    release_is_more: bool = False
    """Whether the official release contains more than a build, so that it is downloaded although a build is cached."""
    built_version: str = ""
    """The version of a build, if it is not that of the release."""

    @property
    def version(self) -> str:
        return VERSIONS[self.project]


def _kubernetes(name: str) -> Wanted:
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Wanted(name, "kubernetes", ("--version",), (1, 36, 0), (1, 37, 0), "kubernetes", package)


def _kwok(name: str) -> Wanted:
    # The only minor version that was tried: the keys of the configuration file are kwok's own.
    return Wanted(name, "kwok", ("--version",), (0, 8, 0), (0, 9, 0), "kubernetes", f"sigs.k8s.io/kwok/cmd/{name}")


def _installed_provider(_row: Wanted) -> "Tool | None":
    if (named := official.named(official.KUBERNETES)) is not None:
        return Tool(PROVIDER, named, official.said_version(named), Origin.NAMED)
    if (found := official.of_the_cli(official.KUBERNETES)) is not None:
        return Tool(PROVIDER, found.program, found.version, Origin.CLI)
    return None


WANTED: Mapping[str, Wanted] = {
    row.name: row
    for row in (
        Wanted("etcd", "etcd", ("--version",), (3, 6, 0), (3, 7, 0), "kubernetes", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        # Kubernetes supports a kubectl one minor version older or newer than the API server.
        Wanted(
            "kubectl",
            "kubernetes",
            ("version", "--client"),
            (1, 35, 0),
            (1, 38, 0),
            "kubernetes",
            "k8s.io/kubernetes/cmd/kubectl",
        ),
        _kwok("kwok"),
        _kwok("kwokctl"),
        # Helm 3 only: Helm 4 has other flags and waits differently.
        Wanted("helm", "helm", ("version", "--short"), (3, 16, 0), (4, 0, 0), "kubernetes", "helm.sh/helm/v3/cmd/helm"),
        # A later CLI of the same major version serves an older SDK, but no newer one; the lock file pins the SDK.
        Wanted(
            "pulumi",
            "pulumi",
            ("version",),
            (3, 272, 0),
            (4, 0, 0),
            "pulumi",
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            beside=("pulumi-language-python",),
            release_is_more=True,
        ),
        Wanted(
            PROVIDER,
            "pulumi-kubernetes",
            (),
            (4, 0, 0),
            (5, 0, 0),
            "kubernetes-provider",
            "llmd-pd/rehearsal/tools/kubernetes-provider",
            installed=_installed_provider,
            # The only version that is a Go module is older than the SDK (docs/official-parts.md).
            release_is_more=True,
            built_version=builds.required("kubernetes-provider")[builds.KUBERNETES_PROVIDER],
        ),
    )
}


Toolchain: TypeAlias = Mapping[str, Tool]
"""All of `WANTED`, by name."""


def offline() -> bool:
    """Whether the user set `LLMD_PD_OFFLINE`."""
    return bool(os.environ.get(OFFLINE))


def ensure(report: Report, probe: downloads.Probe = downloads.probe) -> Toolchain:
    """Returns every tool at an accepted version; downloads or builds the missing ones.

    A cached build is as good as a download and needs no network, except where the official release contains more.

    Raises:
        RehearsalError: a tool is available from no source, or `LLMD_PD_PLUGINS` names no plugin.
    """
    with report.step("tools"):
        found: dict[str, Tool] = {}
        for row in WANTED.values():
            if tool := _installed(row) or _downloaded(row) or (None if row.release_is_more else _built(row)):
                found[row.name] = tool
        missing = [row for row in WANTED.values() if row.name not in found]
        _announce([row.name for row in missing if _built(row) is None], report)
        if not offline():
            found |= _download(missing, report, probe)
        found |= _build([row for row in missing if row.name not in found], report)
        for origin in Origin:
            if names := [name for name in WANTED if found[name].origin is origin]:
                report.info(f"{origin}: {', '.join(names)}")
        return {name: found[name] for name in WANTED}


def at_hand(name: str) -> Tool | None:
    """Returns a tool if it needs no download and no build, else None."""
    row = WANTED[name]
    return _installed(row) or _downloaded(row) or _built(row)


def _installed(row: Wanted) -> Tool | None:
    return (row.installed or on_path)(row)


def _announce(names: list[str], report: Report) -> None:
    """Reports before the first download or build which tools are missing, and how long it takes."""
    if names:
        report.info(f"not on this machine yet: {', '.join(names)}")
        report.info(
            f"they are downloaded where their publishers can be reached, else built from Go modules: {COLD_MINUTES} on 2 cores, "
            "once per user"
        )


def on_path(row: Wanted) -> Tool | None:
    """Returns the tool on PATH, if its version is accepted and the programs that must be beside it are.

    Not a link into our cache: in the environment of another rehearsal all tools are such links.
    """
    if (which := shutil.which(row.name)) is None:
        return None
    path = Path(which).absolute()
    if path.resolve().is_relative_to(cache_dir()):
        return None
    homes = {path.parent, path.resolve().parent}
    if not all(any((home / program).exists() for home in homes) for program in row.beside):
        return None
    version = said_version([str(path), *row.version_command])
    if version is None or not row.at_least <= version < row.below:
        return None
    return Tool(row.name, path, ".".join(map(str, version)), Origin.PATH)


def said_version(command: list[str]) -> Version | None:
    """Returns the first x.y.z in a command's output; None if it fails, hangs or prints none."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        said = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", said.stdout)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _existing(row: Wanted, directory: Path, origin: Origin) -> Tool | None:
    path = directory / row.name
    return Tool(row.name, path, row.version, origin) if os.access(path, os.X_OK) else None


def _downloaded(row: Wanted) -> Tool | None:
    return _existing(row, downloads.directory(row.name, row.version), Origin.OFFICIAL)


def _built(row: Wanted) -> Tool | None:
    found = _existing(row, builds.directory(row.module), Origin.BUILT)
    return replace(found, version=row.built_version) if found and row.built_version else found


def _download(rows: list[Wanted], report: Report, probe: downloads.Probe) -> dict[str, Tool]:
    sources = {row.name: downloads.SOURCES[row.name].filled(row.version) for row in rows}
    hosts = downloads.reachable(sources.values(), probe)
    found: dict[str, Tool] = {}
    for row in rows:
        if sources[row.name].host not in hosts:
            continue
        try:
            with report.step(f"downloading {row.name} {row.version}"):
                downloads.fetch(row.name, row.version)
        except RehearsalError as error:
            report.info(f"{error.finding.what}: {error.finding.why}; building it instead.")
        if tool := _downloaded(row):
            found[row.name] = tool
    return found


def _build(rows: list[Wanted], report: Report) -> dict[str, Tool]:
    modules = dict.fromkeys(row.module for row in rows)
    builds.build({key: {row.name: row.package for row in rows if row.module == key} for key in modules}, report)
    return {row.name: tool for row in rows if (tool := _built(row))}
