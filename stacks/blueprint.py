"""The blueprint: all that a stack applies, as data: its cluster, its nodes and what it serves. The last step before Pulumi.

`compose` registers exactly this, `render` writes it to files. No cluster is asked. CRDs may be downloaded; they are then
cached.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hardware.bill import Bill, Crd
from hardware.render.images import mirrored
from hardware.render.namespace import namespace
from hardware.render.workload import Workload
from hardware.vocabulary import Role
from releases.charts import HelmRelease, place
from releases.files import CrdSource, Directory, Pinned, crd_objects
from releases.gateway_api import CRDS as GATEWAY_API_CRDS
from releases.gateways import IMPLEMENTATIONS
from stacks.clouds.cloud import EXISTING, Cloud, ClusterPlan, ClusterRequest
from stacks.monitoring.monitors import pod_monitors
from stacks.serving.gateway import GatewayPlan, gateway_plan
from stacks.serving.router import router_release
from stacks.serving.token import MadeSecret, made_secret
from stacks.spec.stack import StackSpec

Object = dict[str, Any]


@dataclass(frozen=True)
class ServingBlueprint:
    """All that a stack serves with. `crd_source` is None if the cluster's owner installs the CRDs."""

    spec: StackSpec
    workload: Workload
    crd_source: CrdSource | None
    model_server: list[Object]
    router: HelmRelease
    gateway: GatewayPlan | None
    monitoring: list[Object]

    @property
    def bill(self) -> Bill:
        """The versions in use."""
        return self.workload.bill

    @property
    def crd_files(self) -> tuple[Crd, ...]:
        """The CRD files that are the stack's to install."""
        return managed_crds(self.spec, self.bill)

    @cached_property
    def _crds(self) -> list[Object]:
        return [] if self.crd_source is None else crd_objects(self.crd_files, self.crd_source)

    def crds(self) -> list[Object]:
        """Returns the CRDs, none if the stack does not install them.

        Raises:
            SourceError: a file cannot be downloaded, or does not match its checksum.
        """
        return self._crds

    def namespace(self, owner: str | None = None) -> Object:
        """Returns the namespace, annotated with its owner (a stack's full name) if one is given."""
        return namespace(self.spec.namespace, self.model_server, owner)

    @property
    def autoscaled(self) -> list[Role]:
        """Roles whose number of pods an autoscaler owns once the Deployments exist."""
        return [role for role, stated in self.spec.served.sizing.items() if stated.autoscaled]

    @property
    def made_secret(self) -> MadeSecret | None:
        """The Secret made from the stack's token, None without one. Its value is not part of the blueprint."""
        return made_secret(self.spec)

    @property
    def selector(self) -> dict[str, str]:
        """Labels that every model-server pod of the stack has and the router selects by."""
        return {self.bill.guide_label: self.spec.name}

    @property
    def versions(self) -> dict[str, str]:
        """The versions in use, by part (`release`, `routerChart`, …)."""
        chart = self.bill.router.charts[self.spec.router.mode]
        gateway = self.gateway
        installed = IMPLEMENTATIONS[gateway.stated.provider] if gateway and gateway.implementation else None
        return {
            "release": self.bill.name,
            "guide": self.bill.commit,
            "routerChart": self.router.version or chart.version,
            "endpointPicker": mirrored(self.bill.router.endpoint_picker.image, self.spec.mirror.registry),
            "routingProxy": self.workload.sidecar_image,
            "modelServer": self.workload.image,
            **({"gatewayImplementation": installed.title} if installed else {}),
        }


@dataclass(frozen=True)
class Blueprint:
    """All that a stack applies. `serving` is None in a platform stack; `request` is None if the stack makes no nodes."""

    spec: StackSpec
    request: ClusterRequest | None
    cluster: ClusterPlan
    serving: ServingBlueprint | None

    @property
    def cloud(self) -> Cloud:
        """The cloud in which the stack makes its cluster or nodes."""
        return self.spec.cluster.cloud if self.request else EXISTING


def serving_blueprint(spec: StackSpec, resolved: Workload, objects: list[Object], base: Path) -> ServingBlueprint:
    """Returns what a valid stack file serves with, from its workload and its rendered model servers.

    Relative paths in the file start at `base`.
    """
    router = router_release(spec, resolved.bill, base)
    crds = spec.crds
    directory = Directory(Path(place(crds.directory, base))) if crds.directory else Pinned()
    return ServingBlueprint(
        spec=spec,
        workload=resolved,
        crd_source=directory if managed_crds(spec, resolved.bill) else None,
        model_server=objects,
        router=router,
        gateway=gateway_plan(spec, resolved.bill, router.values),
        monitoring=pod_monitors() if spec.monitoring.pod_monitors else [],
    )


def managed_crds(spec: StackSpec, bill: Bill) -> tuple[Crd, ...]:
    """The CRD files that are the stack's to install."""
    own, gateway = spec.crds.gateway_api, spec.router.gateway
    # GKE brings the CRDs of the Gateway API if its Gateway controller is on.
    theirs = gateway is None or (gateway.implementation.in_cluster if own is None else not own)
    return (*(bill.crds if spec.crds.manage else ()), *(() if theirs else GATEWAY_API_CRDS))
