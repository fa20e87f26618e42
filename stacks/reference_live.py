"""The cluster of a stack that refers to another one: what that stack exports, read before anything is planned.

By an invoke and not by a StackReference's output, because the rules, the plan and the look at the cluster need plain values: no
preview of a serving stack ever has an unknown kubeconfig.
"""

from stacks.clouds.outputs import CLUSTER
from stacks.findings import Problem, StackFileError
from stacks.last_run import UnreadStackError, outputs_of
from stacks.platform_stack import Foundation, NoFoundationError, stand_on
from stacks.spec.stack import StackSpec


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
        outputs = outputs_of(name)
    except UnreadStackError as error:
        raise _refused(
            f"stack {name} cannot be read", str(error), "check its name, and that it has been `up` once"
        ) from error
    try:
        there = Foundation.exported(outputs.get(CLUSTER))
    except NoFoundationError:
        what, why = f"stack {name} exports no nodes", "it makes none, or they were never there"
        raise _refused(what, why, "refer to a stack that only makes nodes, and `up` it first") from None
    return stand_on(spec, there, name)


def _refused(what: str, why: str, fix: str) -> StackFileError:
    return StackFileError([Problem("CLUSTER", "llmd-pd:cluster.stack", what, why, fix)])
