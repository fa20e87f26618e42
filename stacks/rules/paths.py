"""The rule of paths on this machine that a stack file names: they exist. Otherwise a render or an `up` would find out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from releases.charts import place
from stacks.findings import ERROR, Finding, Place, Rule, closest
from stacks.rules.facts import Facts
from stacks.schema import Local, marks_of


def _exist(facts: Facts) -> Iterator[Finding]:
    for at, text, local in _stated(facts.spec, ()):
        if local.or_url and "://" in text:
            continue
        path = Path(text).expanduser()
        path = path if path.is_absolute() else Path(place(text, facts.directory))
        is_one = {"directory": path.is_dir, "file": path.is_file}.get(local.of, path.exists)
        if not is_one():
            what = f"`{text}` is not a {local.of}" if path.exists() else f"`{text}` does not exist"
            why = "it is read before anything is applied"
            yield Finding(at=at, what=what, why=why, fix=_fix(text, path))


def _fix(text: str, path: Path) -> str:
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() and not path.exists() else []
    if near := closest(path.name, beside):
        return f"did you mean `{text.rstrip('/').removesuffix(path.name)}{near}`?"
    return "check the path" + ("" if Path(text).is_absolute() else ", which starts at the directory of the stack file")


def _stated(section: BaseModel, at: Place) -> Iterator[tuple[Place, str, Local]]:
    """Every path that a section states."""
    for name, info in type(section).model_fields.items():
        value: Any = vars(section).get(name)  # of a section that another stack exported, some are left out
        below = (*at, str(info.alias))
        if isinstance(value, BaseModel):
            yield from _stated(value, below)
        elif value is not None:
            yield from ((below, value, mark) for mark in marks_of(info) if isinstance(mark, Local))
    for key, value in (section.model_extra or {}).items():
        if isinstance(value, BaseModel):
            yield from _stated(value, (*at, key))


PATH_01 = Rule(
    "PATH-01", ERROR,
    "a path on this machine that does not exist: `crds.directory`, a chart's `source`, the installer of a GPU's driver",
    "it is read before anything is applied",
    "docs/stack-files.md", check=_exist,
)  # fmt: skip
