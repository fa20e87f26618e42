"""The changes between two property trees, by path, as Pulumi prints them.

Lists are compared by position, as in the official provider. The caller lists the paths whose change needs a new object.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearsal.plugins.kube.kinds import Path
from rehearsal.plugins.provider import Changes
from rehearsal.plugins.values import is_unknown

_MISSING = object()


def detailed(old: Mapping[str, Any], new: Mapping[str, Any], force_new: Iterable[Path] = ()) -> Changes:
    """Returns every changed path with its kind; paths at, below or around one of `force_new` are replaces."""
    changes = Changes()
    patterns = list(force_new)
    for path, before, after in _walk((), old, new):
        text = path_text(path)
        changes.updates[text] = "ADD" if before is _MISSING else "DELETE" if after is _MISSING else "UPDATE"
        if any(_concerns(pattern, path, before, after) for pattern in patterns):
            changes.replaces.add(text)
    return changes


def path_text(path: Path) -> str:
    """Returns a property path in Pulumi's notation: `spec.template.metadata.labels["a.b/c"]`, `spec.containers[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(character in step for character in '."[]'):
            text += '["{}"]'.format(step.replace('"', '\\"'))
        else:
            text += f".{step}" if text else step
    return text


def _walk(path: Path, old: Any, new: Any) -> Iterable[tuple[Path, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _walk((*path, key), old.get(key, _MISSING), new.get(key, _MISSING))
    elif _is_list(old) and _is_list(new):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else _MISSING
            after = new[index] if index < len(new) else _MISSING
            yield from _walk((*path, index), before, after)
    elif is_unknown(new) or old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, old, new


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _concerns(pattern: Path, path: Path, before: Any, after: Any) -> bool:
    if path[: len(pattern)] == pattern:
        return True
    if pattern[: len(path)] != path:
        return False
    rest = pattern[len(path) :]
    return any(_has(value, rest) for value in (before, after))


def _has(value: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = value[step]
    return True
