"""Whose a live object is, by the mark that every stack puts on what it makes and others could take for theirs."""

from hardware.render.namespace import OWNER
from stacks.kube.api import Object


def holder(obj: Object) -> str | None:
    """The stack an object is marked as belonging to."""
    found: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return found


def whose(obj: Object) -> str:
    """The same in words."""
    found = holder(obj)
    return f"stack {found}" if found else "somebody else"
