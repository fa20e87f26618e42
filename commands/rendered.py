"""One file of a render, before it has a header and a place: its text, and what it holds in the words of the command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands import console, manifests


@dataclass(frozen=True)
class File:
    """A file's text below the header that all have, and what is said to be in it."""

    text: str
    holds: str


def of_objects(objects: Sequence[Mapping[str, Any]], note: str = "") -> File:
    """Kubernetes objects below a `note`, which is comment lines."""
    return File(f"{note}{manifests.documents(objects)}", console.count(len(objects), "object"))


def of_values(release: str, values: Mapping[str, Any], note: str) -> File:
    """The values of a Helm release, below a `note` on how it is installed by hand."""
    return File(f"{note}{manifests.document(values)}", f"values of the Helm release {release}")
