"""Versions of CKS: a minor version of Kubernetes, as `v1.35`. CoreWeave applies patches itself. Downgrades do not exist."""

import re

#: The page that lists the versions of new clusters. An existing cluster keeps an older version.
SOURCE = "docs.coreweave.com/products/cks/reference/cluster-components"
#: Versions for new clusters, oldest first, in the newest known copy of that page, from after the release of Kubernetes 1.36
#: (April 2026). CoreWeave lists the three latest and changes them about every 120 days.
OFFERED = ((1, 34), (1, 35), (1, 36))
#: The oldest version in any known copy: one from the first half of 2026 has v1.33 to v1.35, and v1.32 as deprecated.
OLDEST_OFFERED = (1, 33)
#: The first version with the autoscaler of node pools.
AUTOSCALING = (1, 32)


def parse(version: str) -> tuple[int, int] | None:
    """Returns the major and minor number; None for a text of another form."""
    found = re.fullmatch(r"v(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def text(version: tuple[int, int]) -> str:
    """Returns a version in CKS's spelling."""
    return f"v{version[0]}.{version[1]}"


def upgrades(old: str, new: str) -> bool:
    """Whether a cluster can go from one version to the other: they are equal, or the other is the next minor version."""
    before, after = parse(old), parse(new)
    return before is None or after is None or after in (before, (before[0], before[1] + 1))
