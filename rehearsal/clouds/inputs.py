"""Inputs as the engine tells them."""

import re
from collections.abc import Mapping
from typing import Any


def given(value: Any) -> Any:
    """Inputs without what is null: to say so is to say nothing."""
    match value:
        case Mapping():
            return {key: given(part) for key, part in value.items() if part is not None}
        case list():
            return [given(part) for part in value if part is not None]
    return value


def camel(path: str) -> str:
    """A path of arguments as the engine spells it; keys in brackets are the user's own words."""
    return re.sub(r"\[[^\]]*\]|_([a-z0-9])", lambda found: found[1].upper() if found[1] else found[0], path)
