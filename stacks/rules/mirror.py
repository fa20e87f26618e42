"""Does all that a stack pulls come from its mirror, where it names one?

What follows from recipe and release is rewritten. What a stack states itself is not: values of the chart are the last word,
and a chart that is named is meant. Those are looked at.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hardware.bill import Path as Keys
from hardware.render.images import has_host, is_in, mirrored
from hardware.render.pod_images import pod_images, value_images
from releases.values import Tree, look_up
from stacks.rules.facts import ClusterSubject, Finding, Subject
from stacks.serving.router import router_release

WHY = "a cluster with a mirror may reach nothing else"


def a_registry_has_a_host(subject: ClusterSubject) -> Iterator[Finding]:
    """`mirror.registry` is no place on Docker Hub."""
    registry = subject.spec.mirror.registry
    if registry and not has_host(registry):
        what, why = f"`{registry}` begins with no host", "it would be looked for on Docker Hub"
        yield Finding("mirror.registry", what, why, f"write it too: `registry.example.com/{registry}`")


def all_from_the_mirror(subject: Subject) -> Iterator[Finding]:
    """Every image of objects and values is under `mirror.registry`, the router's chart under `mirror.charts`."""
    mirror, chart = subject.spec.mirror, subject.spec.router.chart
    yield from a_registry_has_a_host(subject)
    if mirror.registry and has_host(mirror.registry):
        yield from _images(subject, mirror.registry)
    if mirror.charts and chart and "://" in chart.source and not is_in(chart.source, mirror.charts):
        what = f"chart `{chart.source}` is not under {mirror.charts}"
        yield Finding("router.chart.source", what, WHY, "leave it out, or name the mirror's copy")


def _images(subject: Subject, registry: str) -> Iterator[Finding]:
    for obj in subject.objects:
        for found in pod_images(obj):
            if not is_in(found.image, registry):
                what = f"image `{found.image}` of {obj['kind']} {obj['metadata']['name']} is not under {registry}"
                yield Finding("serving", what, WHY, f"use `{mirrored(found.image, registry)}`")
    values = router_release(subject.spec, subject.bill, Path()).values
    for path, image in value_images(values):
        if not is_in(image, registry):
            what, fix = f"image `{image}` is not under {registry}", f"make it `{mirrored(image, registry)}`"
            if isinstance(look_up(values, path), Mapping):
                fix = "leave its registry and repository out, or write the mirror's"
            yield Finding(".".join(("router", *_stated(subject.spec.router.values, path))), what, WHY, fix)


def _stated(values: Tree, path: Keys) -> Keys:
    """The part of a place in the router's values that the stack file states itself, with the key it states them under."""
    for end in range(len(path), 0, -1):
        last, item, _ = path[end - 1].partition("[")
        if look_up(values, (*path[: end - 1], last)) is not None:
            return ("values", *(path if item else path[:end]))
    return ()
