"""The Namespace of a workload. Not upstream's: the guide leaves it to `kubectl create namespace`."""

from typing import Any


def namespace(name: str, objects: list[dict[str, Any]], owner: str | None = None) -> dict[str, Any]:
    """Returns a Namespace for these objects.

    `owner` is the stack's full name, by which a later run recognises its own namespace. If a container is privileged (Gaudi),
    the namespace admits it under Pod Security; else the cluster's default applies.
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
