"""Field managers: the owners of an object's fields, and their effect on an update.

Pure functions on `metadata.managedFields` (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

# Managers whose plain updates the official provider takes over before it applies: its own, and kubectl's, but not of
# subresources. `kubectl scale` changes one, so it stays a conflict.
_TAKEN_OVER = (("kubectl", "Apply"), ("kubectl", "Update"), ("before-first-apply", "Update"), ("pulumi-", "Update"))

Entry = dict[str, Any]


def created_plainly(live: Mapping[str, Any]) -> bool:
    """Whether the object was created by this provider and not updated since."""
    entries = live["metadata"].get("managedFields") or []
    return any(item["manager"] == "pulumi-kubernetes" and item["operation"] == "Update" for item in entries)


def adopted(entries: Sequence[Entry], manager: str) -> list[Entry] | None:
    """Returns the entries with the fields that are taken over under `manager`; None if nothing changes."""
    taken = [item for item in entries if _taken_over(item, manager)]
    if not taken:
        return None
    ours = next((item for item in entries if item["manager"] == manager and item["operation"] == "Apply"), None)
    merged = copy.deepcopy(ours or taken[0]) | {"manager": manager, "operation": "Apply"}
    for item in taken:
        _merge(merged["fieldsV1"], item["fieldsV1"])
    return [merged, *(item for item in entries if item is not ours and item not in taken)]


def respect(wanted: dict[str, Any], live: Mapping[str, Any], path: str, manager: str) -> None:
    """Leaves an ignored field as it is: out of `wanted` if another manager owns it, else with its live value."""
    steps = path.split(".")
    entries = live["metadata"].get("managedFields") or []
    ours = any(_owns(item, steps) for item in entries if item["manager"] == manager)
    theirs = any(_owns(item, steps) for item in entries if item["manager"] != manager)
    parent, found = _parent(wanted, steps), _parent(live, steps)
    if parent is None:
        return
    if theirs and not ours:
        parent.pop(steps[-1], None)
    elif found is not None and steps[-1] in found:
        parent[steps[-1]] = copy.deepcopy(found[steps[-1]])


def _taken_over(entry: Entry, manager: str) -> bool:
    if entry.get("subresource") or entry["manager"] == manager:
        return False
    return any(entry["manager"].startswith(name) and entry["operation"] == operation for name, operation in _TAKEN_OVER)


def _owns(entry: Entry, steps: Sequence[str]) -> bool:
    fields: Any = entry.get("fieldsV1") or {}
    for step in steps:
        if f"f:{step}" not in fields:
            return False
        fields = fields[f"f:{step}"]
    return True


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if key in into:
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def _parent(value: Any, steps: Sequence[str]) -> dict[str, Any] | None:
    for step in steps[:-1]:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None
