"""The HTTPRoute to a Gateway in another namespace, if it is made by the stack in one release and by the chart in the other."""

from collections.abc import Iterator

from stacks.blueprint import ServingBlueprint
from stacks.review.change import Change, Kind


def changes_hands(before: ServingBlueprint, after: ServingBlueprint) -> bool:
    """Whether the stack made the route and the chart makes it after the move, or the reverse."""
    old, new = before.gateway, after.gateway
    return old is not None and new is not None and bool(old.routes) != bool(new.routes)


def route_changes(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    """Yields the change of the stack's own route. The chart's route is among the objects of the chart."""
    if not changes_hands(before, after) or before.gateway is None or after.gateway is None:
        return
    charts, ours = after.gateway.route_names
    what, which = (
        (f"deleted at the end of the `up`: the router's chart makes HTTPRoute {charts} from then on", after)
        if before.gateway.routes
        else (f"made by the stack after the router's release, whose HTTPRoute {charts} goes", before)
    )
    why = f"the chart of {which.bill.name} can name a Gateway in another namespace, the other cannot"
    yield Change(Kind.CHANGES, f"HTTPRoute {ours}", what, why)
