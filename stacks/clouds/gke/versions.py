"""Versions of GKE: comparison, and the CRDs that a cluster of a version brings."""

import re

#: The first version in which GKE keeps InferencePool's CRD (docs of GKE's inference gateway).
BRINGS_POOLS = "1.34.0-gke.1626000"


def parse(version: str) -> tuple[int, ...] | None:
    """Returns the four numbers of a whole version such as `1.35.2-gke.1234000`; None for another text."""
    parts = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)-gke\.(\d+)", version)
    return tuple(map(int, parts.groups())) if parts else None


def offers_command(region: str, project: str | None = None) -> str:
    """Returns the command that lists the versions that GKE offers, by release channel."""
    where = f"--region {region}" + (f" --project {project}" if project else "")
    return f"gcloud container get-server-config {where} --format='yaml(channels)'"


def at_least(version: str, floor: str) -> bool:
    """Whether a version is `floor` or newer; False for an invalid version."""
    return (parse(version) or ()) >= (parse(floor) or ())


def brought_crds(version: str) -> frozenset[str]:
    """Returns the CRDs of the stack that a cluster of this version keeps itself."""
    return frozenset({"inferencepools.inference.networking.k8s.io"} if at_least(version, BRINGS_POOLS) else ())
