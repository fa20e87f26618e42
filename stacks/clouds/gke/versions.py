"""Versions of GKE: which is the newer, and what a cluster of one brings by itself."""

import re

#: GKE keeps InferencePool's CRD from here on (docs of GKE's inference gateway).
BRINGS_POOLS = "1.34.0-gke.1626000"


def parse(version: str) -> tuple[int, ...] | None:
    """The four numbers of a whole version such as `1.35.2-gke.1234000`, None of what is none."""
    parts = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)-gke\.(\d+)", version)
    return tuple(map(int, parts.groups())) if parts else None


def offers_command(region: str, project: str | None = None) -> str:
    """The command that shows which versions GKE offers, by release channel."""
    where = f"--region {region}" + (f" --project {project}" if project else "")
    return f"gcloud container get-server-config {where} --format='yaml(channels)'"


def at_least(version: str, floor: str) -> bool:
    """Whether a version is that or newer. Of what is no version nobody knows: it is not."""
    return (parse(version) or ()) >= (parse(floor) or ())


def brought_crds(version: str) -> frozenset[str]:
    """The CRDs of ours that a cluster of this version keeps itself."""
    return frozenset({"inferencepools.inference.networking.k8s.io"} if at_least(version, BRINGS_POOLS) else ())
