"""The owner of a live object, by the annotation that a stack puts on objects that others could take for theirs."""

from hardware.render.namespace import OWNER
from stacks.kube.api import Object


def owner_of(obj: Object) -> str | None:
    """Returns the full name of the stack in an object's mark, None without a mark."""
    found: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return found


def owner_text(obj: Object) -> str:
    """Returns `stack a/b/c`, or `another owner` if the object has no mark."""
    found = owner_of(obj)
    return f"stack {found}" if found else "another owner"
