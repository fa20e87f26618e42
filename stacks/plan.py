"""What a stack would apply, as data: the last step before Pulumi, and the one `render` writes to files.

`compose` registers exactly this. Nothing here talks to a cluster; the CRDs may be downloaded (and are then cached).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hardware.bill import Bill
from hardware.monitoring import pod_monitors
from hardware.namespace import namespace
from hardware.renderer import model_server
from hardware.vocabulary import Role
from hardware.workload import Workload
from releases.crds import CrdSource, Directory, Pinned, crd_objects
from releases.values import router_values
from stacks.spec import StackSpec
from stacks.workload import workload

Object = dict[str, Any]


@dataclass(frozen=True)
class RouterRelease:
    """The Helm release of the router. `chart` is an OCI reference or a path; `version` None takes what the path holds."""

    name: str
    chart: str
    version: str | None
    values: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Everything a stack applies. `crd_source` is None where the stack leaves CRDs to somebody else."""

    spec: StackSpec
    workload: Workload
    crd_source: CrdSource | None
    model_server: list[Object]
    router: RouterRelease
    monitoring: list[Object]

    @property
    def bill(self) -> Bill:
        """The versions in use."""
        return self.workload.bill

    @cached_property
    def _crds(self) -> list[Object]:
        return [] if self.crd_source is None else crd_objects(self.bill, self.crd_source)

    def crds(self) -> list[Object]:
        """The CRDs, or none where they are not ours.

        Raises:
            SourceError: a file cannot be had or is not what its checksum says.
        """
        return self._crds

    def namespace(self, owner: str | None = None) -> Object:
        """The namespace, annotated with the stack it belongs to when there is one."""
        return namespace(self.spec.namespace, self.model_server, owner)

    @property
    def autoscaled(self) -> list[Role]:
        """Roles whose number of pods an autoscaler owns once they are there."""
        return [role for role, stated in self.spec.serving.sizing.items() if stated.autoscaled]

    @property
    def selector(self) -> dict[str, str]:
        """Labels every model-server pod of the stack carries and the router selects by."""
        return {self.bill.guide_label: self.spec.name}

    @property
    def versions(self) -> dict[str, str]:
        """The versions in use, by what they are versions of."""
        chart = self.bill.router.charts[self.spec.router.mode]
        return {
            "release": self.bill.name,
            "guide": self.bill.commit,
            "routerChart": self.router.version or chart.version,
            "endpointPicker": self.bill.router.image,
            "routingProxy": self.bill.sidecar.image,
            "modelServer": self.workload.image,
        }


def plan(spec: StackSpec, base: Path) -> Plan:
    """The plan of a stack file that obeys the rules. Relative paths in it start at `base`, the project's directory."""
    resolved = workload(spec)
    chart = resolved.bill.router.charts[spec.router.mode]
    source: str = chart.ref
    version: str | None = chart.version
    if spec.router.chart is not None:
        source = _place(spec.router.chart.source, base)
        # A path holds one version; a mirror holds many, and the bill's is the one that was tested.
        version = spec.router.chart.version or (chart.version if "://" in source else None)
    values = router_values(resolved.bill, name=spec.name, monitoring=spec.monitoring.router)
    crds = spec.crds
    directory = Directory(Path(_place(crds.directory, base))) if crds.directory else Pinned()
    return Plan(
        spec=spec,
        workload=resolved,
        crd_source=directory if crds.manage else None,
        model_server=model_server(resolved),
        router=RouterRelease(spec.name, source, version, values),
        monitoring=pod_monitors() if spec.monitoring.pod_monitors else [],
    )


def _place(source: str, base: Path) -> str:
    return source if "://" in source else str((base / Path(source).expanduser()).resolve())
