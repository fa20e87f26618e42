"""How the clusters of a cloud are rehearsed: the protocol, and the answers for an existing cluster, which the fleet is.

Each cloud's own answers are in its folder beside this module, and one line in `rehearsal.clouds.registry`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.parts import Part
from rehearsal.report import Report
from stacks.clouds.cloud import ClusterPlan
from stacks.kube.api import Api
from stacks.schema import Section


class CloudRehearsal:
    """Rehearses an existing cluster. `unasked` are ids of rules that a rehearsal does not ask, because it answers them itself."""

    unasked: frozenset[str] = frozenset()

    def blanks(self, section: Section | None) -> Mapping[str, str]:
        """Returns what a rehearsal writes into the blanks of a section, by the path under it."""
        return {}

    def environment(self, plan: ClusterPlan, plane: ControlPlane, fault: str | None) -> dict[str, str]:
        """Returns variables of the program and its plugins, and writes the files they name. `fault` goes wrong."""
        return {}

    def substitutes(self, plan: ClusterPlan, workdir: Path, helm: Path) -> tuple[Mapping[str, Any], list[Part]]:
        """Returns keys of the stack file that lead to stand-ins for what a cluster is given, and which those are."""
        return {}, []

    def prepare(
        self, plan: ClusterPlan, plane: ControlPlane, api: Api, report: Report, fault: str | None
    ) -> Sequence[Part]:
        """Makes what the cloud brings to a cluster before the stack's own objects come, and returns what that is."""
        return ()

    def clean(self, plane: ControlPlane) -> None:
        """Lets go of what an earlier rehearsal in the same place left, if this one has no nodes of the cloud."""
