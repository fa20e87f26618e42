"""Imports point one way: commands, rehearsal -> stacks -> components -> releases -> hardware."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.clouds.registry import CLOUDS

ROOT = Path(__file__).parents[2]
#: The rooms that a room may import, beside itself.
MAY_IMPORT = {
    "hardware": set(),
    "releases": {"hardware"},
    "components": {"hardware", "releases"},
    "stacks": {"hardware", "releases", "components"},
    "rehearsal": {"hardware", "releases", "stacks"},
    "commands": {"hardware", "releases", "stacks", "rehearsal"},
    "tests/speed": {"hardware", "releases", "stacks", "rehearsal", "tests"},
}
#: Modules of `stacks` that run inside a Pulumi program; the others must work without the SDK.
IN_THE_PROGRAM = {
    "clouds/coreweave/watch", "compose", "compose_cluster", "kube/answering", "kube/repair", "outputs", "program",
}  # fmt: skip
#: Modules of `components` that work without the SDK: how a kubeconfig is read and words for errors, which its guard needs too.
WITHOUT_THE_SDK = {"components.kube_client", "components.kube_errors"}


#: The floors of `stacks`, from the ground up: a module imports from its own floor and those below.
FLOORS = (
    ("schema", "findings", "exits", "kube"),
    ("clouds",),
    ("spec",),
    ("serving", "monitoring"),
    ("blueprint",),
    ("rules",),
    ("file",),
    ("platform", "images", "leftovers"),
    ("review",),
    ("outputs", "compose_cluster"),
    ("compose",),
    ("program",),
)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_lies_below(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path)
        if name.split(".")[0] in MAY_IMPORT and name.split(".")[0] not in allowed
    ]
    assert wrong == []


def while_running(tree: ast.Module) -> Iterator[str]:
    """Yields the modules imported at run time, without those that only types need."""
    typing = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_inside_stacks_imports_run_down() -> None:
    floor = {name: level for level, names in enumerate(FLOORS) for name in names}
    rooms = {path.stem for path in (ROOT / "stacks").iterdir() if not path.name.startswith("__")}
    assert rooms == floor.keys()
    wrong = []
    for path in sorted((ROOT / "stacks").rglob("*.py")):
        own = path.relative_to(ROOT / "stacks").parts[0].removesuffix(".py")
        for name in while_running(ast.parse(path.read_text())):
            room, *below = name.split(".")
            if room == "stacks" and below[0] in floor and floor[below[0]] > floor.get(own, -1):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_stacks_has_no_more_than_twenty_entries() -> None:
    assert len([path for path in (ROOT / "stacks").iterdir() if path.name != "__pycache__"]) <= 20


def test_pulumi_is_imported_where_the_program_runs_and_nowhere_else() -> None:
    rooms = [ROOT / room for room in ("hardware", "releases", "stacks", "commands")]
    found = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in room.rglob("*.py")
        if any(
            name.split(".")[0] in ("pulumi", "pulumi_kubernetes", "components") and name not in WITHOUT_THE_SDK
            for name in imports(path)
        )
    }
    assert found == {f"stacks/{module}.py" for module in IN_THE_PROGRAM}


def test_what_components_has_without_the_sdk() -> None:
    for module in WITHOUT_THE_SDK:
        path = ROOT / f"{module.replace('.', '/')}.py"
        found = {name.split(".")[0] for name in imports(path) if name not in WITHOUT_THE_SDK}
        assert found <= sys.stdlib_module_names | {"kubernetes", "urllib3", "yaml"}


#: Where code may ask which cloud it is.
OF_CLOUDS = (
    *(f"{room}/clouds/{cloud}/" for room in ("stacks", "rehearsal") for cloud in CLOUDS),
    "hardware/machines/",
    "releases/",
)


def literals(node: ast.AST) -> set[str]:
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def asked(tree: ast.Module) -> Iterator[set[str]]:
    """The words that code compares with, matches, or looks up by name."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare():
                yield literals(node)
            case ast.MatchValue(value) | ast.Subscript(slice=ast.Constant() as value):
                yield literals(value)
            case ast.Call(func=ast.Attribute(attr="get" | "pop" | "startswith"), args=[first, *_]):
                yield literals(first)


def test_no_code_asks_which_cloud_it_is() -> None:
    clouds = {key for key, cloud in CLOUDS.items() if cloud.makes_nodes}
    found = {
        path.relative_to(ROOT).as_posix()
        for room in MAY_IMPORT
        if not room.startswith("tests")
        for path in (ROOT / room).rglob("*.py")
        if any(words & clouds for words in asked(ast.parse(path.read_text())))
    }
    assert {path for path in found if not path.startswith(OF_CLOUDS)} == set()


def test_the_program_starts_no_other() -> None:
    """No gcloud, no kubectl: what they would ask of a user's machine, and with whose credentials, nobody could say."""
    starting = {"subprocess", "pty", "multiprocessing"}
    for room in ("hardware", "releases", "stacks", "components"):
        for path in (ROOT / room).rglob("*.py"):
            assert starting.isdisjoint(imports(path)), path
            assert not re.search(r"\bos\.(system|popen|exec\w+|spawn\w+)\(", path.read_text()), path


def test_component_modules_have_no_postponed_annotations() -> None:
    """Pulumi reads a component's annotations while the program runs."""
    for path in (ROOT / "components").rglob("*.py"):
        assert "from __future__ import annotations" not in path.read_text(), path


@pytest.mark.parametrize(
    "path",
    [p for room in MAY_IMPORT for p in sorted((ROOT / room).rglob("*.py"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_files_stay_small(path: Path) -> None:
    """When one grows past this, a concept is missing: name it."""
    assert len(path.read_text().splitlines()) <= 310
