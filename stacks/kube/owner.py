"""The owner of a live object, by the annotation with which stacks mark their objects."""

from hardware.render.namespace import OWNER
from stacks.kube.api import Object


def holder(obj: Object) -> str | None:
    """Returns the stack in an object's mark, or None."""
    found: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return found


def owner_text(obj: Object) -> str:
    """Returns `stack a/b/c`, or `another owner`."""
    found = holder(obj)
    return f"stack {found}" if found else "another owner"
