"""What a cluster on GKE is given where GPUs and NICs are handed out by DRA: the driver's installer and the GPU's DRA driver.

Versions and values of llm-d's GKE guide, read against the chart's own defaults. Managed DRANET and its DeviceClasses are GKE's;
nothing of them is ever installed.
"""

from dataclasses import dataclass
from typing import Any

from hardware.bill import ChartImage


@dataclass(frozen=True)
class ManifestImage:
    """An image that an object of a file runs, and as which of its containers. What is not `pulled` is on the node."""

    image: str
    used_by: str
    pulled: bool = True


@dataclass(frozen=True)
class Manifest:
    """A file of Kubernetes objects, known by its checksum, and the images in it."""

    file: str
    url: str
    sha256: str
    images: tuple[ManifestImage, ...] = ()


#: The package of Google's SDK for Pulumi, an extra of this project.
SDK = "pulumi_gcp"

#: The program that gives credentials for a cluster to whoever uses a kubeconfig.
AUTH_PLUGIN = "gke-gcloud-auth-plugin"

_COMMIT = "068b15a980977bdaab46eb73e1ac8fba47e41f60"
_INSTALLER = "nvidia-driver-installer/cos/daemonset-preloaded.yaml"
_DAEMON_SET = "DaemonSet nvidia-driver-installer"

#: A DaemonSet in `kube-system` that installs the driver a node's image has with it, on nodes for which GKE was told not to.
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

#: The major version of the GPU driver that images built for CUDA 13 need at the least.
CUDA_13_DRIVER = 580
#: The driver that the image of a GKE minor version has with it, as seen on an A3 Ultra; A4 is taken to have the same.
SEEN_DRIVERS = {(1, 36): "580.126.20"}

DRA_DRIVER = "nvidia-dra-driver-gpu"
DRA_DRIVER_CHART = f"https://helm.ngc.nvidia.com/nvidia/{DRA_DRIVER}"
DRA_DRIVER_VERSION = "25.8.0"
#: The one image that the chart runs at this version with these values.
DRA_DRIVER_IMAGE = ChartImage(
    f"nvcr.io/nvidia/k8s-dra-driver-gpu:v{DRA_DRIVER_VERSION}",
    {("image", "repository"): "{place}/{base}", ("image", "tag"): "{tag}"},
)
#: Where the installer puts the driver on Container-Optimized OS.
DRIVER_ROOT = "/home/kubernetes/bin/nvidia/"
DRA_DRIVER_VALUES: dict[str, Any] = {
    "nvidiaDriverRoot": DRIVER_ROOT,
    # Without it the chart refuses to hand out GPUs beside a device plugin, of which these nodes have none.
    "gpuResourcesEnabledOverride": True,
    "resources": {"computeDomains": {"enabled": False}},
    "kubeletPlugin": {
        # The default, system-node-critical, is refused outside kube-system where no ResourceQuota allows it.
        "priorityClassName": "",
        "tolerations": [{"operator": "Exists"}],
    },
}
