"""Changes of the model servers as a whole: whether they are replaced, and how long the service is down then."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.render.images import IMAGE_PULL_SECONDS
from hardware.render.kinds import KINDS, is_workload
from hardware.vocabulary import ROLE_LABEL
from stacks.blueprint import ServingBlueprint
from stacks.clouds.cloud import Previous
from stacks.findings import run
from stacks.review.change import Change, Kind
from stacks.review.model_servers import pod_changes
from stacks.review.objects import by_identity, object_changes, replaced, selector_change
from stacks.review.trees import without
from stacks.rules.facts import Facts
from stacks.rules.previous import OUTPUT, ROLL_01, pod_templates, rolled_alone

Object = Mapping[str, Any]

GUIDE = "docs/upgrade.md"


def deployments(objects: Sequence[Object]) -> dict[str, Object]:
    """Returns the workloads by role."""
    return {obj["metadata"]["labels"][ROLE_LABEL]: obj for obj in objects if is_workload(obj)}


def replaced_servers(before: ServingBlueprint, after: ServingBlueprint) -> list[tuple[Object, Object]]:
    """Returns the pairs of Deployments that cannot be changed in place."""
    return [pair for pair in replaced(before.model_server, after.model_server) if is_workload(pair[0])]


def replacements(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields the objects that are deleted and created anew, Deployments first."""
    if servers := replaced_servers(before, after):
        yield _down(servers, after)
    for _, now in replaced(before.model_server, after.model_server):
        if not is_workload(now):
            yield Change(
                Kind.REPLACED, f"{now['kind']} {now['metadata']['name']}", what="deleted and created anew",
                why="its spec cannot change", fix="pods that run keep the devices they have",
            )  # fmt: skip


def _down(pairs: Sequence[tuple[Object, Object]], after: ServingBlueprint) -> Change:
    names = ", ".join(now["metadata"]["name"] for _, now in pairs)
    labels = "; ".join(dict.fromkeys(selector_change(*pair) for pair in pairs))
    budget = after.workload.hardware.accelerator.probes.budget_seconds
    sizes = " + ".join(f"{sizing.replicas}×{sizing.devices}" for sizing in after.workload.sizing.values())
    return Change(
        Kind.REPLACED, f"{len(pairs)} {pairs[0][1]['kind']}{'s' if len(pairs) > 1 else ''} ({names})",
        what="deleted with all their pods and created anew: the service is down until the new servers are Ready, which may take "
        f"{duration(budget + IMAGE_PULL_SECONDS)} at most ({duration(IMAGE_PULL_SECONDS)} for the image, then {duration(budget)} "
        "of start-up probes)",
        why=f"Kubernetes never changes the labels a Deployment selects by, and {labels}",
        fix="to stay up, deploy a second stack beside it, with its own `name` and `namespace` and room for another "
        f"{sizes} devices, move the traffic, then destroy the first: {GUIDE}",
    )  # fmt: skip


def changes(before: ServingBlueprint, after: ServingBlueprint, reasons: Mapping[str, str]) -> Iterator[Change]:
    """Yields the changes of the pods, and of the other objects of the model servers."""
    old, new = before.model_server, after.model_server
    pods = list(pod_changes(deployments(old), deployments(new), reasons))
    if pods and not replaced_servers(before, after):
        yield from _in_place(before, after)
    yield from pods
    gone = {identity for identity in by_identity(old) if identity[0] in KINDS}
    yield from object_changes(_beside(old, gone), _beside(new, gone))


def _in_place(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    templates = pod_templates(before.model_server)
    role = rolled_alone(templates, pod_templates(after.model_server))
    pods = f"the {role} pods" if role else "the pods of each role"
    yield Change(Kind.CHANGES, "Deployments", f"updated in place: {pods} are replaced a quarter at a time")
    if role:
        previous = Previous("", {OUTPUT: templates}, {})
        facts = Facts(after.spec, previous=previous, objects=after.model_server, workload=after.workload)
        for warning in run((ROLL_01,), facts, after.spec.suppress).warnings:
            yield Change(Kind.BREAKS, f"Deployment of {role}", what=warning.what, why=warning.why, fix=warning.fix)


def _beside(objects: Sequence[Object], unless: set[tuple[str, str]]) -> list[Object]:
    """Returns the other objects, without their labels: the Deployments have the same ones, and changes are reported there."""
    others = [obj for identity, obj in by_identity(objects).items() if identity not in unless]
    return [without(obj, ("metadata", "labels")) for obj in others]


def duration(seconds: int) -> str:
    """Returns seconds as text in hours and whole minutes (`1 h 5 min`)."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))
