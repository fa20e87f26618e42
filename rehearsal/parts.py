"""Official parts and their stand-ins: what a rehearsal uses for the router's chart, the CRDs and Pulumi's plugins.

Each part is looked for where it is officially; only where that cannot be reached a stand-in takes its place, and every
rehearsal says which (`Part`). What the stack file itself names (a mirror, a directory) is tried first.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError

from rehearsal.report import Report
from rehearsal.standins import charts, crds
from rehearsal.toolchain import OFFLINE, Toolchain, offline
from releases.cache import cache_dir
from releases.crds import Pinned, SourceError, crd_objects
from stacks.plan import Plan

CHART_SECONDS = 60.0


@dataclass(frozen=True)
class Part:
    """One part, official or not, and where it came from or what it stands for."""

    name: str
    official: bool
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.origin})" if self.origin else self.name


@dataclass(frozen=True)
class Substitution:
    """A part, and the keys of the stack file that lead to it (`{}` where the stack's own do)."""

    part: Part
    config: Mapping[str, Any]


def router_chart(plan: Plan, toolchain: Toolchain, workdir: Path, report: Report) -> Substitution:
    """The chart the stack names if helm can fetch it, kept for the next rehearsal; else the stand-in."""
    wanted = f"{plan.router.chart} {plan.router.version or ''}".strip()
    if "://" not in plan.router.chart:
        return Substitution(Part("router chart", True, wanted), {})
    kept = cache_dir() / "charts" / f"{plan.router.chart.rpartition('/')[2]}-{plan.router.version}"
    fetched = _kept_chart(kept) or (None if offline() else _pull(plan, toolchain, kept))
    if fetched is not None:
        return Substitution(Part("router chart", True, wanted), {"router": {"chart": {"source": str(fetched)}}})
    report.info(f"router chart {wanted} cannot be fetched: using the stand-in")
    package = charts.package(workdir / "charts", toolchain["helm"].path)
    return Substitution(Part("router chart", False, f"for {wanted}"), {"router": {"chart": {"source": str(package)}}})


def custom_resource_definitions(plan: Plan, workdir: Path, report: Report) -> Substitution:
    """The CRDs the stack names if they can be read; else permissive ones of the same names and versions.

    Raises:
        SourceError: the stack's own directory does not hold them, or a download is not what its checksum says.
    """
    count = f"{len(plan.bill.crds)} of {plan.bill.name}"
    if plan.crd_source is None:
        return Substitution(Part("CRDs", True, "not managed by this stack"), {})
    downloads: list[Exception] = []
    source = plan.crd_source
    if isinstance(source, Pinned):
        source = replace(source, fetch=_noting(downloads, _refused if offline() else source.fetch))
    try:
        crd_objects(plan.bill, source)
    except SourceError:
        if not downloads:
            raise
        reason = getattr(downloads[-1], "reason", None) or downloads[-1]
        text = getattr(reason, "strerror", None) or str(reason)
        report.info(f"CRDs of {plan.bill.name} cannot be downloaded ({text}): using permissive stand-ins")
        directory = crds.write(workdir / "crds", plan.bill)
        return Substitution(Part("CRDs", False, f"permissive, for {count}"), {"crds": {"directory": str(directory)}})
    return Substitution(Part("CRDs", True, count), {})


def _noting(failures: list[Exception], fetch: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Told apart from a file that was had and is wrong: that is no reason for a stand-in."""

    def noting(url: str) -> bytes:
        try:
            return fetch(url)
        except (OSError, HTTPException) as error:
            failures.append(error)
            raise

    return noting


def _refused(url: str) -> bytes:
    raise URLError(f"{OFFLINE} is set, so {url} is not asked")


def _kept_chart(directory: Path) -> Path | None:
    return next(iter(sorted(directory.glob("*.tgz"))), None)


def _pull(plan: Plan, toolchain: Toolchain, directory: Path) -> Path | None:
    version = ["--version", plan.router.version] if plan.router.version else []
    command = [str(toolchain["helm"].path), "pull", plan.router.chart, *version, "--destination", str(directory)]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(command, capture_output=True, timeout=CHART_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return _kept_chart(directory)
