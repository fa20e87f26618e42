"""A stack file and that of the stack that makes its nodes, beside it: for commands that run without the engine, which alone can
ask that stack itself."""

from dataclasses import replace
from pathlib import Path

from stacks.blueprint import blueprint
from stacks.file.load import StackFile, load, of_file
from stacks.file.messages import PROJECT
from stacks.findings import Problem, StackFileError
from stacks.platform_stack import Foundation, stand_on


def platform_path(file: StackFile) -> Path | None:
    """Where, beside this file, that of the stack that makes its nodes should be; None where no other does."""
    if file.spec.cluster.provider != "stack":
        return None
    return file.path.parent / f"Pulumi.{(file.spec.cluster.stack or '').rpartition('/')[2]}.yaml"


def platform_of(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile | None:
    """The file of the stack that makes the nodes of this one, beside it; None where no other stack does. `but` are rules that it
    need not obey.

    For commands that run without the engine, which alone can ask that stack itself.

    Raises:
        StackFileError: there is no such file, or it cannot be used.
    """
    if (path := platform_path(file)) is None:
        return None
    *where, name = (file.spec.cluster.stack or "").split("/")
    if where and where[1] != PROJECT:
        what, why = (
            f"stack {file.spec.cluster.stack} is of another project",
            "without the engine, nothing can be read there",
        )
        raise StackFileError([_of_reference(file, what, why, "run what needs the cluster with its own kubeconfig")])
    if not path.exists():
        what, why = f"{path} does not exist", "without the engine, what the cluster is can only be read there"
        raise StackFileError([_of_reference(file, what, why, f"put the file of stack {name} there")])
    found = load(path, but)
    if found.spec.serving is None:
        return found
    what, why = f"stack {name} serves itself", "its nodes are not for others to count on"
    raise StackFileError([_of_reference(file, what, why, "refer to a stack that only makes nodes")])


def paired(file: StackFile, but: frozenset[str] = frozenset()) -> StackFile:
    """The file with the cluster of the stack it refers to, by that stack's file; any other as it is. `but` as above.

    Raises:
        StackFileError: there is no such file, it cannot be used, or the two do not go together.
    """
    platform = platform_of(file, but)
    if platform is None:
        return file
    try:
        return replace(file, spec=stand_on(file.spec, Foundation.made_by(blueprint(platform.spec)), platform.stack))
    except StackFileError as error:
        raise StackFileError([of_file(file.path, problem) for problem in error.problems]) from None


def _of_reference(file: StackFile, what: str, why: str, fix: str) -> Problem:
    return of_file(file.path, Problem("FILE", "llmd-pd:cluster.stack", what, why, fix))
