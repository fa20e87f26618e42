"""Checks before a GKE cluster is made or changed: which fields would replace it, reported before the engine refuses the change
without them, and whether the project is ready.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from stacks.clouds.changes import Change, changes
from stacks.clouds.cloud import Previous
from stacks.clouds.gke.leftovers.google import connection
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.pools import SYSTEM
from stacks.clouds.gke.readiness import ANSWER_SECONDS, TRIES, Connect, look_at_project
from stacks.clouds.gke.replaces import GKE
from stacks.clouds.rules import IMM
from stacks.findings import Problem, StackFileError


def check_project_and_changes(plan: GkePlan, previous: Previous, connect: Connect | None = None) -> list[str | Problem]:
    """Returns problems of a change that would replace protected resources, and of a project that is not ready; and, as texts,
    warnings about nodes that would be recreated one by one, and about questions that Google did not answer. `connect` connects to
    Google.
    """
    found: list[str | Problem] = [*_changes(plan, previous.planned)]
    problems = [row for row in found if isinstance(row, Problem)]
    if problems or (previous.outputs and not previous.planned):
        return found  # made before plans were kept: nothing to compare with
    try:
        ask = connect or connection(os.environ, ANSWER_SECONDS, TRIES)
        return [*found, *look_at_project(plan, previous.planned, ask)]
    except StackFileError as error:
        return [*found, *error.problems]


def _changes(plan: GkePlan, before: Mapping[str, Mapping[str, Any]]) -> Iterator[str | Problem]:
    for change in changes(before, plan.resources, GKE):
        if change.refused:
            yield _refused(change, plan)
        elif not change.replaced:
            fields = ", ".join(change.fields)
            yield f"{change.resource.title}: {fields} changes, and its nodes are made anew, one after the other."


def _refused(change: Change, plan: GkePlan) -> Problem:
    resource, fields = change.resource, ", ".join(change.fields)
    pool = resource.type == "container.NodePool"
    key = "systemPool" if resource.name == plan.site.named(SYSTEM) else "acceleratorPool"
    fix = (
        f"write `allowReplace: [{key}]` under `cluster` to replace it" if pool else "make another stack for another one"
    )
    return IMM.problem(
        at=("cluster", "gke", *([key] if pool else [])),
        what=f"{fields} of {resource.title} ({resource.name}) would change",
        why="it would be deleted with all on it, and made anew",
        fix=f"take it back, or {fix}",
    )  # fmt: skip
