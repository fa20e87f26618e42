"""Tables of the arguments whose change replaces a resource, or recreates its nodes one by one; and how they are read.

Each cloud has its own rows (`stacks.clouds.gke.replaces`, `stacks.clouds.coreweave.replaces`). An argument in no table changes
in place and cheaply.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from releases.values import look_up
from stacks.clouds.resource import Arguments

#: Returns the arguments that have changed between an old and a new state, if a comparison of values is not enough.
Moved = Callable[[Arguments, Arguments], list[str]]


@dataclass(frozen=True)
class Fixed:
    """The immutable arguments of a class: these, or with `but_for` all except these."""

    paths: tuple[str, ...]
    but_for: bool = False


@dataclass(frozen=True)
class Immutables:
    """The tables of one cloud, by the path of a class. A path of an argument stands for everything under it.

    `replacing`: arguments whose change replaces the resource. `disruptive`: arguments whose change recreates every node, one
    after the other. `moved`: functions that find changes of arguments which need more than a comparison of values.
    """

    replacing: Mapping[str, Fixed]
    disruptive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moved: Mapping[str, Moved] = field(default_factory=dict)

    def replacing_fields(self, old: Arguments, new: Arguments, kind: str) -> list[str]:
        """Returns the paths of the changed arguments that replace a resource of this class; empty if none does.

        Arguments under the resource's `ignore_changes` are not filtered out here, though the engine ignores them.
        """
        fixed = self.replacing.get(kind, Fixed(()))
        paths = (
            [path for path in dict.fromkeys((*old, *new)) if path not in fixed.paths] if fixed.but_for else fixed.paths
        )
        moved = self.moved[kind](old, new) if kind in self.moved else ()
        return [*_changed(old, new, paths), *moved]

    def disruptive_fields(self, old: Arguments, new: Arguments, kind: str) -> list[str]:
        """Returns the paths of the changed arguments that recreate every node of a pool."""
        return [*_changed(old, new, self.disruptive.get(kind, ()))]

    def knows(self, kind: str) -> bool:
        """Whether a class is in the tables."""
        return kind in self.replacing or kind in self.disruptive


def _changed(old: Arguments, new: Arguments, paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if look_up(old, _steps(path)) != look_up(new, _steps(path)))


def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
