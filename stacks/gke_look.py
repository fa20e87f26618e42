"""What a changed stack file would replace of a GKE cluster that is there, told by its fields before the engine refuses it."""

import pulumi

from stacks.change_look import OUTPUT, last_outputs
from stacks.changes import Change, changes
from stacks.gke import GkePlan
from stacks.gke_immutable import GKE
from stacks.gke_pools import SYSTEM
from stacks.problems import Problem, StackFileError


def look_at_changes(plan: GkePlan, owner: str) -> None:
    """Warns of nodes that would be made anew one by one.

    Raises:
        StackFileError: a resource that the stack protects would be replaced.
    """
    if (outputs := last_outputs(owner)) is None:
        return
    found = changes(outputs.get(OUTPUT) or {}, plan.resources, GKE)
    for change in found:
        if not change.replaced:
            fields = ", ".join(change.fields)
            pulumi.log.warn(
                f"{change.resource.title}: {fields} changes, and its nodes are made anew, one after the other."
            )
    if refused := [_refused(change, plan) for change in found if change.refused]:
        raise StackFileError(refused)


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
