"""kwokctl's configuration file, environment, directory and kubeconfig for a rehearsal.

Owns the settings that make a control plane fit for a rehearsal. `plane` runs kwokctl.
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rehearsal.control_plane.ports import LOOPBACK
from rehearsal.parts.toolchain import VERSIONS
from releases.files import cache_dir

CLUSTER = "rehearsal"
CONTEXT = "llmd-pd-rehearsal"

# component -> (the tool it is, kwokctl's option for its port)
COMPONENTS: Mapping[str, tuple[str, str]] = {
    "etcd": ("etcd", "etcdPort"),
    "kube-apiserver": ("kube-apiserver", "kubeApiserverPort"),
    "kube-controller-manager": ("kube-controller-manager", "kubeControllerManagerPort"),
    "kube-scheduler": ("kube-scheduler", "kubeSchedulerPort"),
    "kwok-controller": ("kwok", "kwokControllerPort"),
}
PORT_OPTIONS: tuple[str, ...] = ("etcdPeerPort", *(option for _, option in COMPONENTS.values()))

# A rehearsal has one controller manager and one scheduler, which cannot lose an election to another. But with the default numbers
# (15 s, 10 s, retry 2 s) they exit if the machine is starved or a virtual machine is paused for that long, and every start
# waits up to 2 s. Not switched off: without election the controller manager gives up on an API server that takes more than 10 s
# to start.
_ELECTION = {
    "leader-elect-lease-duration": "24h",
    "leader-elect-renew-deadline": "23h",
    "leader-elect-retry-period": "1s",
}
EXTRA_ARGS: Mapping[str, Mapping[str, str]] = {
    "etcd": {"unsafe-no-fsync": "true"},  # a rehearsal's data need not survive a power cut
    "kube-apiserver": {
        # As on GKE: admission adds the toleration of a device's taint to pods that ask for the device.
        "enable-admission-plugins": "ExtendedResourceToleration",
        # Only written into the `kubernetes` Endpoints, which nothing here uses. If it is not set, the API server does not start
        # on a machine without a default route. Loopback is refused, hence an address of the documentation range (RFC 5737).
        "advertise-address": "192.0.2.1",
    },
    "kube-controller-manager": _ELECTION,
    "kube-scheduler": _ELECTION,
}


def home(workdir: Path) -> Path:
    """Returns the directory that kwokctl and the components take for the user's home."""
    return workdir / "kwok"


def cluster_dir(workdir: Path) -> Path:
    return home(workdir) / ".kwok" / "clusters" / CLUSTER


def log_file(workdir: Path, component: str) -> Path:
    return cluster_dir(workdir) / "logs" / f"{component}.log"


def pid_file(workdir: Path, component: str) -> Path:
    return cluster_dir(workdir) / "pids" / f"{component}.pid"


def configuration(ports: Mapping[str, int], bin_dir: Path) -> dict[str, Any]:
    """Returns the configuration file; `ports` is keyed by kwokctl's option names, `PORT_OPTIONS`.

    Every binary is named: kwokctl downloads one that is not.
    """
    binaries = {f"{option.removesuffix('Port')}Binary": str(bin_dir / tool) for tool, option in COMPONENTS.values()}
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": LOOPBACK,
            "kubeVersion": f"v{VERSIONS['kubernetes']}",
            "cacheDir": str(cache_dir() / "kwok"),
            "quietPull": True,
            **ports,
            **binaries,
            "kubectlBinary": str(bin_dir / "kubectl"),
        },
        "componentsPatches": [
            {"name": component, "extraArgs": [{"key": key, "value": value} for key, value in args.items()]}
            for component, args in EXTRA_ARGS.items()
        ],
    }


def environment(workdir: Path, bin_dir: Path) -> dict[str, str]:
    """Returns the environment of kwokctl and of every component that it starts.

    The directory is set by HOME and not by KWOK_WORKDIR, which kwokctl cuts at the first blank. KWOK_* would override the
    configuration, and etcd does not start if an ETCD_* repeats one of its flags.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("KWOK_", "ETCD_", "KUBECONFIG"))}
    return {
        **inherited,
        "HOME": str(home(workdir)),
        "PATH": os.pathsep.join([str(bin_dir), os.environ.get("PATH", os.defpath)]),
    }


def kubeconfig(workdir: Path, apiserver_port: int) -> str:
    """Returns a kubeconfig that contains its credentials, so that it can be copied; kwokctl's own refers to files beside it."""
    pki = cluster_dir(workdir) / "pki"

    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": f"https://{LOOPBACK}:{apiserver_port}", "certificate-authority-data": encoded("ca.crt")}
    user = {"client-certificate-data": encoded("admin.crt"), "client-key-data": encoded("admin.key")}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": user}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        }
    )
