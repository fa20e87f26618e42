"""Prerequisites of a move that no release brings: Secrets, mirrors, a chart or an image of the team's own."""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.blueprint import ServingBlueprint
from stacks.kube.commands import kubectl_flags
from stacks.review.change import Change, Kind
from stacks.review.router import chart_of

Object = Mapping[str, Any]


def outside_changes(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields all prerequisites of the move."""
    yield from _secrets(before, after)
    yield from _own_chart(before, after)
    yield from _own_image(before, after)
    yield from _mirror(before, after)


def _secrets(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    namespace, made = after.spec.namespace, after.made_secret
    for name, key in _needed(after) - _needed(before) - ({(made.name, made.key)} if made else set()):
        yield Change(
            Kind.BREAKS, f"Secret {name}", what=f"it has to exist in namespace {namespace}, with the key {key}, before the move",
            why="without it pods stay in CreateContainerConfigError",
            fix=f"`kubectl{kubectl_flags(after.spec.cluster.at)} create secret generic {name} --namespace {namespace} "
            f"--from-literal={key}=…`, or name it under `llmd-pd:serving.hfToken`",
        )  # fmt: skip


def _needed(plan: ServingBlueprint) -> set[tuple[str, str]]:
    """Returns name and key of every Secret without which the model servers do not start."""
    rows = [row for obj in plan.model_server for row in _variables(obj)]
    secrets = [row["valueFrom"]["secretKeyRef"] for row in rows if "secretKeyRef" in row.get("valueFrom", {})]
    return {(secret["name"], secret["key"]) for secret in secrets if not secret.get("optional")}


def _variables(obj: Object) -> Iterator[Object]:
    pod = obj.get("spec", {}).get("template", {}).get("spec", {})
    for container in (*pod.get("initContainers", ()), *pod.get("containers", ())):
        yield from container.get("env", ())


def _own_chart(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    mode, stated = after.spec.router.mode, after.spec.router.chart
    old, new = (plan.bill.router.charts[mode] for plan in (before, after))
    if stated is not None and (old.ref, old.version) != (new.ref, new.version):
        yield Change(
            Kind.BREAKS, "router.chart", what=f"the stack takes the router's chart from {stated.source}",
            why=f"{after.bill.name}'s values are for {new.ref} {new.version}, and a chart fails or ignores the keys of another",
            fix="put that chart where `llmd-pd:router.chart` looks, or leave the key out",
        )  # fmt: skip


def _mirror(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    mirror = after.spec.mirror
    if mirror.registry and (before.bill.name != after.bill.name):
        yield Change(
            Kind.BREAKS, "mirror.registry", what=f"{mirror.registry} has to hold the images of {after.bill.name} first",
            why="pods would wait for an image that does not exist",
            fix="`llmd-pd images` of the changed file lists them, and the commands that copy them",
        )  # fmt: skip
    if mirror.charts and after.spec.router.chart is None and chart_of(before) != chart_of(after):
        yield Change(
            Kind.BREAKS, "mirror.charts", what=f"{mirror.charts} has to hold {chart_of(after)} first",
            why="a preview fails without it", fix="copy the chart there",
        )  # fmt: skip


def _own_image(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields a note that an image in the stack file stays, though the release was tested with another one."""
    if after.spec.served.image and before.bill.name != after.bill.name:
        what = f"it stays {after.spec.served.image}, which is the stack's own and not {after.bill.name}'s"
        yield Change(Kind.CHANGES, "serving.image", what, "a stack's own image comes before the release's")
