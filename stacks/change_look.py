"""The cluster as a stack last planned it, kept among the stack's own outputs.

Pulumi runs no program before the engine compares, and what the engine compares with nobody else may read but by those outputs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from stacks.changes import fingerprint
from stacks.cloud import Resource
from stacks.immutable import Immutables
from stacks.reference import UnreadStackError, outputs_of

#: The output that holds it.
OUTPUT = "plannedCluster"


def last_outputs(owner: str) -> Mapping[str, Any] | None:
    """What the stack exported last, nothing of a new one; None, with a warning, where that cannot be read."""
    try:
        return outputs_of(owner)
    except UnreadStackError as error:  # what is protected the engine refuses all the same, only with fewer words
        pulumi.log.warn(f"The cluster as it was last planned cannot be read, so a change is not looked at: {error}")
        return None


def export_plan(resources: Sequence[Resource], table: Immutables) -> None:
    """Keeps the cluster as it is planned for the next look.

    As a secret, which it is not: so that its lines are not printed with every preview.
    """
    pulumi.export(OUTPUT, pulumi.Output.secret(fingerprint(resources, table)))
