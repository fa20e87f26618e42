"""Comparison of trees of plain data, leaf by leaf, independent of their content."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


class Absent:
    """A missing value, which is different from null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


@dataclass(frozen=True)
class Difference:
    """A leaf that differs in two trees; ABSENT: a tree does not have it."""

    path: Path
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {shown(self.before)} → {shown(self.after)}"


def leaves(tree: Any, path: Path = ()) -> dict[Path, Any]:
    """Returns all leaves by path. A list of named items counts as a map; any other list is one leaf."""
    below = _children(tree)
    if not below:
        return {path: tree}
    return {place: leaf for key, value in below.items() for place, leaf in leaves(value, (*path, key)).items()}


def differences(before: Any, after: Any) -> list[Difference]:
    """Returns the leaves in which two trees differ, in the order of the first and then of the second."""
    old, new = leaves(before), leaves(after)
    pairs = ((path, old.get(path, ABSENT), new.get(path, ABSENT)) for path in {**old, **new})
    return [
        Difference(path, was, now)
        for path, was, now in pairs
        if not _same(was, now) and not _filled(path, was, new) and not _filled(path, now, old)
    ]


def _filled(path: Path, leaf: Any, other: Mapping[Path, Any]) -> bool:
    """Returns whether an empty map has leaves in the other tree, which are reported instead."""
    return leaf == {} and any(below[: len(path)] == path and len(below) > len(path) for below in other)


def dotted(path: Path) -> str:
    """Returns a path as text; a key with a dot is quoted."""
    return ".".join(f'"{key}"' if "." in key or "/" in key else key for key in path)


def shown(value: Any) -> str:
    """Returns a leaf on one line."""
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
    """Returns the rows of a list by name; none if there is no list."""
    return {row[key]: row for row in rows or ()}


def _children(tree: Any) -> dict[str, Any]:
    if isinstance(tree, Mapping):
        return {str(key): value for key, value in tree.items()}
    if isinstance(tree, list | tuple) and tree and all(isinstance(row, Mapping) and "name" in row for row in tree):
        named = {str(row["name"]): {key: value for key, value in row.items() if key != "name"} for row in tree}
        return named if len(named) == len(tree) else {}
    return {}


def _same(one: Any, other: Any) -> bool:
    """Returns whether two values are equal and of one type: Kubernetes distinguishes `1`, `"1"` and `true`."""
    return type(one) is type(other) and bool(one == other)


def added_and_gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yields keys with different values, and both values; ABSENT: a side does not have the key."""
    for key in {**before, **after}:
        was, now = before.get(key, ABSENT), after.get(key, ABSENT)
        if not _same(was, now):
            yield key, was, now
