"""Fixes as proposals: the words that ask for changes of a stack file, and the changes, so that `Facts.helping` can try them."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from stacks.findings import Place

#: New values by place; None takes a key out.
Changes = Mapping[Place, Any]
#: Changes, by the words of a fix that asks for them.
Proposals = Mapping[str, Changes]


def scalar(text: str) -> str:
    """A text as YAML has it: with quotes where it would be something else without."""
    plain = re.fullmatch(r"(--)?[A-Za-z0-9/](\S*[^\s:])?", text) and text.lower() not in ("true", "false", "null")
    number = re.fullmatch(r"[0-9.]+(e[-+]?[0-9]+)?|0x[0-9a-f]+|0o[0-7]+|\d{4}-\d\d?-\d\d?.*", text.lower())
    return text if plain and not number and not set(text) & set(",[]{}#") else json.dumps(text)


def pair(place: Place, value: str) -> Proposals:
    """The proposal to write a key and its value."""
    return {f"`{place[-1]}: {scalar(value)}`": {place: value}}


def together(*proposals: Proposals) -> Proposals:
    """The proposal to follow all of these."""
    changes = {place: value for each in proposals for words in each.values() for place, value in words.items()}
    return {" with ".join(words for each in proposals for words in each): changes}


def one_of(*proposals: Proposals) -> Proposals:
    """The proposal to follow any of these."""
    return {words: changes for each in proposals for words, changes in each.items()}


def write(*words: str) -> str:
    """The fix to write one of several."""
    return f"write {(', or ' if any(' with ' in each for each in words) else ' or ').join(words)}"


def either(fixes: Iterable[str]) -> str:
    """The fix to follow one of several."""
    return ", or ".join(fixes)
