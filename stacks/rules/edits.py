"""The rule of edits of the recipe: what a stack file does to its command line and pods has one owner."""

from collections.abc import Iterator
from dataclasses import replace

from hardware.render.argv import ArgumentError, command_line
from hardware.render.join import ConflictError
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.vocabulary import ROLES
from stacks.findings import ERROR, Finding, Rule
from stacks.spec.stack import Serving


def refusals(given: Workload, serving: Serving) -> Iterator[Finding]:
    """Every edit of the recipe alone, so that one that cannot be honoured does not hide the others."""
    drops = [(name, replace(given, extra_args=(), drop_args=(name,))) for name in given.drop_args]
    dropped = tuple(name for name, alone in drops if _refusal(alone) is None)
    extras = [replace(given, extra_args=(word,), drop_args=dropped) for word in given.extra_args]
    for index, alone in (*enumerate(alone for _, alone in drops), *enumerate(extras)):
        if error := _refusal(alone):
            why, fix = "a flag has one owner, the recipe or the stack file", f"take it out of `{error.field}`"
            yield Finding(at=("serving", error.field, index), what=str(error), why=why, fix=fix)
    for key, value in serving.node_selector.items():
        try:
            model_server(replace(given, extra_args=(), drop_args=(), spec={"nodeSelector": {key: value}}))
        except ConflictError as error:
            why, fix = "the recipe's pods run nowhere else", f"leave {key} out"
            what, at = str(error).split(";")[0], ("serving", "nodeSelector", key)
            yield Finding(at=at, what=what, why=why, fix=fix)


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
    " not there, a contradicting node selector",
    "a field has one owner",
    "docs/stack-files.md", check=lambda facts: facts.edits, firm=True,
)  # fmt: skip
