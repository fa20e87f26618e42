"""What a changed stack file would replace of a GKE cluster that is there, told by its fields before the engine refuses it.

Pulumi runs no program before the engine compares, and what the engine compares with nobody else may read but by the stack's own
outputs: there the cluster as it was last planned is kept.
"""

import pulumi

from stacks.gke import GkePlan
from stacks.gke_changes import Change, changes, fingerprint
from stacks.gke_pools import SYSTEM
from stacks.problems import Problem, StackFileError
from stacks.reference import UnreadStackError, outputs_of

#: The output that holds the cluster as it was last planned.
OUTPUT = "plannedCluster"


def look_at_changes(plan: GkePlan, owner: str) -> None:
    """Warns of nodes that would be made anew one by one.

    Raises:
        StackFileError: a resource that the stack protects would be replaced.
    """
    try:
        before = outputs_of(owner).get(OUTPUT) or {}
    except UnreadStackError as error:  # what is protected the engine refuses all the same, only with fewer words
        pulumi.log.warn(f"The cluster as it was last planned cannot be read, so a change is not looked at: {error}")
        return
    found = changes(before, plan.resources)
    for change in found:
        if not change.replaced:
            fields = ", ".join(change.fields)
            pulumi.log.warn(
                f"{change.resource.title}: {fields} changes, and its nodes are made anew, one after the other."
            )
    if refused := [_refused(change, plan) for change in found if change.refused]:
        raise StackFileError(refused)


def export_plan(plan: GkePlan) -> None:
    """Keeps the cluster as it is planned for the next look.

    As a secret, which it is not: so that its hundreds of lines are not printed with every preview.
    """
    pulumi.export(OUTPUT, pulumi.Output.secret(fingerprint(plan.resources)))


def _refused(change: Change, plan: GkePlan) -> Problem:
    resource, fields = change.resource, ", ".join(change.fields)
    pool = resource.type == "container.NodePool"
    key = "systemPool" if resource.name == plan.site.named(SYSTEM) else "acceleratorPool"
    fix = (
        f"write `allowReplace: [{key}]` under `cluster` to replace it" if pool else "make another stack for another one"
    )
    return Problem(
        "IMM", f"llmd-pd:cluster.gke{f'.{key}' if pool else ''}",
        f"{fields} of {resource.title} ({resource.name}) would change", "it would be deleted with all on it, and made anew",
        f"take it back, or {fix}", "the provider's schema",
    )  # fmt: skip
