"""Versions of CKS: a minor one of Kubernetes, as `v1.35`. CoreWeave brings its patches itself, and takes no cluster back."""

import re

#: The first with the autoscaler of node pools.
AUTOSCALING = (1, 32)


def parse(version: str) -> tuple[int, int] | None:
    """Major and minor; None where it is not written so."""
    found = re.fullmatch(r"v(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def upgrades(old: str, new: str) -> bool:
    """Whether a cluster can go from one to the other: it stays, or goes to the next minor version."""
    before, after = parse(old), parse(new)
    return before is None or after is None or after in (before, (before[0], before[1] + 1))
