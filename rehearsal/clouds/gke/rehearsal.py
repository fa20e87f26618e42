"""The rehearsal of GKE: the pretend cloud makes the cluster, for which the fleet stands, and its nodes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.gke import access
from rehearsal.clouds.gke.faults import FAULTS
from rehearsal.clouds.gke.pretend import GKE
from rehearsal.clouds.gke.versions import OFFERED
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts import cluster_crds, parts
from rehearsal.parts.parts import Part
from rehearsal.parts.standins.crds import MULTI_NETWORKING
from rehearsal.report import Report
from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.gke.cloud import of_gke
from stacks.clouds.gke.placeholders import placeholders
from stacks.clouds.gke.rules import GKE_28
from stacks.clouds.gke.spec import Gke
from stacks.kube.api import Api
from stacks.schema import Section

PROJECT = "rehearsal"


class GkeRehearsal(CloudRehearsal):
    """The rehearsal of GKE. Placeholders get an invented project and reservation, and a version that the pretend cloud offers."""

    unasked = frozenset({GKE_28.id})
    pretend = GKE
    faults = FAULTS

    def placeholders(self, section: Section | None) -> Mapping[str, str]:
        return {path: _value(path, section) for path in placeholders(section)} if isinstance(section, Gke) else {}

    def environment(self, plan: ClusterPlan, plane: ControlPlane, fault: str | None) -> dict[str, str]:
        return access.environment(plane, fault) | access.answers(of_gke(plan), plane.workdir)

    def substitutes(self, plan: ClusterPlan, workdir: Path, helm: Path) -> tuple[Mapping[str, Any], list[Part]]:
        return access.substitutes(of_gke(plan), workdir, helm)

    def prepare(
        self, plan: ClusterPlan, plane: ControlPlane, api: Api, report: Report, fault: str | None
    ) -> Sequence[Part]:
        # The pretend cloud installs them with the cluster, from the cache.
        kinds = {obj["kind"] for obj in plan.objects}
        wanted = [resource for resource in MULTI_NETWORKING if resource.kind in kinds]
        return [*parts.cluster_crd_parts("GKE's multi-networking", cluster_crds.definitions(wanted, report))]


def _value(path: str, gke: Gke) -> str:
    project = PROJECT if "project" in placeholders(gke) else gke.project
    values = {
        "project": project,
        "version": OFFERED[gke.release_channel][0],
        "capacity.reservation": f"projects/{project}/reservations/{PROJECT}",
    }
    return values[path]
