"""What upstream publishes elsewhere and can be had as Go modules too: the sources of its router charts, and files of CRDs.

For machines that reach a Go module proxy, but neither the charts' registry nor GitHub. Owns the module under
`tools/upstream`, which pins the versions and by its go.sum every byte. When a module is asked is `charts`' and `parts`' affair.
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
    """A module and its pinned version, for people."""
    return f"Go module {module} v{builds.required(TOOL)[module]}"


def directory(module: str, report: Report) -> Path:
    """Where the content of a module lies, downloaded and verified. It is Go's own cache: nothing there can be written.

    Raises:
        UnavailableError: there is no Go, or its proxy does not give the module, or not the one that go.sum pins.
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
    """A file of a module.

    Raises:
        UnavailableError: the module cannot be had, or has no such file.
    """
    try:
        return (directory(place.module, report) / place.path).read_bytes()
    except OSError as error:
        raise UnavailableError(f"{said(place.module)} does not give {place.path} ({error.strerror})") from None


def package(place: InModule, version: str, helm: Path, destination: Path, report: Report) -> Path:
    """The chart whose sources lie in a module, packaged as upstream's release does it: dependencies in, version stamped.

    Its dependencies are its neighbours there (`file://../…`), so helm asks no network.

    Raises:
        UnavailableError: the module cannot be had, or helm cannot make a chart of what is in it.
    """
    sources = directory(place.module, report) / place.path
    with tempfile.TemporaryDirectory(prefix="llmd-pd-") as scratch:
        _copy(sources.parent, Path(scratch))
        chart = str(Path(scratch) / sources.name)
        packaging.run(helm, "dependency", "update", chart, "--skip-refresh")
        stamps = ("--version", version, "--app-version", version)
        return packaging.package(helm, Path(chart), destination, *stamps)


def _copy(source: Path, target: Path) -> None:
    """With permissions of our own: what Go keeps is read-only, directories included, and helm adds to a chart's directory."""
    try:
        for file in (path for path in source.rglob("*") if path.is_file()):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    except OSError as error:
        raise UnavailableError(f"{source} cannot be read ({error.strerror})") from None
