"""Changes of the router's Helm release: its chart, images and values, and whether Helm can upgrade it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.render.images import mirrored
from releases.values import image_values, look_up
from stacks.blueprint import ServingBlueprint
from stacks.findings import PROJECT
from stacks.review import values
from stacks.review.change import Change, Kind, became
from stacks.review.objects import IMMUTABLE, by_identity, replaced
from stacks.review.plugins import configuration, plugin_changes
from stacks.review.trees import dotted, leaves, shown, without
from stacks.serving.router import chart_images

Object = Mapping[str, Any]
#: The objects that the charts of the two releases render from the stack's values; None if a chart or Helm is missing.
Rendered = tuple[Sequence[Object], Sequence[Object]]


def release_urn(stack: str, plan: ServingBlueprint) -> str:
    """Returns Pulumi's URN of a stack's Helm release."""
    kind = "llmd-pd:index:Router$kubernetes:helm.sh/v3:Release"
    return f"urn:pulumi:{stack}::{PROJECT}::{kind}::{plan.spec.name}-router"


def to_replace(stack: str, before: ServingBlueprint, after: ServingBlueprint, rendered: Rendered | None) -> list[str]:
    """Returns the URNs to pass to `--replace`, because Pulumi does not see by itself that it has to replace them."""
    return [release_urn(stack, after)] if not _selects_otherwise(before, after) and _blocks(rendered) else []


def _selects_otherwise(before: ServingBlueprint, after: ServingBlueprint) -> bool:
    return before.bill.router.epp_selector != after.bill.router.epp_selector


def _blocks(rendered: Rendered | None) -> list[str]:
    """Returns, as text, the immutable fields that a Helm upgrade would try to change."""
    if rendered is None:
        return []
    return [
        f"{was['kind']} {was['metadata']['name']} changes in {'.'.join(IMMUTABLE[was['kind']])}"
        for was, _ in replaced(*rendered)
    ]


def release_changes(before: ServingBlueprint, after: ServingBlueprint, rendered: Rendered | None) -> Iterator[Change]:
    """Yields the change of the release as a whole."""
    name = f"Helm release {after.router.name}"
    if _selects_otherwise(before, after):
        old, new = before.bill.router.epp_selector, after.bill.router.epp_selector
        lost = "its Service gets another cluster IP"
        if before.gateway is not None:
            lost = (
                "its InferencePool goes with it" if before.gateway.routes else "its InferencePool and route go with it"
            )
        yield Change(
            Kind.REPLACED, name,
            what=f"uninstalled and installed anew: nothing is routed until the new endpoint picker is Ready, and {lost}",
            why=f"the new chart selects the endpoint picker's pods by the label {new} instead of {old}, which Kubernetes never "
            "changes in place: a Helm upgrade would fail half-way",
            fix="Pulumi does it by itself; where a GitOps tool or Helm applies it, uninstall the release first",
        )  # fmt: skip
    elif blocks := _blocks(rendered):
        yield Change(
            Kind.BREAKS, name, what="a plain `pulumi up` fails half-way, when Helm upgrades it",
            why=f"Kubernetes never changes that in place: {'; '.join(blocks)}",
            fix="have Pulumi uninstall it and install it anew, with `--replace` as below",
        )  # fmt: skip


def chart_of(plan: ServingBlueprint) -> str:
    """Returns the chart's place and version."""
    return " ".join(filter(None, (plan.router.chart, plan.router.version)))


def _made(before: Sequence[Object], after: Sequence[Object]) -> Iterator[Change]:
    old, new = by_identity(before), by_identity(after)
    for identity in sorted(old.keys() ^ new.keys()):
        what = "made by the chart now" if identity in new else "not made by the chart any more"
        yield Change(Kind.CHANGES, " ".join(identity), what)


def router_changes(
    before: ServingBlueprint, after: ServingBlueprint, reasons: Mapping[str, str], rendered: Rendered | None
) -> Iterator[Change]:
    """Yields the changes of chart, images, rendered objects, values and plugins."""
    was, now = chart_of(before), chart_of(after)
    if was != now:
        yield Change(Kind.CHANGES, "router's chart", became(was, now), reasons.get("chart", ""))
    yield from _image_changes(before, after)
    if rendered is not None:
        yield from _made(*rendered)
    yield from _value_changes(before, after)
    old, new = (configuration(plan.bill, plan.router.values) for plan in (before, after))
    yield from plugin_changes(old, new, reasons)


def images(plan: ServingBlueprint) -> dict[str, str]:
    """Returns the images of the router's chart, by a text that names each."""
    names, registry = ("endpoint picker", "router's proxy"), plan.spec.mirror.registry
    found = zip(names, chart_images(plan.spec, plan.bill), strict=False)
    return {name: mirrored(known.image, registry) for name, known in found}


def _image_changes(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    old, new = images(before), images(after)
    for name in {**old, **new}:
        was, now = old.get(name, ""), new.get(name, "")
        if was != now:
            yield Change(Kind.CHANGES, f"image of the {name}", became(was, now))


def _value_changes(before: ServingBlueprint, after: ServingBlueprint) -> Iterator[Change]:
    found = values.compare(*((plan.bill, _unsaid_images(plan)) for plan in (before, after)))
    for moved in found.moved:
        if not moved.same:
            yield Change(Kind.CHANGES, "router's value", str(moved))
    for path, value in found.gone.items():
        yield Change(Kind.CHANGES, "router's value", f"{dotted(path)} ({shown(value)}) gone")
    for path, value in found.come.items():
        yield Change(Kind.CHANGES, "router's value", f"{dotted(path)} ({shown(value)}) added")
    if places := values.places(found.moved):
        what = f"say the same under other keys: {'; '.join(places)}"
        yield Change(Kind.CHANGES, "router's other values", what, "each chart has keys of its own")


def _unsaid_images(plan: ServingBlueprint) -> Mapping[str, Any]:
    """Returns the values without those of images, which are reported as images."""
    tree: dict[str, Any] = plan.router.values
    for known, image in zip(chart_images(plan.spec, plan.bill), images(plan).values(), strict=True):
        for path, text in leaves(image_values(known, image)).items():
            if look_up(tree, path) == text:
                tree = without(tree, path)
    return tree
