"""Add-ons of a GKE cluster, before its model servers: Kubernetes objects, files and charts for each way to RDMA.

Also the annotations that attach pods to the RDMA networks if claims do not. GKE brings the DeviceClasses of the NICs.
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
from stacks.clouds.gke.settings import Settings
from stacks.schema import Mirror

Object = dict[str, Any]

API = "networking.gke.io"
#: The first interface after those of the pod network and of the second gVNIC.
_FIRST_RDMA_INTERFACE = 2


def network_objects(settings: Settings) -> list[list[Object]]:
    """Returns two waves for multinet: the parameters of each NIC's Network, then the Networks, under the names that nodes and
    pods use.

    GKE brings their CRDs, and keeps parameters until their Network is deleted.
    """
    if settings.rdma != "multinet":
        return []
    parts = [(f"{GVNIC}-1", GVNIC, f"{GVNIC}-network", "NetDevice")]
    parts += [(part, part, f"{RDMA}-network", "RDMA") for part in rdma_parts()]
    parameters = [
        _parameters(name=name, vpc=settings.named(network), subnet=settings.named(subnet), mode=mode)
        for name, subnet, network, mode in parts
    ]
    return [parameters, [_network(name) for name, *_ in parts]]


def manifests(settings: Settings) -> list[Manifest]:
    """Returns the files to apply: the driver's installer, if GKE does not install the driver."""
    return [DRIVER_INSTALLER] if settings.rdma == "dranet" else []


def charts(settings: Settings, mirror: Mirror, base: Path) -> list[HelmRelease]:
    """Returns the Helm releases to install after the files: the GPUs' DRA driver, if the device plugin is off.

    The image is not set in a chart of the user's own, because only that chart knows its version.
    """
    if settings.rdma != "dranet":
        return []
    if (stated := settings.gke.gpu_driver.chart) is not None:
        return [
            HelmRelease(
                name=DRA_DRIVER,
                namespace=DRA_DRIVER,
                chart=place(stated.source, base),
                version=stated.version,
                values=DRA_DRIVER_VALUES,
            )
        ]
    chart, image = mirrored_chart(DRA_DRIVER_CHART, mirror.charts), mirrored(DRA_DRIVER_IMAGE.image, mirror.registry)
    values = merge(DRA_DRIVER_VALUES, image_values(DRA_DRIVER_IMAGE, image) if mirror.registry else {})
    return [HelmRelease(name=DRA_DRIVER, namespace=DRA_DRIVER, chart=chart, version=DRA_DRIVER_VERSION, values=values)]


def pod_annotations() -> dict[str, str]:
    """Returns annotations for multinet that give a pod every RDMA NIC of its node in addition to the pod network."""
    interfaces = [{"interfaceName": "eth0", "network": "default"}]
    interfaces += [
        {"interfaceName": f"eth{_FIRST_RDMA_INTERFACE + index}", "network": name}
        for index, name in enumerate(rdma_parts())
    ]
    return {f"{API}/default-interface": "eth0", f"{API}/interfaces": json.dumps(interfaces)}


def pod_resources() -> Fragment:
    """Returns the limits and requests for these networks. The value is 0, which GKE replaces by the real one (llm-d #1730)."""
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
