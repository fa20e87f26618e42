"""The route of a stack whose Gateway is elsewhere, when it changes hands between the stack and the router's chart."""

from collections.abc import Iterator

from stacks.files import PROJECT
from stacks.plan import Plan
from stacks.upgrade.change import Change, Kind


def handed_over(before: Plan, after: Plan) -> bool:
    """Whether the stack made the route itself, and the chart makes it now."""
    old, new = before.gateway, after.gateway
    return old is not None and new is not None and bool(old.routes) and not new.routes


def route_urn(stack: str, plan: Plan) -> str:
    """How Pulumi calls the HTTPRoute that a stack makes itself."""
    kind = "llmd-pd:index:Route$kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
    return f"urn:pulumi:{stack}::{PROJECT}::{kind}::{plan.spec.name}-route"


def route_changes(before: Plan, after: Plan) -> Iterator[Change]:
    """Helm takes no object that it did not make, and Pulumi deletes what is no more asked for at the very end."""
    if handed_over(before, after):
        yield Change(
            Kind.BREAKS, f"HTTPRoute {after.spec.name}", "a plain `pulumi up` fails, when Helm installs the router",
            "the stack made the route itself so far, the new chart makes one of the same name, and Helm takes no object over "
            "that it did not make",
            "delete the stack's own first, as below; until the `up` is through, the Gateway has no route to the stack",
        )  # fmt: skip
