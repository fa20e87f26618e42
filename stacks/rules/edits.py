"""The rule of edits of the recipe: what a stack file does to its command line and pods has one owner."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hardware.render.argv import ArgumentError, command_line
from hardware.render.join import ConflictError
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.vocabulary import ROLES
from stacks.findings import ERROR, Finding, Rule, closest
from stacks.spec.stack import Serving


def refusals(given: Workload, serving: Serving) -> Iterator[Finding]:
    """Every edit of the recipe alone, so that one that cannot be honoured does not hide the others."""
    drops = [(name, replace(given, extra_args=(), drop_args=(name,))) for name in given.drop_args]
    dropped = tuple(name for name, alone in drops if _refusal(alone) is None)
    extras = [replace(given, extra_args=(word,), drop_args=dropped) for word in given.extra_args]
    for index, alone in (*enumerate(alone for _, alone in drops), *enumerate(extras)):
        if error := _refusal(alone):
            at, why = ("serving", error.field, index), "a flag has one owner, the recipe or the stack file"
            yield Finding(at=at, what=str(error), why=why, fix=_fix(error))
    for index, what, fix in _misplaced(given.extra_args):
        yield Finding(at=("serving", "extraArgs", index), what=what, why="the engine would not start", fix=fix)
    for key, value in serving.node_selector.items():
        try:
            model_server(replace(given, extra_args=(), drop_args=(), spec={"nodeSelector": {key: value}}))
        except ConflictError as error:
            why, fix = "the recipe's pods run nowhere else", "leave it out"
            selected, what = ("serving", "nodeSelector", key), str(error).split(";")[0]
            yield Finding(at=selected, what=what, why=why, fix=fix)


def _misplaced(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The words of a command line that cannot be where they are, by their index, with what is wrong and the fix."""
    takes_values = False
    for index, word in enumerate(words):
        name, _, value = word.partition(" ")
        if word.startswith("--") and value and "=" not in name:
            yield index, f"`{word}` is one word of the command line", f"write `{name}={value.strip()}`"
        elif not word.startswith("-") and not takes_values:
            is_name = re.match(r"[a-z][-a-z0-9]+(=|$)", word)
            fix = f"write `--{word}`" if is_name else "take the item out"
            yield index, f"`{word}` is no flag, and the value of none", fix
        if word.startswith("-"):
            takes_values = "=" not in word and not value


def _fix(error: ArgumentError) -> str:
    if near := closest(error.flag, error.known):
        return f"did you mean `{near}`?"
    out = f"take `{error.flag}` out of `{error.field}`"
    return f"add `{error.flag}` to `dropArgs` to replace it, or {out}" if error.replaceable else out


def _refusal(workload: Workload) -> ArgumentError | None:
    try:
        for role in ROLES:
            command_line(workload, role)
    except ArgumentError as error:
        return error
    return None


HW_02 = Rule(
    "HW-02", ERROR,
    "an edit of the recipe that cannot be honoured: a derived flag, a flag that is set already, one to drop that is"
    " not there, a word that is no flag and the value of none, a contradicting node selector",
    "a field has one owner",
    "docs/stack-files.md", check=lambda facts: facts.edits, firm=True,
)  # fmt: skip
