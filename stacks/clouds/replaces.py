"""Which changed arguments replace a resource of a cloud, and which recreate its nodes one by one: how tables of them are read.

The rows are each cloud's own (`stacks.clouds.gke.replaces`, `stacks.clouds.coreweave.replaces`). What is in no table
changes in place and cheaply.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from releases.values import look_up
from stacks.clouds.resource import Arguments

#: The arguments that have moved between an old and a new state, where that takes more than to compare them.
Moved = Callable[[Arguments, Arguments], list[str]]


@dataclass(frozen=True)
class Fixed:
    """The arguments of a class that only a new resource can change: these, or with `but_for` all others than these."""

    paths: tuple[str, ...]
    but_for: bool = False


@dataclass(frozen=True)
class Immutables:
    """The tables of one cloud, by a class's path. A path of arguments stands for everything under it.

    `disruptive`: changed in place, by making every node anew, one after the other.
    """

    replacing: Mapping[str, Fixed]
    disruptive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)

    def replacing_fields(self, old: Arguments, new: Arguments, kind: str) -> list[str]:
        """The changed arguments that replace a resource of this class, by their paths; none: it is not replaced by them.

        Also of what the resource is told to ignore, which replaces nothing.
        """
        fixed = self.replacing.get(kind, Fixed(()))
        paths = (
            [path for path in dict.fromkeys((*old, *new)) if path not in fixed.paths] if fixed.but_for else fixed.paths
        )
        moved = self.moved[kind](old, new) if kind in self.moved else ()
        return [*_changed(old, new, paths), *moved]

    def disruptive_fields(self, old: Arguments, new: Arguments, kind: str) -> list[str]:
        """The changed arguments for which every node of a pool is made anew, by their paths."""
        return [*_changed(old, new, self.disruptive.get(kind, ()))]

    def knows(self, kind: str) -> bool:
        """Whether a class is in the tables."""
        return kind in self.replacing or kind in self.disruptive


def _changed(old: Arguments, new: Arguments, paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if look_up(old, _steps(path)) != look_up(new, _steps(path)))


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
