"""Official parts and their stand-ins: what a rehearsal uses for the router's chart and the CRDs.

Each part is looked for where it is officially: what the stack file names on this machine, what was had before, its
publisher, a Go module that holds the same. Only where none gives it a stand-in takes its place, if there is one, and every
rehearsal says which (`Part`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError, UnavailableError
from rehearsal.parts import charts, cluster_crds
from rehearsal.parts.cluster_crds import Definition
from rehearsal.parts.crd_files import Fetch
from rehearsal.parts.standins import charts as standins
from rehearsal.parts.standins.crds import BROUGHT, MONITORING
from rehearsal.parts.toolchain import Toolchain
from rehearsal.report import Report
from releases import DEFAULT, gateway_api, release
from releases.files import Pinned, SourceError, crd_objects
from stacks.blueprint import ServingBlueprint
from stacks.rules.monitoring import operator_kinds


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


def router_chart(plan: ServingBlueprint, toolchain: Toolchain, workdir: Path, report: Report) -> Substitution:
    """The chart the stack names, as a package of this machine; else the stand-in for it.

    Raises:
        RehearsalError: no source has it, and there is no stand-in for it.
    """
    ref, version, helm = plan.router.chart, plan.router.version, toolchain["helm"].path
    wanted = f"{ref} {version or ''}".strip()
    if "://" not in ref:
        return Substitution(Part("router chart", True, wanted), {})
    try:
        found = charts.find(ref, version, helm, report)
        return Substitution(Part("router chart", True, found.origin), _chart(found.path))
    except UnavailableError as error:
        why = str(error)
    try:
        package = standins.package(ref.rpartition("/")[2], workdir / "charts", helm)
    except UnavailableError as error:
        raise RehearsalError(
            f"the router's chart {wanted} cannot be had",
            f"{why}; {error}",
            "run `llmd-pd setup` once where one of these can be reached, or name a chart on this machine: "
            "`llmd-pd:router: {chart: {source: …}}`",
        ) from None
    report.info(f"router chart {wanted} cannot be had: using the stand-in")
    return Substitution(Part("router chart", False, f"for {wanted}"), _chart(package))


def _chart(package: Path) -> Mapping[str, Any]:
    return {"router": {"chart": {"source": str(package)}}}


def custom_resource_definitions(plan: ServingBlueprint, report: Report) -> Part:
    """The CRDs the stack names, read and checked; what had to be downloaded is kept, where the program will look for it.

    Raises:
        SourceError: they cannot be had, or are not what their checksums say.
    """
    if plan.crd_source is None:
        return Part("CRDs", True, "not managed by this stack")
    source, files = plan.crd_source, plan.crd_files
    counted = "1 file" if len(files) == 1 else f"{len(files)} files"
    if not isinstance(source, Pinned):
        crd_objects(files, source)
        return Part("CRDs", True, f"{counted} of the stack's own directory")
    fetch = Fetch(files, source.fetch, report)
    crd_objects(files, replace(source, fetch=fetch))
    return Part("CRDs", True, "; ".join([f"{counted}, checked by checksum", *fetch.modules]))


def left_to_the_cluster(plan: ServingBlueprint, report: Report) -> list[dict[str, Any]]:
    """The CRDs that a stack expects its cluster to have: those of its release that it leaves to somebody else.

    Raises:
        SourceError: they cannot be had, or are not what their checksums say.
    """
    wanted = (*plan.bill.crds, *(gateway_api.CRDS if plan.gateway else ()))
    files = [file for file in wanted if file not in plan.crd_files]
    source = Pinned()
    return crd_objects(files, replace(source, fetch=Fetch(files, source.fetch, report)))


def cluster_crd_parts(whose: str, brought: Sequence[Definition]) -> tuple[Part, ...]:
    """CRDs that the fleet's cluster has as `whose` brings them: which are the published ones, and which only stand for them."""
    kinds: dict[str, list[str]] = {}
    for definition in brought:
        publisher = definition.published.publisher if definition.published else ""
        kinds.setdefault(publisher, []).append(definition.resource.kind)
    permissive = kinds.pop("", [])
    official = "; ".join(f"{', '.join(of)} of {publisher}" for publisher, of in kinds.items())
    return (
        *((Part(f"CRDs of {whose}", True, official),) if official else ()),
        *((Part(f"permissive CRDs of {whose}", False, ", ".join(permissive)),) if permissive else ()),
    )


def monitors(plan: ServingBlueprint) -> tuple[Part, ...]:
    """The CRDs of the Prometheus operator, in a team's cluster on which a stack with monitors is rehearsed.

    A cluster that a stack of this project makes, on GKE or CoreWeave, has none (`stacks.rules.monitoring`), nor is
    there one for a
    stack on nodes of such a stack.
    """
    wanted = plan.spec.cluster.provider == "existing" and operator_kinds(plan.spec)
    # Asked after the fleet's cluster was given them: a published file that could be had is kept by then.
    return cluster_crd_parts("the Prometheus operator", cluster_crds.kept(MONITORING)) if wanted else ()


def prepare(toolchain: Toolchain, report: Report) -> None:
    """Charts and CRDs of the default release, and the CRDs that clusters bring, into the user's cache, so that the next
    rehearsal asks no network for them.

    What cannot be had is said and no error: a stack may name its own, and for what a cluster brings there are stand-ins.
    """
    bill = release(DEFAULT)
    files = (*bill.crds, *gateway_api.CRDS)
    with report.step("charts and CRDs"):
        for chart in bill.router.charts.values():
            try:
                charts.find(chart.ref, chart.version, toolchain["helm"].path, report)
            except UnavailableError as error:
                report.info(f"chart {chart.ref} {chart.version} cannot be had: {error}")
        source = Pinned()
        source = replace(source, fetch=Fetch(files, source.fetch, report))
        try:
            for file in files:
                source.read(file)
        except SourceError as error:
            report.info(str(error))
        brought = cluster_crds.definitions(BROUGHT, report)
        if without := [found.resource.kind for found in brought if found.published is None]:
            report.info(f"CRDs cannot be had of {', '.join(without)}: rehearsals have permissive ones in their place")
