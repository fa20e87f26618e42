"""The lock files: exact, hashed, from nowhere in particular, and with all that an extra needs beside."""

import importlib.util
import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK, GKE = ROOT / "requirements.lock", ROOT / "requirements-gke.lock"


def pins(path: Path) -> dict[str, str]:
    """The blocks of a lock file by their packages' names."""
    blocks = re.split(r"\n(?=\S)", path.read_text())
    return {canonicalize_name(re.split(r"==| ", block)[0]): block for block in blocks}


@pytest.mark.parametrize("path", [LOCK, GKE], ids=lambda path: path.name)
def test_every_package_is_exact_and_hashed_and_no_source_is_recorded(path: Path) -> None:
    for name, block in pins(path).items():
        assert re.match(r"[a-z0-9.-]+==\S+", block), name
        assert "--hash=sha256:" in block, name
    assert not re.search(r"://|index-url|find-links", path.read_text())


def test_no_package_is_pinned_twice() -> None:
    assert pins(LOCK).keys().isdisjoint(pins(GKE))


@pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="the extra is not installed: make gke")
def test_the_extra_is_whole_though_nothing_is_resolved_when_it_is_installed() -> None:
    locked, needed = pins(LOCK) | pins(GKE), set()
    waiting = [Requirement("pulumi-gcp"), Requirement("google-auth[requests]")]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        assert name in locked, f"{name} is in no lock file"
        if name in needed:
            continue
        needed.add(name)
        for text in requires(name) or ():
            found = Requirement(text)
            extras = one.extras or {""}
            if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(found)
    assert pins(GKE).keys() <= needed, "nothing is in the lock file that nobody needs"
