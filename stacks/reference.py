"""The cluster of a stack that refers to another one: what that stack exports, read before anything is planned.

By an invoke and not by a StackReference's output, because the rules, the plan and the look at the cluster need plain values: no
preview of a serving stack ever has an unknown kubeconfig.
"""

import pulumi

from stacks.compose_cluster import OUTPUT
from stacks.foundation import Foundation, NoFoundationError, stand_on
from stacks.problems import Problem, StackFileError
from stacks.spec import StackSpec

#: The engine's own function behind a StackReference.
READ = "pulumi:pulumi:readStackOutputs"


def full_name(spec: StackSpec, organization: str, project: str) -> str:
    """`organization/project/name` of the stack a spec refers to."""
    name = spec.cluster.stack or ""
    return name if "/" in name else f"{organization}/{project}/{name}"


def referred(spec: StackSpec, name: str) -> StackSpec:
    """The spec with the cluster of the stack of this full name.

    Raises:
        StackFileError: that stack cannot be read, makes no nodes, or others than the spec says; or the pods do not fit them.
    """
    try:
        outputs = pulumi.runtime.invoke(READ, {"name": name}).value["outputs"]
    except Exception as error:
        reason = " ".join(str(error).split()).removeprefix(f"invoke of {READ} failed: ")
        raise _refused(
            f"stack {name} cannot be read", reason, "check its name, and that it has been `up` once"
        ) from error
    try:
        there = Foundation.exported(outputs.get(OUTPUT))
    except NoFoundationError:
        what, why = f"stack {name} exports no nodes", "it makes none, or they were never there"
        raise _refused(what, why, "refer to a stack that only makes nodes, and `up` it first") from None
    return stand_on(spec, there, name)


def _refused(what: str, why: str, fix: str) -> StackFileError:
    return StackFileError([Problem("CLUSTER", "llmd-pd:cluster.stack", what, why, fix)])
