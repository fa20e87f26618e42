"""Does all that a stack pulls come from its mirror, where it names one?

What follows from recipe and release is rewritten. What a stack states itself is not: values of the chart are the last word,
and a chart that is named is meant. Those are looked at.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hardware.render.images import has_host, is_in, mirrored
from hardware.render.pod_images import pod_images, value_images
from releases.values import Tree, look_up
from stacks.findings import ERROR, Finding, Place, Rule
from stacks.rules.facts import Facts
from stacks.serving.router import router_release

WHY = "a cluster with a mirror may reach nothing else"


def _a_registry_has_a_host(facts: Facts) -> Iterator[Finding]:
    """`mirror.registry` is no place on Docker Hub."""
    registry = facts.spec.mirror.registry
    if registry and not has_host(registry):
        what, why = f"`{registry}` begins with no host", "it would be looked for on Docker Hub"
        yield Finding(
            at=("mirror", "registry"),
            what=what,
            why=why,
            fix=f"write it too, such as `registry.example.com/{registry}`",
        )


def _all_from_the_mirror(facts: Facts) -> Iterator[Finding]:
    """Every image of objects and values is under `mirror.registry`, the router's chart under `mirror.charts`."""
    yield from _a_registry_has_a_host(facts)
    mirror, chart = facts.spec.mirror, facts.router.chart
    if mirror.registry and has_host(mirror.registry):
        yield from _images(facts, mirror.registry)
    if mirror.charts and chart and "://" in chart.source and not is_in(chart.source, mirror.charts):
        what = f"chart `{chart.source}` is not under {mirror.charts}"
        yield Finding(
            at=("router", "chart", "source"),
            what=what,
            why=WHY,
            fix="leave `router.chart` out, or name the mirror's copy",
        )


def _images(facts: Facts, registry: str) -> Iterator[Finding]:
    for obj in facts.objects:
        for found in pod_images(obj):
            if not is_in(found.image, registry):
                what = f"image `{found.image}` of {obj['kind']} {obj['metadata']['name']} is not under {registry}"
                yield Finding(at=("serving",), what=what, why=WHY, fix=f"use `{mirrored(found.image, registry)}`")
    values = router_release(facts.corrected, facts.workload.bill, Path()).values
    for path, image in value_images(values):
        if not is_in(image, registry):
            what, fix = f"image `{image}` is not under {registry}", f"make it `{mirrored(image, registry)}`"
            if isinstance(look_up(values, path), Mapping):
                fix = "leave its registry and repository out, or write the mirror's"
            yield Finding(at=("router", *_stated(facts.router.values, path)), what=what, why=WHY, fix=fix)


def _stated(values: Tree, at: Place) -> Place:
    """The part of a place in the router's values that the stack file states itself, with the key it states them under."""
    for end in range(len(at), 0, -1):
        if look_up(values, at[:end]) is not None:
            return ("values", *at[:end])
    return ()


MIRROR_01 = Rule(
    "MIRROR-01", ERROR,
    "with a `mirror`, an image in `router.values` or a chart in `router.chart.source` from elsewhere; a registry "
    "without a host",
    WHY,
    "docs/images.md", check=_all_from_the_mirror,
)  # fmt: skip
