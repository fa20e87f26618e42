"""Versions of CKS: a minor one of Kubernetes, as `v1.35`. CoreWeave brings its patches itself, and takes no cluster back."""

import re

#: The page that lists the versions of new clusters. A cluster that exists keeps an older one.
SOURCE = "docs.coreweave.com/products/cks/reference/cluster-components"
#: Listed there for new clusters in the newest copy known here, of the time after Kubernetes 1.36 (April 2026), oldest first.
#: CoreWeave lists the three latest, and changes them about every 120 days.
OFFERED = ((1, 34), (1, 35), (1, 36))
#: The oldest that any known copy lists: one of the first half of 2026 has v1.33 to v1.35, and v1.32 as deprecated.
OLDEST_OFFERED = (1, 33)
#: The first with the autoscaler of node pools.
AUTOSCALING = (1, 32)


def parse(version: str) -> tuple[int, int] | None:
    """Major and minor; None where it is not written so."""
    found = re.fullmatch(r"v(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def text(version: tuple[int, int]) -> str:
    """A version as CKS is told it."""
    return f"v{version[0]}.{version[1]}"


def upgrades(old: str, new: str) -> bool:
    """Whether a cluster can go from one to the other: it stays, or goes to the next minor version."""
    before, after = parse(old), parse(new)
    return before is None or after is None or after in (before, (before[0], before[1] + 1))
