"""A chart on this machine: from the cache, pulled from its registry, or packaged from the sources that upstream tags.

Owns this order and the user's cache of charts. A chart is kept under the reference or module it came from, so its place shows
what it is.
"""

import contextlib
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hardware.bill import Chart
from rehearsal.errors import UnavailableError
from rehearsal.parts import packaging, upstream
from rehearsal.parts.toolchain import OFFLINE, offline
from rehearsal.report import Report
from releases import RELEASES
from releases.charts import helm_arguments
from releases.files import cache_dir

#: Seconds for a chart of 20 KB: a registry that takes longer counts as unreachable.
PULL_SECONDS = 30.0


@dataclass(frozen=True)
class Package:
    """A chart as a `.tgz` on this machine, and the origin that the report names."""

    path: Path
    origin: str


def find(ref: str, version: str | None, helm: Path, report: Report) -> Package:
    """Returns the chart from the first source that has it, and keeps it.

    Raises:
        UnavailableError: no source has it; the message has a reason for each.
    """
    if (found := kept(ref, version)) is not None:
        return found
    if offline():
        if (found := _packaged(_pinned(ref, version))) is not None:
            return found
        raise UnavailableError(f"{OFFLINE} is set, and the chart is not in the cache")
    try:
        return pull(ref, version, helm)
    except UnavailableError as of_registry:
        try:
            return from_module(ref, version, helm, report)
        except UnavailableError as of_module:
            raise UnavailableError(f"{of_registry}; {of_module}") from None


def kept(ref: str, version: str | None) -> Package | None:
    """Returns the chart if it is in the cache."""
    if found := _package_in(_place(ref, version)):
        return Package(found, _said(ref, version))
    pinned = _pinned(ref, version)
    # Only for upstream's own reference: a team's registry can have another chart of that name, so it is asked first.
    return _packaged(pinned) if pinned and pinned.ref == ref else None


def pull(ref: str, version: str | None, helm: Path) -> Package:
    """Pulls the chart from its registry and keeps it.

    Raises:
        UnavailableError: the registry does not give it.
    """

    def get(scratch: Path) -> None:
        packaging.run(helm, "pull", *helm_arguments(ref, version), "--destination", str(scratch), timeout=PULL_SECONDS)

    return Package(_keep(_place(ref, version), get), _said(ref, version))


def from_module(ref: str, version: str | None, helm: Path, report: Report) -> Package:
    """Packages the chart of this name and version from the Go module that contains its sources, and keeps it.

    Raises:
        UnavailableError: no module does, or it is not available.
    """
    pinned = _pinned(ref, version)
    if pinned is None or pinned.source is None:
        raise UnavailableError("no Go module contains its sources")
    if (found := _packaged(pinned)) is not None:
        return found
    source, origin = pinned.source, upstream.said(pinned.source.module)

    def get(scratch: Path) -> None:
        report.info(f"{_said(ref, version)} cannot be pulled: packaging it from {origin}")
        upstream.package(source, pinned.version, helm, scratch, report)

    return Package(_keep(_place(f"{source.module}/{source.path}", pinned.version), get), origin)


def _packaged(pinned: Chart | None) -> Package | None:
    """Returns the chart if it was packaged from a Go module before."""
    if pinned is None or (source := pinned.source) is None:
        return None
    found = _package_in(_place(f"{source.module}/{source.path}", pinned.version))
    return Package(found, upstream.said(source.module)) if found else None


def _pinned(ref: str, version: str | None) -> Chart | None:
    """Returns the releases' own chart of this name and version; a mirror keeps both."""
    charts = (chart for bill in RELEASES.values() for chart in bill.router.charts.values())
    name = ref.rpartition("/")[2]
    return next((chart for chart in charts if chart.ref.endswith(f"/{name}") and chart.version == version), None)


def _said(ref: str, version: str | None) -> str:
    return f"{ref} {version or ''}".rstrip()


def _place(what: str, version: str | None) -> Path:
    """Returns the directory of a chart and version; a reference has letters that a file system can refuse."""
    return cache_dir() / "charts" / re.sub(r"[^\w.-]+", "_", f"{what} {version or 'newest'}")


def _package_in(place: Path) -> Path | None:
    return next(iter(sorted(place.glob("*.tgz"))), None)


def _keep(place: Path, get: Callable[[Path], None]) -> Path:
    """Calls `get` to put a package into a directory, and keeps it: complete or not at all, also if two processes do so."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place, prefix=".") as scratch:
            get(Path(scratch))
            if (made := _package_in(Path(scratch))) is None:
                raise UnavailableError("helm succeeded and left no chart")
            return made.replace(place / made.name)
    except UnavailableError:
        with contextlib.suppress(OSError):  # another process can have kept a package there
            place.rmdir()
        raise
    except OSError as error:
        raise UnavailableError(f"{place} cannot be written ({error.strerror})") from None
