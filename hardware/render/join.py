"""The law of composition: lists concatenate, maps merge, and two different values for one field raise.

A shallow merge would silently lose `privileged: true` to a fabric's `capabilities`; a merge in which the last value wins would
hide that two parts disagree. Only environment variables may override: `dict | dict`, which keeps an overridden key in its old
position.
"""

from typing import Any

from hardware.vocabulary import Fragment


class ConflictError(ValueError):
    """Two parts of a workload set one field to different values."""

    def __init__(self, path: str, one: object, other: object) -> None:
        self.path = path
        super().__init__(
            f"two values for {path}: {one!r} and {other!r}; one of the two parts must leave the field alone"
        )


def join(*fragments: Fragment, path: str = "") -> dict[str, Any]:
    """Joins API fragments, in order.

    Raises:
        ConflictError: two fragments set one field to different values, or one to a map and the other to a plain value.
    """
    joined: dict[str, Any] = {}
    for fragment in fragments:
        for key, value in fragment.items():
            joined[key] = _join_value(joined[key], value, f"{path}.{key}".lstrip(".")) if key in joined else value
    return joined


def _join_value(one: Any, other: Any, path: str) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return join(one, other, path=path)
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    if one != other:
        raise ConflictError(path, one, other)
    return one
