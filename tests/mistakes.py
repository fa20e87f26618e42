"""All ways in which one field can be wrong, from the existing values: a new label, NIC or key is walked without being listed.

Owns the walk; what becomes of a mistake is for the tests. What can only be added, and words that mean something, come from them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stacks.clouds.resource import Ref

Path = tuple[str | int, ...]
#: Other values of a leaf that say something; of every leaf one that means nothing is tried too.
Others = Callable[[Path, Any], Sequence[Any]]


@dataclass(frozen=True)
class Mistake:
    """One field and what is wrong with it; `content` is the whole with the mistake in it."""

    path: Path
    how: str
    content: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} {self.how}"


def mistakes(content: Any, others: Others, below: Path = ()) -> Iterator[Mistake]:
    """Everything at and below a path that is gone, another, or in another's place."""
    for path, value in places(content, below):
        yield Mistake(path, "gone", without(content, path))
        if isinstance(value, Sequence) and not isinstance(value, str):
            for index in range(len(value) - 1):
                if value[index] != value[index + 1]:
                    swapped = [*value[:index], value[index + 1], value[index], *value[index + 2 :]]
                    yield Mistake((*path, index), "swapped with the next", put(content, path, swapped))
        elif not isinstance(value, Mapping):
            for other in dict.fromkeys((*others(path, value), *_another(value))):
                if other != value:
                    yield Mistake(path, f"is {other!r}", put(content, path, other))


def added(content: Any, path: Path, value: Any) -> Mistake:
    """Something that was not there: a key of a map, or one more at the end of a list."""
    there = at(content, path[:-1]) if path else content
    if isinstance(there, list):
        return Mistake((*path[:-1], len(there)), f"added: {value}", put(content, path[:-1], [*there, value]))
    return Mistake(path, f"added: {value}", put(content, path, value))


def places(content: Any, below: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place at and below a path, wholes before their parts."""
    value = at(content, below)
    if value is None:
        return
    if below:
        yield below, value
    keys: Sequence[str | int] = [*value] if isinstance(value, Mapping) else []
    if isinstance(value, list | tuple):
        keys = range(len(value))
    for key in keys:
        yield from places(content, (*below, key))


def at(content: Any, path: Path) -> Any:
    """Returns the value at a place, or None."""
    for step in path:
        if isinstance(content, Mapping):
            content = content.get(step)
        else:
            content = content[step] if isinstance(step, int) and content and step < len(content) else None
    return content


def put(content: Any, path: Path, value: Any) -> Any:
    """The content with another value at a path."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        return [put(item, tuple(rest), value) if index == step else item for index, item in enumerate(content)]
    return {**(content or {}), step: put((content or {}).get(step), tuple(rest), value)}


def without(content: Any, path: Path) -> Any:
    """The content without what is at a path."""
    *above, last = path
    there = at(content, tuple(above))
    if isinstance(there, Mapping):
        return put(content, tuple(above), {key: value for key, value in there.items() if key != last})
    return put(content, tuple(above), [item for index, item in enumerate(there) if index != last])


def _another(value: Any) -> Sequence[Any]:
    """Returns wrong values for a value."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value - 1, value + 1)
    if isinstance(value, Ref):
        return ()
    return (f"{value}x", "")
