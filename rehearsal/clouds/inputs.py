"""Inputs as the engine sends them."""

import re
from collections.abc import Mapping
from typing import Any


def drop_nulls(value: Any) -> Any:
    """Removes None; Pulumi treats null as unset."""
    match value:
        case Mapping():
            return {key: drop_nulls(part) for key, part in value.items() if part is not None}
        case list():
            return [drop_nulls(part) for part in value if part is not None]
    return value


def camel(path: str) -> str:
    """Returns a path of arguments in the engine's spelling; keys in brackets are the user's and stay."""
    return re.sub(r"\[[^\]]*\]|_([a-z0-9])", lambda found: found[1].upper() if found[1] else found[0], path)
