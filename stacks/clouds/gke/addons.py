"""Add-ons of a GKE cluster, made before its model servers: per RDMA mode, as Kubernetes objects, files and charts.

And the word to pods that attaches them to the RDMA networks, where claims do not. DeviceClasses of the NICs are GKE's own.
"""

import json
from pathlib import Path
from typing import Any

from hardware.render.images import mirrored
from hardware.vocabulary import Fragment
from releases.charts import HelmRelease, mirrored_chart, place
from releases.gke import (
    DRA_DRIVER,
    DRA_DRIVER_CHART,
    DRA_DRIVER_IMAGE,
    DRA_DRIVER_VALUES,
    DRA_DRIVER_VERSION,
    DRIVER_INSTALLER,
    Manifest,
)
from releases.values import image_values, merge
from stacks.clouds.gke.networks import GVNIC, RDMA, rdma_parts
from stacks.clouds.gke.site import Site
from stacks.schema import Mirror

Object = dict[str, Any]

API = "networking.gke.io"
#: The first interface after those of the pod network and of the second gVNIC.
_FIRST_RDMA_INTERFACE = 2


def network_objects(site: Site) -> list[list[Object]]:
    """A Network per NIC and before it the parameters it refers to, by the names that nodes and pods know them by.

    Of multinet only; GKE has their CRDs, and holds parameters for as long as their Network is there.
    """
    if site.rdma != "multinet":
        return []
    parts = [(f"{GVNIC}-1", GVNIC, f"{GVNIC}-network", "NetDevice")]
    parts += [(part, part, f"{RDMA}-network", "RDMA") for part in rdma_parts()]
    parameters = [
        _parameters(name, site.named(network), site.named(subnet), mode) for name, subnet, network, mode in parts
    ]
    return [parameters, [_network(name) for name, *_ in parts]]


def manifests(site: Site) -> list[Manifest]:
    """Files to apply: the driver's installer, where GKE was told to leave the driver alone."""
    return [DRIVER_INSTALLER] if site.rdma == "dranet" else []


def charts(site: Site, mirror: Mirror, base: Path) -> list[HelmRelease]:
    """Helm releases, after the files: what hands out GPUs where the device plugin is switched off.

    A chart of the user's own names its image itself: of which version that is only it can know.
    """
    if site.rdma != "dranet":
        return []
    if (stated := site.gke.gpu_driver.chart) is not None:
        return [HelmRelease(DRA_DRIVER, DRA_DRIVER, place(stated.source, base), stated.version, DRA_DRIVER_VALUES)]
    chart, image = mirrored_chart(DRA_DRIVER_CHART, mirror.charts), mirrored(DRA_DRIVER_IMAGE.image, mirror.registry)
    values = merge(DRA_DRIVER_VALUES, image_values(DRA_DRIVER_IMAGE, image) if mirror.registry else {})
    return [HelmRelease(DRA_DRIVER, DRA_DRIVER, chart, DRA_DRIVER_VERSION, values)]


def pod_annotations() -> dict[str, str]:
    """The annotations by which a pod gets every RDMA NIC of its node beside the pod network; of multinet only."""
    interfaces = [{"interfaceName": "eth0", "network": "default"}]
    interfaces += [
        {"interfaceName": f"eth{_FIRST_RDMA_INTERFACE + index}", "network": name}
        for index, name in enumerate(rdma_parts())
    ]
    return {f"{API}/default-interface": "eth0", f"{API}/interfaces": json.dumps(interfaces)}


def pod_resources() -> Fragment:
    """Limits and requests beside them. None is asked for: GKE puts the real one in its place (llm-d #1730)."""
    nothing = {f"{API}.networks/{name}": "0" for name in rdma_parts()}
    return {"limits": nothing, "requests": dict(nothing)}


def _parameters(name: str, vpc: str, subnet: str, mode: str) -> Object:
    return {
        "apiVersion": f"{API}/v1",
        "kind": "GKENetworkParamSet",
        "metadata": {"name": name},
        "spec": {"vpc": vpc, "vpcSubnet": subnet, "deviceMode": mode},
    }


def _network(name: str) -> Object:
    parameters = {"group": API, "kind": "GKENetworkParamSet", "name": name}
    return {
        "apiVersion": f"{API}/v1",
        "kind": "Network",
        "metadata": {"name": name},
        "spec": {"type": "Device", "parametersRef": parameters},
    }
