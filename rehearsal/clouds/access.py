"""The pretend cloud of a rehearsal: where it is kept; on GKE, how its cluster is reached, and what its files and charts are.

On CoreWeave the program reaches its cluster by a context, which is the fleet's in any rehearsal. On GKE it does so as it would
Google's: by a DNS endpoint whose certificate everybody trusts, as whom `gke-gcloud-auth-plugin` says. Here the endpoint is the
fleet's, its authority is added to those that are trusted, and a small program under the plugin's name gives the fleet's own
credential.
"""

import base64
import json
import os
import shlex
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from rehearsal.clouds import CLOUD, ENDPOINT, FAULT, FLEET
from rehearsal.clouds.gke.versions import server_config
from rehearsal.control_plane.files import write_whole
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.parts import Part
from rehearsal.parts.standins import charts
from releases.gke import AUTH_PLUGIN, DRA_DRIVER
from stacks.clouds.gke.leftovers.google import ANSWERS
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.readiness import NEEDED

FILE, ANSWERS_FILE = "cloud.json", "google.json"
INSTALLER = Path(charts.__file__).parent / "gke" / "nvidia-driver-installer.yaml"


def environment(plane: ControlPlane, fault: str | None) -> dict[str, str]:
    """Variables by which the pretend cloud and the way to its cluster are this rehearsal's. Writes the files they name."""
    kubeconfig = yaml.safe_load(plane.kubeconfig.read_text())
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    trusted = plane.workdir / "trusted.pem"
    system = Path(ssl.get_default_verify_paths().cafile or os.devnull)
    own = base64.b64decode(cluster["certificate-authority-data"]).decode()
    write_whole(trusted, f"{system.read_text() if system.exists() else ''}\n{own}")
    write_whole(plane.workdir / "bin" / AUTH_PLUGIN, _plugin(user), mode=0o755)
    return {
        **places(plane),
        "SSL_CERT_FILE": str(trusted),
        **({FAULT: fault} if fault else {}),
    }


def places(plane: ControlPlane) -> dict[str, str]:
    """Variables by which a pretend cloud is this rehearsal's, and its cluster the fleet."""
    server = yaml.safe_load(plane.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return {CLOUD: str(plane.workdir / FILE), FLEET: str(plane.kubeconfig), ENDPOINT: urlsplit(server).netloc}


def answers(plan: GkePlan, workdir: Path) -> dict[str, str]:
    """The variable by which the program has the pretend cloud's answers and asks nobody. Writes the file that it names."""
    gke = plan.site.gke
    services = [{"name": f"projects/1/services/{api}.googleapis.com", "state": "ENABLED"} for api in NEEDED]
    kept = {
        "serviceusage/services:batchGet": {"services": services},
        "container/serverConfig": server_config(gke.release_channel, gke.version),
    }
    write_whole(workdir / ANSWERS_FILE, json.dumps(kept, indent=1))
    return {ANSWERS: str(workdir / ANSWERS_FILE)}


def forget(workdir: Path) -> None:
    """A cloud without its fleet would have pools without nodes."""
    for path in workdir.glob(f"{FILE}*"):
        path.unlink()


def substitutes(plan: GkePlan, workdir: Path, helm: Path) -> tuple[Mapping[str, Any], list[Part]]:
    """The keys of the stack file that lead to stand-ins for what a cluster is given, and which those are."""
    if not plan.charts:
        return {}, []
    package = charts.package(DRA_DRIVER, workdir / "charts", helm)
    driver = {"installer": str(INSTALLER), "chart": {"source": str(package), "version": None}}
    parts = [
        Part("NVIDIA's driver installer", False, "a DaemonSet of its name that installs nothing"),
        Part(
            f"chart {DRA_DRIVER}",
            False,
            "its DeviceClass, and a DaemonSet that hands out nothing: the fleet's slices do",
        ),
    ]
    return {"cluster": {"gke": {"gpuDriver": driver}}}, parts


def _plugin(user: Mapping[str, str]) -> str:
    """A program that says what `gke-gcloud-auth-plugin` does, of the fleet's administrator."""
    decoded = {key: base64.b64decode(user[f"client-{key}-data"]).decode() for key in ("certificate", "key")}
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"clientCertificateData": decoded["certificate"], "clientKeyData": decoded["key"]},
    }
    program = f"print({json.dumps(credential)!r})"
    start = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    return f"#!/bin/sh\n# stand-in of llmd-pd for Google's program of this name\n{start}\n"
