"""Looks before a GKE cluster is made or changed: at what the change would replace, told by its fields before the engine refuses
it, and at the project.
"""

import os
from typing import Any

import pulumi

from stacks.clouds.changes import Change, changes
from stacks.clouds.gke.leftovers.google import connection
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.pools import SYSTEM
from stacks.clouds.gke.readiness import ANSWER_SECONDS, TRIES, Connect, look_at_project
from stacks.clouds.gke.replaces import GKE
from stacks.clouds.last_plan import OUTPUT, last_outputs
from stacks.findings import Problem, StackFileError


def look_at_gke(plan: GkePlan, owner: str, connect: Connect | None = None) -> None:
    """Warns of nodes that would be made anew one by one, and of what Google could not be asked. `connect` leads to Google.

    Raises:
        StackFileError: a resource that the stack protects would be replaced, or the project is not ready for the cluster.
    """
    if (outputs := last_outputs(owner)) is None:
        return
    before = outputs.get(OUTPUT) or {}
    _look_at_changes(plan, before)
    if outputs and not before:
        return  # it was made before plans were kept, and nothing can be said of what it was planned with
    for warning in look_at_project(plan, before, connect or connection(os.environ, ANSWER_SECONDS, TRIES)):
        pulumi.log.warn(warning)


def _look_at_changes(plan: GkePlan, before: dict[str, Any]) -> None:
    found = changes(before, plan.resources, GKE)
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
