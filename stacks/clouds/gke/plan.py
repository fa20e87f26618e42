"""The plan of a stack on GKE: cloud resources in the order of creation, then the cluster's add-ons.

The parts are in the modules beside this one. A pure function of a request: Google is not asked.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hardware.render.pod_images import from_mirror
from releases.charts import HelmRelease, place
from releases.gke import AUTH_PLUGIN, DRA_DRIVER_IMAGE, Manifest
from stacks.clouds.cloud import ClusterPlan, ClusterRequest, Follows, InUse, Use
from stacks.clouds.gke.access import access
from stacks.clouds.gke.addons import charts, manifests, network_objects
from stacks.clouds.gke.cluster import CLUSTER, cluster
from stacks.clouds.gke.networks import networks
from stacks.clouds.gke.pools import accelerator_pool, system_pool
from stacks.clouds.gke.settings import Settings, settings
from stacks.clouds.gke.versions import brought_crds

Object = dict[str, Any]

#: The section of the stack file that has `deleteInUse`.
SECTION = "cluster.gke"
NETWORKS_FILE, INSTALLER_FILE = "networks.yaml", "driver-installer.yaml"


@dataclass(frozen=True, kw_only=True)
class GkePlan(ClusterPlan):
    """The plan of a cluster on GKE with its settings, for this cloud's own rules and checks."""

    settings: Settings


def gke_plan(request: ClusterRequest) -> GkePlan:
    """Returns the plan of a valid request.

    Raises:
        AddressPlanError: the base cannot be used.
    """
    where = settings(request)
    allowed, pools = access(where), (system_pool(where), accelerator_pool(where))
    files, releases = manifests(where), tuple(charts(where, request.mirror, request.base))
    made, driver = cluster(where, allowed), where.gke.gpu_driver
    system, kind = where.gke.system_pool, where.machine.instance_type
    return GkePlan(
        settings=where,
        resources=(*allowed, *networks(where), made, *pools),
        cluster_name=where.named(CLUSTER),
        endpoint=("control_plane_endpoints_config", "dns_endpoint_config", "endpoint"),
        node_resources=tuple(pool.name for pool in pools),
        provider_args={"project": where.project},
        waves=tuple(map(tuple, network_objects(where))),
        wave_file=NETWORKS_FILE,
        files=_reader(request, files, driver.installer),
        objects_file=INSTALLER_FILE if files else None,
        charts=releases,
        images=(*(() if driver.installer else _of_files(files)), *(() if driver.chart else _of_charts(releases))),
        images_in_files=bool(files) and driver.installer is not None,
        own_charts=releases if driver.chart else (),
        charts_key=f"{SECTION}.gpuDriver.chart",
        brought_crds=brought_crds(where.gke.version),
        reached_by=Follows(kubeconfig),
        in_use=InUse(SECTION, where.gke.delete_in_use, cluster=where.name),
        nodes_text=f"{system.min} to {system.max} × {system.machine_type} and {where.nodes} × {kind}, a cluster of its own",
    )


def _reader(request: ClusterRequest, files: Sequence[Manifest], installer: str | None) -> Any:
    """Returns a function that reads the objects of the files, once. It downloads, which commands that only check do not need.

    It raises SourceError if a file cannot be downloaded or does not match its checksum.
    """

    @cache
    def read() -> Sequence[Object]:
        from releases.files import manifest_objects

        own = Path(place(installer, request.base)) if installer else None
        objects = [obj for file in files for obj in manifest_objects(file, own)]
        registry = request.mirror.registry
        return [from_mirror(obj, registry) for obj in objects] if registry else objects

    return read


def _of_files(files: Sequence[Manifest]) -> Iterator[Use]:
    for file in files:
        yield from (Use(known.image, known.used_by, known.pulled) for known in file.images)


def _of_charts(releases: Sequence[HelmRelease]) -> Iterator[Use]:
    yield from (Use(DRA_DRIVER_IMAGE.image, release.name) for release in releases)


def kubeconfig(cluster: str, endpoint: str) -> str:
    """Returns a kubeconfig, as text, for a cluster's DNS endpoint. Its certificate is signed by a public authority.

    It holds no credential: Google's plugin gets one for the user of the kubeconfig.
    """
    user = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": AUTH_PLUGIN,
        "installHint": "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
        "provideClusterInfo": True,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": {"server": f"https://{endpoint}"}}],
            "users": [{"name": cluster, "user": {"exec": user}}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
            "current-context": cluster,
        }
    )
