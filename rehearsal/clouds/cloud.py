"""The protocol by which a rehearsal serves a cloud, with the methods for an existing cluster, for which the fleet stands.

Each cloud implements it in its folder beside this module, and has a line in `rehearsal.clouds.registry`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.clouds.pretend import PretendKinds
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.faults import Fault
from rehearsal.parts.parts import Part
from rehearsal.report import Report
from stacks.clouds.cloud import ClusterPlan
from stacks.kube.api import Api
from stacks.schema import Section


class CloudRehearsal:
    """The rehearsal of an existing cluster.

    `unasked` are ids of rules that it skips because it fills in the placeholders. `pretend` is the table of the pretend cloud
    that makes the resources of the cloud's API, None if there are none. `faults` are those of nodes that a stack makes there.
    """

    unasked: frozenset[str] = frozenset()
    pretend: PretendKinds | None = None
    faults: Sequence[Fault] = ()

    def placeholders(self, section: Section | None) -> Mapping[str, str]:
        """Returns the values for the placeholders of a section, by the path under it."""
        return {}

    def environment(self, plan: ClusterPlan, plane: ControlPlane, fault: str | None) -> dict[str, str]:
        """Returns variables for the program and its plugins, and writes the files they name. `fault` is the fault to play."""
        return {}

    def substitutes(self, plan: ClusterPlan, workdir: Path, helm: Path) -> tuple[Mapping[str, Any], list[Part]]:
        """Returns the keys of the stack file for stand-ins of a cluster's files and charts, and their parts."""
        return {}, []

    def prepare(
        self, plan: ClusterPlan, plane: ControlPlane, api: Api, report: Report, fault: str | None
    ) -> Sequence[Part]:
        """Creates the objects that the cloud brings to a cluster before the stack's own; returns their parts."""
        return ()

    def clean(self, plane: ControlPlane) -> None:
        """Removes the rest of an earlier rehearsal of the same name, if this one has no nodes of the cloud."""
