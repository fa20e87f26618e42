"""Which pods keep a node of CoreWeave's from being idle: users' own, and neither a DaemonSet's nor CoreWeave's.

CoreWeave takes idle nodes away from a pool that becomes smaller. Its HPC verification runs on nodes exactly while they are idle,
hourly and for up to 30 minutes (docs.coreweave.com/platform/fleet-management/hpc-verification).
"""

from collections.abc import Collection
from urllib.parse import quote

from stacks.clouds.coreweave.pools import NAMESPACES
from stacks.kube.api import Api, Object

_SELECTOR = quote("=".join(NAMESPACES))


def namespaces_of_coreweave(api: Api) -> frozenset[str]:
    """The namespaces whose pods are CoreWeave's; none where we may not look."""
    found = api.items(f"/api/v1/namespaces?labelSelector={_SELECTOR}")
    return frozenset(namespace["metadata"]["name"] for namespace in found)


def keeps_its_node(pod: Object, coreweaves: Collection[str]) -> bool:
    """Whether a pod keeps its node, where the namespaces `coreweaves` are CoreWeave's."""
    metadata = pod["metadata"]
    return (
        metadata.get("namespace") not in coreweaves
        and not any(owner["kind"] == "DaemonSet" for owner in metadata.get("ownerReferences") or ())
        and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    )
