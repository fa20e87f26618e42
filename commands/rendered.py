"""One file of a render without its header: its text, and its summary for the command's output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands import console, manifests


@dataclass(frozen=True)
class File:
    """A file's text below the common header, and its summary."""

    text: str
    holds: str


def of_objects(objects: Sequence[Mapping[str, Any]], note: str = "") -> File:
    """Returns a file of Kubernetes objects below a `note` of comment lines."""
    return File(f"{note}{manifests.documents(objects)}", console.count(len(objects), "object"))


def of_values(release: str, values: Mapping[str, Any], note: str) -> File:
    """Returns a file of a Helm release's values, below a `note` with the command that installs it."""
    return File(f"{note}{manifests.document(values)}", f"values of the Helm release {release}")
