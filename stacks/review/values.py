"""Compares two releases' values of the router's chart by meaning, not by path.

The settings of a bill name the path of each setting in its charts. A value that is no setting is matched by its value and the end
of its path, because charts move values to other parents. Without a match, one value was removed and another added.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.bill import Bill, Path
from releases.values import merge
from stacks.review.trees import dotted, leaves, shown

Tree = Mapping[str, Any]


@dataclass(frozen=True)
class Moved:
    """A value that both releases have, with its path in each."""

    old: Path
    new: Path
    before: Any
    after: Any

    @property
    def same(self) -> bool:
        """Whether the value is unchanged; its path may differ."""
        return bool(self.before == self.after)

    def __str__(self) -> str:
        place = dotted(self.new) + (f" (was {dotted(self.old)})" if self.old != self.new else "")
        return place if self.same else f"{place}: {shown(self.before)} → {shown(self.after)}"


@dataclass(frozen=True)
class Comparison:
    """Values that both releases have, that only the first has, and that only the second has."""

    moved: tuple[Moved, ...]
    gone: Mapping[Path, Any]
    come: Mapping[Path, Any]


def compare(before: tuple[Bill, Tree], after: tuple[Bill, Tree]) -> Comparison:
    """Compares the values of one stack under two bills, without its plugins, which are compared elsewhere."""
    old, new = _settings(*before), _settings(*after)
    moved = [Moved(old[key][0], new[key][0], old[key][1], new[key][1]) for key in old if key in new]
    gone = {path: value for key, (path, value) in old.items() if key not in new}
    come = {path: value for key, (path, value) in new.items() if key not in old}
    found = list(_found_again(gone, come))
    moved += found
    return Comparison(
        tuple(moved),
        {path: value for path, value in gone.items() if path not in {pair.old for pair in found}},
        {path: value for path, value in come.items() if path not in {pair.new for pair in found}},
    )


def places(moved: Iterable[Moved]) -> list[str]:
    """Returns the old and new paths of equal values, grouped if they moved together."""
    found: dict[tuple[Path, Path], dict[str, None]] = {}
    for pair in moved:
        if pair.same and pair.old != pair.new:
            shared = _shared_end(pair.old, pair.new)
            stems = pair.old[: len(pair.old) - shared], pair.new[: len(pair.new) - shared]
            found.setdefault(stems, {})[pair.new[len(pair.new) - shared] if shared else ""] = None
    return [f"{_under(new, keys)} (was {_under(old, keys)})" for (old, new), keys in found.items()]


def _shared_end(one: Path, other: Path) -> int:
    return next(
        (number for number, (a, b) in enumerate(zip(reversed(one), reversed(other), strict=False)) if a != b), 1
    )


def _under(stem: Path, keys: Iterable[str]) -> str:
    names = [key for key in keys if key]
    return dotted(stem) + (f".{{{', '.join(names)}}}" if len(names) > 1 else f".{names[0]}" if names else "")


def counterpart(path: Path, before: Bill, after: Bill) -> str:
    """Returns the path in the second bill's chart for a path in the first's; empty if unknown."""
    for name, place in before.router.settings.items():
        if path[: len(place)] == place and name in after.router.settings:
            return dotted((*after.router.settings[name], *path[len(place) :]))
    known = compare(*((bill, merge(*bill.router.values, *bill.router.features.values())) for bill in (before, after)))
    return next((dotted(moved.new) for moved in known.moved if moved.old == path), "")


def _settings(bill: Bill, tree: Tree) -> dict[Path, tuple[Path, Any]]:
    """Returns every leaf with its path, by the name of its setting if it belongs to one, else by its path."""
    plugins = bill.router.settings["pluginFiles"]
    said = {path: value for path, value in leaves(tree).items() if path[: len(plugins)] != plugins and value != {}}
    return {_meaning(bill, path): (path, value) for path, value in said.items()}


def _meaning(bill: Bill, path: Path) -> Path:
    for name, place in bill.router.settings.items():
        if path[: len(place)] == place:
            return (f"setting {name}", *path[len(place) :])
    return path


def _found_again(gone: Mapping[Path, Any], come: Mapping[Path, Any]) -> Iterator[Moved]:
    taken: set[Path] = set()
    for old, value in gone.items():
        for new, other in come.items():
            if new not in taken and value == other and _alike(old[-1], new[-1]):
                taken.add(new)
                yield Moved(old, new, value, other)
                break


def _alike(one: str, other: str) -> bool:
    """Whether two names mean the same, as `modelServerProtocol` and `protocol` do."""
    one, other = one.lower(), other.lower()
    return one.endswith(other) or other.endswith(one)
