"""What kwokctl is told, and what it leaves behind: its configuration file, its directory, its kubeconfig.

Owns the choices that make a control plane fit for a rehearsal. Running it is `control_plane`'s.
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

# One controller manager and one scheduler have nobody to lose an election to, but with the default numbers (15 s, 10 s,
# retry 2 s) they end for good when the machine is starved or a virtual machine is paused for that long, and every start
# waits up to 2 s. Not switched off: without election the controller manager gives up on an API server that takes more
# than 10 s to start.
_ELECTION = {
    "leader-elect-lease-duration": "24h",
    "leader-elect-renew-deadline": "23h",
    "leader-elect-retry-period": "1s",
}
EXTRA_ARGS: Mapping[str, Mapping[str, str]] = {
    "etcd": {"unsafe-no-fsync": "true"},  # a rehearsal's data need not survive a power cut
    "kube-apiserver": {
        # As on GKE: pods that ask for a device are given the toleration for its taint.
        "enable-admission-plugins": "ExtendedResourceToleration",
        # Only written into the `kubernetes` Endpoints, which nothing here uses; unset, a machine without a default route
        # has no API server. Loopback is refused there, hence an address of the documentation range (RFC 5737).
        "advertise-address": "192.0.2.1",
    },
    "kube-controller-manager": _ELECTION,
    "kube-scheduler": _ELECTION,
}


def home(workdir: Path) -> Path:
    """What kwokctl and the components take for the user's home."""
    return workdir / "kwok"


def cluster_dir(workdir: Path) -> Path:
    return home(workdir) / ".kwok" / "clusters" / CLUSTER


def log_file(workdir: Path, component: str) -> Path:
    return cluster_dir(workdir) / "logs" / f"{component}.log"


def pid_file(workdir: Path, component: str) -> Path:
    return cluster_dir(workdir) / "pids" / f"{component}.pid"


def configuration(ports: Mapping[str, int], bin_dir: Path) -> dict[str, Any]:
    """The configuration file; `ports` is keyed by kwokctl's option names, `PORT_OPTIONS`.

    Every binary is named: for one that is not, kwokctl goes to the network.
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
    """The environment kwokctl and through it every component runs in.

    HOME and not KWOK_WORKDIR says where: kwokctl cuts that variable at the first blank. KWOK_* would override the
    configuration; etcd refuses to start over an ETCD_* that repeats one of its flags.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("KWOK_", "ETCD_", "KUBECONFIG"))}
    return {
        **inherited,
        "HOME": str(home(workdir)),
        "PATH": os.pathsep.join([str(bin_dir), os.environ.get("PATH", os.defpath)]),
    }


def kubeconfig(workdir: Path, apiserver_port: int) -> str:
    """A kubeconfig with the credentials inside it, so that it can be copied; kwokctl's own names files beside it."""
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
