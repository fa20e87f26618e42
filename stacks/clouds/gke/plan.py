"""What a stack makes on GKE, as data: cloud resources in the order they are made, then what the cluster is given.

`components/cluster/gke` registers exactly this; what the parts are is said in the modules beside this one. A pure function of a
stack file and its machine: nothing is asked of Google.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hardware.machines import Machine
from hardware.render.pod_images import from_mirror
from releases.charts import HelmRelease, place
from releases.gke import Manifest
from stacks.clouds.gke.access import access
from stacks.clouds.gke.addons import charts, manifests, network_objects
from stacks.clouds.gke.cluster import CLUSTER, cluster
from stacks.clouds.gke.networks import networks
from stacks.clouds.gke.pools import accelerator_pool, system_pool
from stacks.clouds.gke.site import Site, site
from stacks.clouds.gke.versions import brought_crds
from stacks.clouds.resource import Resource
from stacks.spec.stack import StackSpec

Object = dict[str, Any]


@dataclass(frozen=True)
class GkePlan:
    """A cluster on GKE and everything under it.

    `resources` are in an order in which each comes after what it needs. `waves` of objects, one after the other, then
    `manifests`, then `charts` follow the last of them, and are there before any model server.
    """

    site: Site
    resources: tuple[Resource, ...]
    waves: tuple[tuple[Object, ...], ...]
    manifests: tuple[Manifest, ...]
    charts: tuple[HelmRelease, ...]
    #: Where relative paths of the stack file start.
    base: Path = Path()
    #: The registry that images come from in place of their publishers'.
    registry: str | None = None

    def resource(self, name: str) -> Resource:
        """The resource of that logical name."""
        return next(found for found in self.resources if found.name == name)

    def of(self, kind: str) -> list[Resource]:
        """The resources of one class, by its path."""
        return [found for found in self.resources if found.type == kind]

    @property
    def objects(self) -> list[Object]:
        """The objects of all waves."""
        return [obj for wave in self.waves for obj in wave]

    def files(self) -> list[Object]:
        """The objects of the manifests.

        Raises:
            SourceError: a file cannot be had or is not what its checksum says.
        """
        return self._files

    @cached_property
    def _files(self) -> list[Object]:
        # Late: it downloads, which no command needs that only checks.
        from releases.files import manifest_objects

        stated = self.site.gke.gpu_driver.installer
        own = Path(place(stated, self.base)) if stated else None
        objects = [obj for file in self.manifests for obj in manifest_objects(file, own)]
        return [from_mirror(obj, self.registry) for obj in objects] if self.registry else objects

    @property
    def cluster(self) -> Resource:
        """The cluster."""
        return self.resource(self.site.named(CLUSTER))

    @property
    def brought_crds(self) -> frozenset[str]:
        """The CRDs of ours that the cluster will have by itself."""
        return brought_crds(self.site.gke.version)


def gke_plan(spec: StackSpec, machine: Machine, base: Path = Path()) -> GkePlan:
    """The plan of a stack file that obeys the rules, on a machine as the stack has it (`stacks.serving.workload.machine_of`).

    Relative paths in the file start at `base`.

    Raises:
        AddressPlanError: the base cannot be used.
    """
    where = site(spec, machine)
    allowed = access(where)
    made = [*allowed, *networks(where), cluster(where, allowed), system_pool(where), accelerator_pool(where)]
    return GkePlan(
        site=where,
        resources=tuple(made),
        waves=tuple(map(tuple, network_objects(where))),
        manifests=tuple(manifests(where)),
        charts=tuple(charts(where, spec.mirror, base)),
        base=base,
        registry=spec.mirror.registry,
    )
