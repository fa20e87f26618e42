"""Sources of upstream's router charts and files of CRDs, read from Go modules that contain them.

For machines that reach a Go module proxy, but neither the charts' registry nor GitHub. Owns the module under `tools/upstream`,
which pins the versions, and every byte by its go.sum. `charts` and `crd_files` decide when a module is asked.
"""

import shutil
import tempfile
from pathlib import Path

from hardware.bill import InModule
from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.parts import builds, golang, packaging
from rehearsal.report import Report

TOOL = "upstream"


def said(module: str) -> str:
    """Returns a module and its pinned version, for messages."""
    return f"Go module {module} v{builds.required(TOOL)[module]}"


def directory(module: str, report: Report) -> Path:
    """Downloads and verifies a module; returns its directory, which is Go's own cache and read-only.

    Raises:
        UnavailableError: Go is not available, or its proxy does not serve the module with the checksum in go.sum.
    """
    try:
        go = golang.ensure(report)
    except RehearsalError as error:
        raise UnavailableError(f"{said(module)} cannot be downloaded: {error.finding.why}") from None
    try:
        return golang.module(go, builds.MODULES / TOOL, module)
    except UnavailableError as error:
        raise UnavailableError(f"{said(module)} {error}") from None


def read(place: InModule, report: Report) -> bytes:
    """Returns a file of a module.

    Raises:
        UnavailableError: the module is not available, or has no such file.
    """
    try:
        return (directory(place.module, report) / place.path).read_bytes()
    except OSError as error:
        raise UnavailableError(f"{said(place.module)} does not contain {place.path} ({error.strerror})") from None


def package(place: InModule, version: str, helm: Path, destination: Path, report: Report) -> Path:
    """Packages the chart whose sources a module contains, as upstream's release does: with dependencies, version stamped.

    Its dependencies are its neighbours there (`file://../…`), so helm asks no network.

    Raises:
        UnavailableError: the module is not available, or helm cannot package its chart.
    """
    sources = directory(place.module, report) / place.path
    with tempfile.TemporaryDirectory(prefix="llmd-pd-") as scratch:
        _copy(sources.parent, Path(scratch))
        chart = str(Path(scratch) / sources.name)
        packaging.run(helm, "dependency", "update", chart, "--skip-refresh")
        stamps = ("--version", version, "--app-version", version)
        return packaging.package(helm, Path(chart), destination, *stamps)


def _copy(source: Path, target: Path) -> None:
    """Copies without permissions: Go's cache is read-only, directories included, and helm writes into a chart's directory."""
    try:
        for file in (path for path in source.rglob("*") if path.is_file()):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    except OSError as error:
        raise UnavailableError(f"{source} cannot be read ({error.strerror})") from None
