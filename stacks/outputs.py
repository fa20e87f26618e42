"""Outputs that a running program reads: those of its own last `up`, and those of the platform stack on which it serves.

A program cannot read the state with which the engine compares its resources; it can read outputs.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from stacks.blueprint import Blueprint
from stacks.clouds.changes import fingerprint
from stacks.clouds.cloud import Previous
from stacks.clouds.outputs import CLUSTER, PLANNED
from stacks.findings import StackFileError
from stacks.kube.rules import CLUSTER as CLUSTER_RULE
from stacks.platform import Foundation, NoFoundationError, stand_on
from stacks.rules.table import Examined
from stacks.spec.stack import StackSpec

#: The engine's own function behind a StackReference.
READ = "pulumi:pulumi:readStackOutputs"


class UnreadStackError(Exception):
    """A stack whose outputs cannot be read; the message is the reason."""


def outputs_of(name: str) -> Mapping[str, Any]:
    """Returns the outputs of the stack of this full name.

    Raises:
        UnreadStackError: the stack does not exist, or cannot be read.
    """
    try:
        found: Mapping[str, Any] = pulumi.runtime.invoke(READ, {"name": name}).value["outputs"]
    except Exception as error:  # the engine's, of any type
        raise UnreadStackError(" ".join(str(error).split()).removeprefix(f"invoke of {READ} failed: ")) from error
    return found


def previous(owner: str) -> Previous | None:
    """Returns the stack as its last `up` left it. If it cannot be read, warns and returns None."""
    try:
        outputs = outputs_of(owner)
    except UnreadStackError as error:  # the engine itself refuses to delete what is protected, with less explanation
        pulumi.log.warn(f"The stack as it was last planned cannot be read, so a change is not looked at: {error}")
        return None
    return Previous(owner, outputs, outputs.get(PLANNED) or {})


def keep(blueprint: Blueprint) -> None:
    """Exports the plan of the cluster, for the next run to compare with.

    Exported as a secret, though nothing in it is one, so that a preview does not print all its lines.
    """
    if blueprint.cluster.resources and (table := blueprint.cloud.replaces) is not None:
        pulumi.export(PLANNED, pulumi.Output.secret(fingerprint(blueprint.cluster.resources, table)))


def full_name(spec: StackSpec, organization: str, project: str) -> str:
    """Returns `organization/project/name` of the stack that a spec refers to."""
    name = spec.cluster.stack or ""
    return name if "/" in name else f"{organization}/{project}/{name}"


def referred(found: Examined, name: str) -> Examined:
    """Returns the facts with the cluster of the platform stack of this full name filled in, and the rules' findings on the whole.

    `found` are those of the stack alone.

    Raises:
        StackFileError: that stack cannot be read or makes no nodes, its nodes contradict the spec, or the pods do not fit on
        them.
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
        what, why = f"stack {name} exports no nodes", "it makes none, or was never `up`"
        raise _refused(what, why, "refer to a platform stack, and `up` it first") from None
    return stand_on(found, there, name)


def _refused(what: str, why: str, fix: str) -> StackFileError:
    return StackFileError([CLUSTER_RULE.problem(at=("cluster", "stack"), what=what, why=why, fix=fix)])
