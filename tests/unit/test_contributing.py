"""CONTRIBUTING names existing folders and files, and its tree has every folder."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
TREE = TEXT[TEXT.index("## The tree") : TEXT.index("## Where would I change")]


def test_every_path_exists() -> None:
    named = re.findall(r"`((?:commands|components|docs|hardware|rehearsal|releases|stacks|tests)/[\w./-]*)`", TEXT)
    assert len(set(named)) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_tree_has_every_folder() -> None:
    folders = {path.parent.name for path in [*ROOT.glob("*/__init__.py"), *ROOT.glob("stacks/*/__init__.py")]}
    assert len(folders) > 10
    assert [name for name in sorted(folders) if f"{name}/" not in TREE] == []


def test_every_file_of_the_tree_exists() -> None:
    """Lines that are indented are of `stacks`, all others of the root or of the folder that begins the line."""
    for line in TREE.splitlines():
        folder = "stacks" if line.startswith("  ") else line.partition("/")[0] if "/ " in line else ""
        for name in re.findall(r"\b\w+\.py\b", line):
            assert (ROOT / folder / name).exists() or (ROOT / name).exists(), f"{folder}/{name}"
