"""Compares two configurations of the endpoint picker: plugins, the profiles that use them, and the rest by path."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from hardware.bill import Bill
from releases.values import look_up
from stacks.review.change import Change, Kind, became
from stacks.review.model_servers import became_leaf
from stacks.review.trees import ABSENT, added_and_gone, differences, dotted, without

SUBJECT = "endpoint picker's configuration"


def configuration(bill: Bill, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the EndpointPickerConfig that a stack's values hold as text."""
    files = look_up(values, bill.router.settings["pluginFiles"]) or {}
    found = yaml.safe_load(files.get(bill.router.plugin_file, "")) or {}
    return found if isinstance(found, Mapping) else {}


def plugin_changes(before: Mapping[str, Any], after: Mapping[str, Any], reasons: Mapping[str, str]) -> Iterator[Change]:
    """Yields the changes of the configuration. A plugin that is added or removed comes once, not once per profile."""
    if before.get("apiVersion") != after.get("apiVersion"):
        what = became(str(before.get("apiVersion", "")), str(after.get("apiVersion", "")))
        yield Change(Kind.CHANGES, f"apiVersion of the {SUBJECT}", what, reasons.get("apiVersion", ""))
    old, new = _plugins(before), _plugins(after)
    changed: set[str] = set()
    for name, was, now in added_and_gone(old, new):
        if ABSENT in (was, now):
            changed.add(name)
            what = "added" if was is ABSENT else "dropped"
            yield Change(Kind.CHANGES, f"plugin {name} of the {SUBJECT}", what, reasons.get(name, ""))
            continue
        for difference in differences(was, now):
            what = became_leaf(difference.before, difference.after)
            yield Change(Kind.CHANGES, f"{dotted(difference.path)} of plugin {name}", what, reasons.get(name, ""))
    yield from _profile_changes(_profiles(before), _profiles(after), changed)
    unsaid = [("apiVersion",), ("plugins",), ("schedulingProfiles",)]
    for difference in differences(without(before, *unsaid), without(after, *unsaid)):
        what = became_leaf(difference.before, difference.after)
        yield Change(Kind.CHANGES, f"{dotted(difference.path)} of the {SUBJECT}", what)


def _profile_changes(before: Mapping[str, Any], after: Mapping[str, Any], unless: set[str]) -> Iterator[Change]:
    for profile in {**before, **after}:
        subject = f"scheduling profile {profile}"
        if profile not in before or profile not in after:
            yield Change(Kind.CHANGES, subject, "added" if profile in after else "dropped")
            continue
        was, now = before[profile], after[profile]
        for name, old, new in added_and_gone(was, now):
            if name not in unless:
                weights = (f"weight {row.get('weight', 1)}" if row is not ABSENT else "" for row in (old, new))
                yield Change(Kind.CHANGES, f"plugin {name} of {subject}", became(*weights))
        if [name for name in was if name in now] != [name for name in now if name in was]:
            yield Change(Kind.CHANGES, subject, "its plugins in another order")


def _plugins(config: Mapping[str, Any]) -> dict[str, Any]:
    return {row.get("name", row["type"]): without(row, ("name",)) for row in _rows(config.get("plugins"), "type")}


def _profiles(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    rows = _rows(config.get("schedulingProfiles"), "name")
    return {row["name"]: {each["pluginRef"]: each for each in _rows(row.get("plugins"), "pluginRef")} for row in rows}


def _rows(rows: Any, key: str) -> list[Mapping[str, Any]]:
    """Returns the rows of a list that have a key: in a team's own configuration, the value may be of any type."""
    return [row for row in rows if isinstance(row, Mapping) and key in row] if isinstance(rows, list) else []
