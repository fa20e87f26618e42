"""Add-ons of a GKE cluster that hands GPUs and NICs out by DRA: the driver's installer and NVIDIA's DRA driver.

Versions and values are those of llm-d's GKE guide, compared with the chart's defaults. Managed DRANET and its DeviceClasses are
part of GKE and never installed.
"""

from dataclasses import dataclass
from typing import Any

from hardware.bill import ChartImage


@dataclass(frozen=True)
class ManifestImage:
    """An image that an object of a file runs, with the container's name. An image that is not `pulled` is part of the node."""

    image: str
    used_by: str
    pulled: bool = True


@dataclass(frozen=True)
class Manifest:
    """A pinned file of Kubernetes objects, and the images in it."""

    file: str
    url: str
    sha256: str
    images: tuple[ManifestImage, ...] = ()


#: The Python package of Google's Pulumi SDK, an extra of this project.
SDK = "pulumi_gcp"

#: The credential plugin in kubeconfigs of GKE clusters.
AUTH_PLUGIN = "gke-gcloud-auth-plugin"

_COMMIT = "068b15a980977bdaab46eb73e1ac8fba47e41f60"
_INSTALLER = "nvidia-driver-installer/cos/daemonset-preloaded.yaml"
_DAEMON_SET = "DaemonSet nvidia-driver-installer"

#: A DaemonSet in `kube-system` that installs the driver of the node's image, on nodes where GKE does not install it.
DRIVER_INSTALLER = Manifest(
    file="nvidia-driver-installer.yaml",
    url=f"https://raw.githubusercontent.com/GoogleCloudPlatform/container-engine-accelerators/{_COMMIT}/{_INSTALLER}",
    sha256="29da2c6491c299dfde254add9fe28e248f7f3396e9460aa0394599d6b3d8b61d",
    images=(
        ManifestImage("cos-nvidia-installer:fixed", f"{_DAEMON_SET}/nvidia-driver-installer", pulled=False),
        ManifestImage(
            "gcr.io/gke-release/nvidia-partition-gpu@sha256:c54fd003948fac687c2a93a55ea6e4d47ffbd641278a9191e75e822fe72471c2",
            f"{_DAEMON_SET}/partition-gpus",
        ),
        ManifestImage("gcr.io/google-containers/pause:2.0", f"{_DAEMON_SET}/pause"),
    ),
)

#: The minimum major version of the GPU driver for images built for CUDA 13.
CUDA_13_DRIVER = 580
#: The driver in the node image of a GKE minor version, as seen on an A3 Ultra; the same is assumed for A4.
SEEN_DRIVERS = {(1, 36): "580.126.20"}

DRA_DRIVER = "nvidia-dra-driver-gpu"
DRA_DRIVER_CHART = f"https://helm.ngc.nvidia.com/nvidia/{DRA_DRIVER}"
DRA_DRIVER_VERSION = "25.8.0"
#: The only image that the chart runs at this version with these values.
DRA_DRIVER_IMAGE = ChartImage(
    f"nvcr.io/nvidia/k8s-dra-driver-gpu:v{DRA_DRIVER_VERSION}",
    {("image", "repository"): "{place}/{base}", ("image", "tag"): "{tag}"},
)
#: The installer's target directory on Container-Optimized OS.
DRIVER_ROOT = "/home/kubernetes/bin/nvidia/"
DRA_DRIVER_VALUES: dict[str, Any] = {
    "nvidiaDriverRoot": DRIVER_ROOT,
    # The chart refuses to hand out GPUs without it, to protect nodes with a device plugin. These nodes have none.
    "gpuResourcesEnabledOverride": True,
    "resources": {"computeDomains": {"enabled": False}},
    "kubeletPlugin": {
        # The default, system-node-critical, is refused outside kube-system unless a ResourceQuota allows it.
        "priorityClassName": "",
        "tolerations": [{"operator": "Exists"}],
    },
}
