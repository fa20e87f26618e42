"""The namespace a workload lives in: ours, not upstream's, which leaves it to `kubectl create namespace`."""

from typing import Any


def namespace(name: str, objects: list[dict[str, Any]], owner: str | None = None) -> dict[str, Any]:
    """A Namespace for these objects.

    `owner` (the stack's full name) is how a later run recognises its own namespace. Where a container is privileged
    (Gaudi), the namespace must admit it under Pod Security; elsewhere the cluster's default stands.
    """
    metadata: dict[str, Any] = {"name": name}
    if any(_privileged(obj) for obj in objects):
        metadata["labels"] = {"pod-security.kubernetes.io/enforce": "privileged"}
    if owner is not None:
        metadata["annotations"] = {OWNER: owner}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


#: Annotation that names the stack an object belongs to.
OWNER = "llmd-pd/stack"


def _privileged(obj: dict[str, Any]) -> bool:
    pod = obj.get("spec", {}).get("template", {}).get("spec", {})
    return any(container.get("securityContext", {}).get("privileged") for container in pod.get("containers", ()))
