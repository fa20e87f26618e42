"""Upstream's reference files, when they are at hand, and the digests that stand for them when they are not.

A digest is the SHA-256 of a canonical form: parsed objects as sorted JSON, each pod's `volumes` ordered by name. Nothing
else is normalised. With the files at hand (`../shared/upstream` beside the checkout, or `LLMD_UPSTREAM`; a later release's
in a directory beside it), a mismatch is shown field by field.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PINNED = "guide-2026-05"
#: Where a release's files are, from those of the pinned one.
BESIDE = {PINNED: ".", "guide-2026-06": "../upstream-2026-06"}


def upstream(release: str = PINNED) -> Path | None:
    """The directory of upstream's rendered files of a release, or None."""
    directory = Path(os.environ.get("LLMD_UPSTREAM", ROOT.parent / "shared" / "upstream")) / BESIDE[release]
    return directory if directory.is_dir() else None


def load(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file but the empty ones."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def canonical(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Objects in a stable order, with every pod's volumes ordered by name."""
    copies = json.loads(json.dumps(objects))
    for copy in copies:
        pod = copy.get("spec", {}).get("template", {}).get("spec", {})
        if "volumes" in pod:
            pod["volumes"].sort(key=lambda volume: volume["name"])
    return sorted(copies, key=lambda item: (item["kind"], item["metadata"]["name"]))


def digest(objects: Any) -> str:
    """SHA-256 of a canonical form."""
    return hashlib.sha256(json.dumps(objects, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Every field in which two values differ, a line each."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys(), key=str):
            yield from differences(ours.get(key, "<absent>"), theirs.get(key, "<absent>"), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{path}: ours {ours!r}, upstream {theirs!r}"


def assert_upstreams(ours: Any, expected: str, theirs: Callable[[Path], Any], release: str = PINNED) -> None:
    """Ours has the digest of upstream's; with the files at hand, `theirs` reads them from their directory."""
    directory = upstream(release)
    if directory is not None:
        found = theirs(directory)
        different = list(differences(ours, found))
        assert not different, "\n".join(different)
        assert digest(found) == expected, "upstream's files are not those this digest was taken from"
    assert digest(ours) == expected
