"""The cluster of a stack that refers to another one: what that stack exports, read before anything is planned.

By an invoke and not by a StackReference's output, because the rules, the plan and the look at the cluster need plain values: no
preview of a serving stack ever has an unknown kubeconfig.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from stacks.compose_cluster import OUTPUT
from stacks.problems import Problem, StackFileError
from stacks.rules import problems_of
from stacks.spec import StackSpec

#: The engine's own function behind a StackReference.
READ = "pulumi:pulumi:readStackOutputs"
#: What a reference fills in, and may not be said beside it (CLUSTER-01).
HOW_TO_REACH = ("kubeconfig", "context")


def full_name(spec: StackSpec, organization: str, project: str) -> str:
    """`organization/project/name` of the stack a spec refers to."""
    name = spec.cluster.stack or ""
    return name if "/" in name else f"{organization}/{project}/{name}"


def referred(spec: StackSpec, name: str) -> StackSpec:
    """The spec with the cluster of the stack of this full name, judged by the rules as if it had said so itself.

    Raises:
        StackFileError: that stack cannot be read, makes no nodes, or others than the spec says; or the pods do not fit them.
    """
    theirs = _exported(name)
    stated = spec.cluster
    if problems := [*_contradictions(spec, theirs, name)]:
        raise StackFileError(problems)
    filled = {key: theirs.get(key) for key in HOW_TO_REACH}
    # An engine's numbers are floats.
    filled |= {"machine": theirs["machine"], "nodes": stated.nodes or int(theirs["nodes"])}
    found = spec.model_copy(update={"cluster": stated.model_copy(update=filled)})
    if problems := [problem for problem in problems_of(found) if problem.rule != "CLUSTER-01"]:
        raise StackFileError(problems)
    return found


def _exported(name: str) -> Mapping[str, Any]:
    try:
        outputs = pulumi.runtime.invoke(READ, {"name": name}).value["outputs"]
    except Exception as error:
        reason = " ".join(str(error).split()).removeprefix(f"invoke of {READ} failed: ")
        raise StackFileError(
            [_problem(f"stack {name} cannot be read", reason, "check its name, and that it has been `up` once")]
        ) from error
    found = outputs.get(OUTPUT)
    if not isinstance(found, Mapping):
        what, why = f"stack {name} has no output `{OUTPUT}`", "it makes no nodes, or its nodes were never there"
        raise StackFileError([_problem(what, why, "refer to a stack that only makes nodes, and `up` it first")])
    return found


def _contradictions(spec: StackSpec, theirs: Mapping[str, Any], name: str) -> Iterator[Problem]:
    stated = spec.cluster
    if stated.machine not in (None, theirs["machine"]):
        what, why = f"machine `{stated.machine}`", f"the nodes of stack {name} are {theirs['machine']}"
        yield _problem(what, why, "write that, or leave it out", "machine")
    if stated.nodes is not None and stated.nodes > theirs["nodes"]:
        what, why = f"{stated.nodes} nodes", f"stack {name} makes {int(theirs['nodes'])}"
        yield _problem(what, why, "write no more, or let it make more", "nodes")


def _problem(what: str, why: str, fix: str, key: str = "stack") -> Problem:
    return Problem("CLUSTER", f"llmd-pd:cluster.{key}", what, why, fix)
