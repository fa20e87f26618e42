"""What a simulated node says of itself."""

from stacks.kube.api import Object


def ready(node: Object) -> bool:
    """Whether a pod would be scheduled to it."""
    # The taint goes with the node controller's first look; a pod would not be scheduled before.
    taints = {taint["key"] for taint in node.get("spec", {}).get("taints") or []}
    conditions = {row["type"]: row["status"] for row in node.get("status", {}).get("conditions") or []}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints
