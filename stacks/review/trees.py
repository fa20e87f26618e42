"""Compares trees of plain data leaf by leaf, whatever they mean."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


class Absent:
    """The type of a missing value, which is not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


@dataclass(frozen=True)
class Difference:
    """A leaf that differs between two trees; ABSENT if a tree does not have it."""

    path: Path
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {shown(self.before)} → {shown(self.after)}"


def leaves(tree: Any, path: Path = ()) -> dict[Path, Any]:
    """Returns every leaf by its path. A list of rows with names is a map by name; any other list is one leaf."""
    below = _children(tree)
    if not below:
        return {path: tree}
    return {place: leaf for key, value in below.items() for place, leaf in leaves(value, (*path, key)).items()}


def differences(before: Any, after: Any) -> list[Difference]:
    """Returns the leaves in which two trees differ, in the order of the first tree, then of the second."""
    old, new = leaves(before), leaves(after)
    pairs = ((path, old.get(path, ABSENT), new.get(path, ABSENT)) for path in {**old, **new})
    return [
        Difference(path, was, now)
        for path, was, now in pairs
        if not _same(was, now) and not _filled(path, was, new) and not _filled(path, now, old)
    ]


def _filled(path: Path, leaf: Any, other: Mapping[Path, Any]) -> bool:
    """Whether an empty map is not empty in the other tree, whose leaves are then the differences."""
    return leaf == {} and any(below[: len(path)] == path and len(below) > len(path) for below in other)


def dotted(path: Path) -> str:
    """Returns a path as text with dots; a key that contains a dot or a slash is quoted."""
    return ".".join(f'"{key}"' if "." in key or "/" in key else key for key in path)


def shown(value: Any) -> str:
    """Returns a leaf as text on one line."""
    if value is ABSENT:
        return "nothing"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(text.split())


def without(tree: Mapping[str, Any], *paths: Path) -> dict[str, Any]:
    """Returns a copy of a tree without the values at these paths."""
    copy = dict(tree)
    for first, *rest in paths:
        if rest and isinstance(copy.get(first), Mapping):
            copy[first] = without(copy[first], tuple(rest))
        elif not rest:
            copy.pop(first, None)
    return copy


def by_name(rows: Any, key: str = "name") -> dict[str, Any]:
    """Returns the rows of a list by their names; empty if the value is no such list."""
    return {row[key]: row for row in rows or ()}


def _children(tree: Any) -> dict[str, Any]:
    if isinstance(tree, Mapping):
        return {str(key): value for key, value in tree.items()}
    if isinstance(tree, list | tuple) and tree and all(isinstance(row, Mapping) and "name" in row for row in tree):
        named = {str(row["name"]): {key: value for key, value in row.items() if key != "name"} for row in tree}
        return named if len(named) == len(tree) else {}
    return {}


def _same(one: Any, other: Any) -> bool:
    """Whether values are equal and of one type: `1`, `"1"` and `true` are different to Kubernetes."""
    return type(one) is type(other) and bool(one == other)


def added_and_gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yields keys whose values differ, with both values; ABSENT if a side does not have the key."""
    for key in {**before, **after}:
        was, now = before.get(key, ABSENT), after.get(key, ABSENT)
        if not _same(was, now):
            yield key, was, now
