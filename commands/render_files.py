"""One file of a render, without header and directory: its text, and a description for the command's output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands import console, manifests


@dataclass(frozen=True)
class File:
    """A file's text without the header, and a description of its content."""

    text: str
    holds: str


def of_objects(objects: Sequence[Mapping[str, Any]], note: str = "") -> File:
    """Returns a file of Kubernetes objects below a `note`, which is comment lines."""
    return File(f"{note}{manifests.documents(objects)}", console.count(len(objects), "object"))


def of_values(release: str, values: Mapping[str, Any], note: str) -> File:
    """Returns a file of a Helm release's values, below a `note` on how to install it by hand."""
    return File(f"{note}{manifests.document(values)}", f"values of the Helm release {release}")
