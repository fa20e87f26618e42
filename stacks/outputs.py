"""Outputs that a running program reads: its own of the last `up`, and those of its platform stack.

Only the engine can read the state that it compares with, except for outputs.
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
from stacks.spec.stack import StackSpec

#: The engine's own function behind a StackReference.
READ = "pulumi:pulumi:readStackOutputs"


class UnreadStackError(Exception):
    """A stack whose outputs cannot be read; the message is the reason."""


def outputs_of(name: str) -> Mapping[str, Any]:
    """Returns what the stack of this full name exports.

    Raises:
        UnreadStackError: it does not exist, or cannot be read.
    """
    try:
        found: Mapping[str, Any] = pulumi.runtime.invoke(READ, {"name": name}).value["outputs"]
    except Exception as error:  # the engine's, of any type
        raise UnreadStackError(" ".join(str(error).split()).removeprefix(f"invoke of {READ} failed: ")) from error
    return found


def previous(owner: str) -> Previous | None:
    """Returns what the last run left; None, with a warning, if it cannot be read."""
    try:
        outputs = outputs_of(owner)
    except UnreadStackError as error:  # the engine refuses to delete what is protected all the same, with fewer words
        pulumi.log.warn(f"The stack as it was last planned cannot be read, so a change is not looked at: {error}")
        return None
    return Previous(owner, outputs, outputs.get(PLANNED) or {})


def keep(blueprint: Blueprint) -> None:
    """Exports the cluster as it is planned for the next run.

    As a secret, which it is not: so that its lines are not printed with every preview.
    """
    if blueprint.cluster.resources and (table := blueprint.cloud.replaces) is not None:
        pulumi.export(PLANNED, pulumi.Output.secret(fingerprint(blueprint.cluster.resources, table)))


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
        raise _refused(what, why, "refer to a platform stack, and `up` it first") from None
    return stand_on(spec, there, name)


def _refused(what: str, why: str, fix: str) -> StackFileError:
    return StackFileError([CLUSTER_RULE.problem(at=("cluster", "stack"), what=what, why=why, fix=fix)])
