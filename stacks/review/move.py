"""Moves one stack file from one release to another: all changes, and the steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.bill import Bill
from hardware.render.workload import UnknownChoiceError
from releases import release
from stacks.blueprint import ServingBlueprint
from stacks.file.load import StackFile
from stacks.review import facts, gateway, refused, router, serving
from stacks.review.change import Change, Kind
from stacks.review.objects import object_changes
from stacks.review.outside import outside_changes
from stacks.rules.facts import serving_blueprint

#: Returns the objects that a chart renders from a blueprint's values; None if they cannot be rendered here.
Render = Callable[[ServingBlueprint], Sequence[dict[str, Any]] | None]


class CannotMoveError(ValueError):
    """The stack cannot be on one of the two releases at all; the message says why, and lists the choices that exist."""


@dataclass(frozen=True)
class Move:
    """The changes and the steps of a move of a stack file from the release `before` to `after`."""

    file: StackFile
    before: Bill
    after: Bill
    changes: tuple[Change, ...]
    steps: tuple[str, ...]

    def of(self, kind: Kind) -> list[Change]:
        """Returns the changes of one kind."""
        return [change for change in self.changes if change.kind is kind]


def move(file: StackFile, before: str, after: str, render: Render = lambda _: None) -> Move:
    """Compares the blueprints of a stack file under two releases.

    Raises:
        UnknownChoiceError: a release does not exist.
        CannotMoveError: one of the two releases does not have what the stack asks for.
    """
    bills = release(before), release(after)
    old, new = _plan(file, *bills), _plan(file, *reversed(bills))
    rendered = _rendered(old, new, render)
    steps = _steps(file, old, new, rendered) if before != after else ()
    return Move(file, *bills, tuple(_changes(file, old, new, rendered)), tuple(steps))


def _rendered(before: ServingBlueprint, after: ServingBlueprint, render: Render) -> router.Rendered | None:
    old = render(before)
    new = None if old is None else render(after)
    return None if old is None or new is None else (old, new)


def _plan(file: StackFile, bill: Bill, other: Bill) -> ServingBlueprint:
    try:
        return serving_blueprint(refused.fitted(file.spec, bill, other), file.path.parent)
    except UnknownChoiceError as error:
        raise CannotMoveError(f"{file.path} cannot be on {bill.name}, because {error}.") from None


def _changes(
    file: StackFile, before: ServingBlueprint, after: ServingBlueprint, rendered: router.Rendered | None
) -> Iterator[Change]:
    reasons = _reasons(before.bill, after.bill)
    yield from serving.replacements(before, after)
    yield from router.release_changes(before, after, rendered)
    yield from gateway.route_changes(before, after)
    yield from facts.kv_cache(before, after)
    yield from refused.problems(file.spec, before.bill, after.bill)
    yield from outside_changes(before, after)
    yield from serving.changes(before, after, reasons)
    yield from router.router_changes(before, after, reasons, rendered)
    yield from facts.metrics(before, after)
    yield from facts.behaviour(before.bill, after.bill)
    yield from facts.crd_changes(before, after)
    routes = not gateway.changes_hands(before, after)
    yield from object_changes(_others(before, routes), _others(after, routes))


def _reasons(before: Bill, after: Bill) -> dict[str, str]:
    """Returns the reasons of the newer bill; for a move back, the reasons of what is lost."""
    if before.date <= after.date:
        return dict(after.reasons)
    return {name: f"that came with {before.name}: {reason}" for name, reason in before.reasons.items()}


def _others(planned: ServingBlueprint, routes: bool) -> list[dict[str, Any]]:
    """Returns the objects except model servers, router and CRDs; with `routes`, the stack's own routes too."""
    at = planned.gateway
    made = [*at.objects, *(at.routes if routes else ())] if at else []
    return [planned.namespace(), *planned.monitoring, *made]


def _steps(
    file: StackFile, before: ServingBlueprint, after: ServingBlueprint, rendered: router.Rendered | None
) -> Iterator[str]:
    stated, wanted, stack = file.spec.release, after.bill.name, file.stack
    line = f"`llmd-pd:release: {wanted}`"
    yield f"{file.path} says {line} already" if stated == wanted else f"write {line} in {file.path} (now {stated})"
    yield f"`llmd-pd check {file.path}`"
    replace = "".join(f" --replace '{urn}'" for urn in router.to_replace(stack, before, after, rendered))
    yield f"`pulumi preview --diff --stack {stack}{replace}`"
    yield f"`pulumi up --stack {stack}{replace}`"
