"""The versions of GKE that the pretend cloud offers: a few, as examples."""

from collections.abc import Mapping
from typing import Any

#: Default version by release channel.
CHANNELS = {
    "RAPID": "1.36.1-gke.1215000",
    "REGULAR": "1.35.2-gke.1842000",
    "STABLE": "1.34.4-gke.1512000",
    "EXTENDED": "1.34.4-gke.1512000",
}
#: Offered versions by release channel, the newest first.
OFFERED: Mapping[str, tuple[str, ...]] = {
    "RAPID": ("1.36.1-gke.1215000",),
    "REGULAR": ("1.36.1-gke.1215000", "1.35.2-gke.1842000", "1.35.2-gke.1234000"),
    "STABLE": ("1.34.4-gke.1512000", "1.34.3-gke.1318000"),
    "EXTENDED": ("1.34.4-gke.1512000", "1.34.3-gke.1318000"),
}
VALID = tuple(dict.fromkeys(version for versions in OFFERED.values() for version in versions))


def server_config(channel: str, stated: str) -> dict[str, Any]:
    """Returns the answer of GKE's REST method `getServerConfig`: the versions of the table, and the one that a stack file states
    for its channel, because the versions that GKE really offers are not known here."""
    offered = {
        name: dict.fromkeys((*versions, *([stated] if name == channel else []))) for name, versions in OFFERED.items()
    }
    rows = [
        {"channel": name, "defaultVersion": CHANNELS[name], "validVersions": [*versions]}
        for name, versions in offered.items()
    ]
    return {"defaultClusterVersion": CHANNELS["REGULAR"], "validMasterVersions": [*VALID], "channels": rows}
