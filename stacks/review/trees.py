"""Trees of plain data compared leaf by leaf. Knows nothing of what is in them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


class Absent:
    """Nothing at all, which is not the same as null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = Absent()


@dataclass(frozen=True)
class Difference:
    """A leaf that is not the same in two trees; ABSENT where a tree does not have it."""

    path: Path
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {shown(self.before)} → {shown(self.after)}"


def leaves(tree: Any, path: Path = ()) -> dict[Path, Any]:
    """Every leaf by its path. A list of things with names of their own is a map of them; any other list is one leaf."""
    below = _children(tree)
    if not below:
        return {path: tree}
    return {place: leaf for key, value in below.items() for place, leaf in leaves(value, (*path, key)).items()}


def differences(before: Any, after: Any) -> list[Difference]:
    """The leaves in which two trees differ, in the order of the first and then of the second."""
    old, new = leaves(before), leaves(after)
    pairs = ((path, old.get(path, ABSENT), new.get(path, ABSENT)) for path in {**old, **new})
    return [
        Difference(path, was, now)
        for path, was, now in pairs
        if not _same(was, now) and not _filled(path, was, new) and not _filled(path, now, old)
    ]


def _filled(path: Path, leaf: Any, other: Mapping[Path, Any]) -> bool:
    """Whether an empty map has something in it in the other tree, which is then said."""
    return leaf == {} and any(below[: len(path)] == path and len(below) > len(path) for below in other)


def dotted(path: Path) -> str:
    """A path as people write it; a key with a dot in it is quoted."""
    return ".".join(f'"{key}"' if "." in key or "/" in key else key for key in path)


def shown(value: Any) -> str:
    """A leaf on one line."""
    if value is ABSENT:
        return "nothing"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(text.split())


def without(tree: Mapping[str, Any], *paths: Path) -> dict[str, Any]:
    """A copy of a tree without what stands at these paths."""
    copy = dict(tree)
    for first, *rest in paths:
        if rest and isinstance(copy.get(first), Mapping):
            copy[first] = without(copy[first], tuple(rest))
        elif not rest:
            copy.pop(first, None)
    return copy


def by_name(rows: Any, key: str = "name") -> dict[str, Any]:
    """Rows of a list by their names; none where there is no such list."""
    return {row[key]: row for row in rows or ()}


def _children(tree: Any) -> dict[str, Any]:
    if isinstance(tree, Mapping):
        return {str(key): value for key, value in tree.items()}
    if isinstance(tree, list | tuple) and tree and all(isinstance(row, Mapping) and "name" in row for row in tree):
        named = {str(row["name"]): {key: value for key, value in row.items() if key != "name"} for row in tree}
        return named if len(named) == len(tree) else {}
    return {}


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: `1`, `"1"` and `true` are three things to Kubernetes."""
    return type(one) is type(other) and bool(one == other)


def added_and_gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Keys whose values differ, with both values; ABSENT where a side does not have the key."""
    for key in {**before, **after}:
        was, now = before.get(key, ABSENT), after.get(key, ABSENT)
        if not _same(was, now):
            yield key, was, now
