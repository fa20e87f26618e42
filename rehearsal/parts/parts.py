"""The parts of a rehearsal: official or stand-in, for the router's chart and the CRDs.

Each part is taken from the first of: the path that the stack file names, the cache, its publisher, a Go module that contains
it. Only if none has it, a stand-in is used if there is one, and every rehearsal reports it (`Part`).
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
    """One part of a rehearsal, official or not; its origin, or the part that it stands for."""

    name: str
    official: bool
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.origin})" if self.origin else self.name


@dataclass(frozen=True)
class Substitution:
    """A part, and the keys of the stack file that lead to it; none if the stack's own keys do."""

    part: Part
    config: Mapping[str, Any]


def router_chart(plan: ServingBlueprint, toolchain: Toolchain, workdir: Path, report: Report) -> Substitution:
    """Returns the chart that the stack names, as a package on this machine; else the stand-in for it.

    Raises:
        RehearsalError: no source has it, and it has no stand-in.
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
            f"the router's chart {wanted} is not available",
            f"{why}; {error}",
            "run `llmd-pd setup` once where one of these can be reached, or name a chart on this machine: "
            "`llmd-pd:router: {chart: {source: …}}`",
        ) from None
    report.info(f"router chart {wanted} is not available: using the stand-in")
    return Substitution(Part("router chart", False, f"for {wanted}"), _chart(package))


def _chart(package: Path) -> Mapping[str, Any]:
    return {"router": {"chart": {"source": str(package)}}}


def custom_resource_definitions(plan: ServingBlueprint, report: Report) -> Part:
    """Reads and checks the CRDs that the stack installs; downloaded files are kept where the program reads them.

    Raises:
        SourceError: they are not available, or do not have their checksums.
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
    """Returns the CRDs of a stack's release that it does not install itself, but expects its cluster to have.

    Raises:
        SourceError: they are not available, or do not have their checksums.
    """
    wanted = (*plan.bill.crds, *(gateway_api.CRDS if plan.gateway else ()))
    files = [file for file in wanted if file not in plan.crd_files]
    source = Pinned()
    return crd_objects(files, replace(source, fetch=Fetch(files, source.fetch, report)))


def cluster_crd_parts(source: str, brought: Sequence[Definition]) -> tuple[Part, ...]:
    """Returns the parts for CRDs that `source` brings to the fleet's cluster: the published ones, and the stand-ins."""
    kinds: dict[str, list[str]] = {}
    for definition in brought:
        publisher = definition.published.publisher if definition.published else ""
        kinds.setdefault(publisher, []).append(definition.resource.kind)
    permissive = kinds.pop("", [])
    official = "; ".join(f"{', '.join(of)} of {publisher}" for publisher, of in kinds.items())
    return (
        *((Part(f"CRDs of {source}", True, official),) if official else ()),
        *((Part(f"permissive CRDs of {source}", False, ", ".join(permissive)),) if permissive else ()),
    )


def monitors(plan: ServingBlueprint) -> tuple[Part, ...]:
    """Returns the parts for the CRDs of the Prometheus operator, for a stack with monitors on an existing cluster.

    A cluster that a stack of this project makes has none (`stacks.rules.monitoring`).
    """
    wanted = plan.spec.cluster.provider == "existing" and operator_kinds(plan.spec)
    # Called after they were installed: a published file that is available is in the cache by then.
    return cluster_crd_parts("the Prometheus operator", cluster_crds.kept(MONITORING)) if wanted else ()


def prepare(toolchain: Toolchain, report: Report) -> None:
    """Puts charts and CRDs of the default release, and the CRDs that clusters bring, into the user's cache for later rehearsals.

    A file that is not available is reported, and no error: a stack can name its own, and the CRDs of clusters have stand-ins.
    """
    bill = release(DEFAULT)
    files = (*bill.crds, *gateway_api.CRDS)
    with report.step("charts and CRDs"):
        for chart in bill.router.charts.values():
            try:
                charts.find(chart.ref, chart.version, toolchain["helm"].path, report)
            except UnavailableError as error:
                report.info(f"chart {chart.ref} {chart.version} is not available: {error}")
        source = Pinned()
        source = replace(source, fetch=Fetch(files, source.fetch, report))
        try:
            for file in files:
                source.read(file)
        except SourceError as error:
            report.info(str(error))
        brought = cluster_crds.definitions(BROUGHT, report)
        if without := [found.resource.kind for found in brought if found.published is None]:
            report.info(f"no published CRD is available of {', '.join(without)}: rehearsals use permissive ones")
