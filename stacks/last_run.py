"""A stack as its last `up` left it, read from its own outputs; and what is kept among them for the next run.

Pulumi runs no program before the engine compares, and only the engine may read what it compares with, but for outputs.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from stacks.blueprint import Blueprint
from stacks.clouds.changes import fingerprint
from stacks.clouds.cloud import Previous
from stacks.clouds.outputs import PLANNED

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
