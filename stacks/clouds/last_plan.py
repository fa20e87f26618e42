"""A stack as it was last planned, its cluster and the pods of its roles, kept among its own outputs.

Pulumi runs no program before the engine compares, and what the engine compares with nobody else may read but by those outputs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from stacks.blueprint import ServingBlueprint
from stacks.clouds.changes import fingerprint
from stacks.clouds.replaces import Immutables
from stacks.clouds.resource import Resource
from stacks.reference_live import UnreadStackError, outputs_of
from stacks.rules.previous import OUTPUT as POD_TEMPLATES
from stacks.rules.previous import pod_templates, rolled_alone, warnings_of

#: The output that holds it.
OUTPUT = "plannedCluster"


def last_outputs(owner: str, what: str = "The cluster as it was last planned") -> Mapping[str, Any] | None:
    """What the stack exported last, nothing of a new one; None, with a warning about `what`, where that cannot be read."""
    try:
        return outputs_of(owner)
    except UnreadStackError as error:  # what is protected the engine refuses all the same, only with fewer words
        pulumi.log.warn(f"{what} cannot be read, so a change is not looked at: {error}")
        return None


def export_plan(resources: Sequence[Resource], table: Immutables) -> None:
    """Keeps the cluster as it is planned for the next look.

    As a secret, which it is not: so that its lines are not printed with every preview.
    """
    pulumi.export(OUTPUT, pulumi.Output.secret(fingerprint(resources, table)))


def look_at_roles(plan: ServingBlueprint, owner: str) -> None:
    """Warns of a change that replaces the pods of one role and leaves the other's. It asks no cluster."""
    outputs = last_outputs(owner, "The pod template of each role") or {}
    role = rolled_alone(outputs.get(POD_TEMPLATES), pod_templates(plan.model_server))
    if role is not None:
        for warning in warnings_of(role, plan.workload):
            pulumi.log.warn(str(warning))
