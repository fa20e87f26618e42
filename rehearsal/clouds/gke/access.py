"""The way of a rehearsal to its GKE cluster, the answers of Google's APIs, and stand-ins for the cluster's files and charts.

On GKE the program uses a DNS endpoint with a publicly trusted certificate, and the credential that `gke-gcloud-auth-plugin`
prints. In a rehearsal the endpoint is the fleet's, its certificate authority is added to the trusted ones, and a small program of
the plugin's name prints the fleet's own credential.
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

import yaml

from rehearsal.clouds import FAULT
from rehearsal.clouds.access import places
from rehearsal.clouds.gke.versions import server_config
from rehearsal.control_plane.files import write_whole
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.parts import Part
from rehearsal.parts.standins import charts
from releases.gke import AUTH_PLUGIN, DRA_DRIVER
from stacks.clouds.gke.leftovers.google import ANSWERS
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.readiness import NEEDED

ANSWERS_FILE = "google.json"
INSTALLER = Path(charts.__file__).parent / "gke" / "nvidia-driver-installer.yaml"


def environment(plane: ControlPlane, fault: str | None) -> dict[str, str]:
    """Returns the variables for the pretend cloud and the way to its cluster; writes the files that they name."""
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


def answers(plan: GkePlan, workdir: Path) -> dict[str, str]:
    """Returns the variable that gives the program the answers of Google's APIs; writes the file that it names."""
    gke = plan.settings.gke
    services = [{"name": f"projects/1/services/{api}.googleapis.com", "state": "ENABLED"} for api in NEEDED]
    kept = {
        "serviceusage/services:batchGet": {"services": services},
        "container/serverConfig": server_config(gke.release_channel, gke.version),
    }
    write_whole(workdir / ANSWERS_FILE, json.dumps(kept, indent=1))
    return {ANSWERS: str(workdir / ANSWERS_FILE)}


def substitutes(plan: GkePlan, workdir: Path, helm: Path) -> tuple[Mapping[str, Any], list[Part]]:
    """Returns the keys of the stack file for stand-ins of a cluster's installer and chart, and their parts."""
    if not plan.charts:
        return {}, []
    package = charts.package(DRA_DRIVER, workdir / "charts", helm)
    driver = {"installer": str(INSTALLER), "chart": {"source": str(package), "version": None}}
    parts = [
        Part("NVIDIA's driver installer", False, "a DaemonSet of the same name that installs nothing"),
        Part(
            f"chart {DRA_DRIVER}",
            False,
            "its DeviceClass, and a DaemonSet without devices: the fleet's slices have them",
        ),
    ]
    return {"cluster": {"gke": {"gpuDriver": driver}}}, parts


def _plugin(user: Mapping[str, str]) -> str:
    """Returns a program that prints, as `gke-gcloud-auth-plugin` does, the credential of the fleet's administrator."""
    decoded = {key: base64.b64decode(user[f"client-{key}-data"]).decode() for key in ("certificate", "key")}
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"clientCertificateData": decoded["certificate"], "clientKeyData": decoded["key"]},
    }
    program = f"print({json.dumps(credential)!r})"
    start = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    return f"#!/bin/sh\n# stand-in of llmd-pd for Google's program of this name\n{start}\n"
