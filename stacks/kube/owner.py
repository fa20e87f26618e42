"""The owner of a live object, by the annotation with which stacks mark their objects."""

from hardware.render.namespace import OWNER
from stacks.kube.api import Object


def owner_of(obj: Object) -> str | None:
    """The stack an object is marked as belonging to."""
    found: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return found


def owner_text(obj: Object) -> str:
    """The same in words."""
    found = owner_of(obj)
    return f"stack {found}" if found else "somebody else"
