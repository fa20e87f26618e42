"""The versions of GKE that the pretend cloud offers: few, and none that is true for long."""

from typing import Any

#: By release channel, the newest.
CHANNELS = {
    "RAPID": "1.36.1-gke.1215000",
    "REGULAR": "1.35.2-gke.1842000",
    "STABLE": "1.34.4-gke.1512000",
    "EXTENDED": "1.34.4-gke.1512000",
}
VALID = ("1.36.1-gke.1215000", "1.35.2-gke.1842000", "1.35.2-gke.1234000", "1.34.4-gke.1512000", "1.34.3-gke.1318000")


def engine_versions(args: dict[str, Any], project: str) -> dict[str, Any]:
    """The answer of the function `getEngineVersions`."""
    prefix = str(args.get("versionPrefix") or "")
    valid = [version for version in VALID if version.startswith(prefix)]
    newest = valid[0] if valid else ""
    return {
        "id": f"{args.get('location')}",
        "location": args.get("location"),
        "project": args.get("project") or project,
        "versionPrefix": args.get("versionPrefix"),
        "validMasterVersions": valid,
        "validNodeVersions": valid,
        "latestMasterVersion": newest,
        "latestNodeVersion": newest,
        "defaultClusterVersion": CHANNELS["REGULAR"],
        "releaseChannelDefaultVersion": dict(CHANNELS),
        "releaseChannelLatestVersion": dict(CHANNELS),
        "releaseChannelUpgradeTargetVersion": dict(CHANNELS),
    }
