"""Everything a stack pulls: each image and each chart once, what uses it, and where the stack's mirror has it.

Sources are upstream's references, whatever the stack's mirror is: they are what there is to copy. Asks nobody: what the
router's chart makes is handed in where it could be rendered, and follows from its values and the bill where it could not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.images import ImageRef, mirrored
from hardware.vocabulary import ROLE_LABEL
from releases.gateways import IMPLEMENTATIONS
from releases.values import image_values, merge
from stacks.image_walk import pod_images, value_images
from stacks.plan import Plan, plan
from stacks.router import chart_images, mirrored_chart
from stacks.spec import Mirror, StackSpec

Object = Mapping[str, Any]

ROUTER = "router"


@dataclass(frozen=True)
class Image:
    """An image as upstream names it, its users (`decode/modelserver`), and its place in the mirror, if there is one."""

    image: str
    used_by: tuple[str, ...]
    mirrored: str | None


@dataclass(frozen=True)
class Chart:
    """A chart as upstream names it, or a path; its version (None: what the path holds), its users, its place in the mirror."""

    chart: str
    version: str | None
    used_by: tuple[str, ...]
    mirrored: str | None


def without_mirror(spec: StackSpec, base: Path) -> Plan:
    """The plan of a stack as it is where everything comes from upstream. Relative paths start at `base`."""
    return plan(spec.model_copy(update={"mirror": Mirror()}), base)


def images(upstream: Plan, router: Iterable[Object] | None, registry: str | None) -> list[Image]:
    """Every image of a plan `without_mirror`, in the order of a stack; `router` are the objects of its chart, if at hand."""
    users: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for image, user in _uses(upstream, router):
        key = str(ImageRef.parse(image))  # `vllm/vllm-openai:v1` and `docker.io/vllm/vllm-openai:v1` are one image
        names.setdefault(key, image)
        if user not in users.setdefault(key, []):
            users[key].append(user)
    return [
        Image(name, tuple(users[key]), mirrored(name, registry) if registry else None) for key, name in names.items()
    ]


def charts(upstream: Plan, place: str | None) -> list[Chart]:
    """Every chart of a plan `without_mirror`; `place` is where the team keeps charts."""
    gateway = upstream.gateway
    releases = [(ROUTER, upstream.router), *((row.name, row) for row in (gateway.implementation if gateway else ()))]
    return [
        Chart(
            release.chart,
            release.version,
            (user,),
            mirrored_chart(release.chart, place) if place and "://" in release.chart else None,
        )
        for user, release in releases
    ]


def _uses(upstream: Plan, router: Iterable[Object] | None) -> Iterator[tuple[str, str]]:
    gateway = upstream.gateway
    yield from _pods(upstream.model_server)
    yield from _pods(
        [*(gateway.objects if gateway else ()), *(gateway.routes if gateway else ()), *upstream.monitoring]
    )
    if router is None:
        yield from ((image, ROUTER) for image in _of_values(upstream))
    else:
        yield from ((found.image, f"{ROUTER}/{found.name}") for obj in router for found in pod_images(obj))
    if gateway and gateway.implementation:
        for release in IMPLEMENTATIONS[gateway.stated.provider].releases:
            yield from ((known.image, release.name) for known in release.images)


def _pods(objects: Sequence[Object]) -> Iterator[tuple[str, str]]:
    for obj in objects:
        metadata = obj["metadata"]
        user = metadata.get("labels", {}).get(ROLE_LABEL) or f"{obj['kind']} {metadata['name']}"
        yield from ((found.image, f"{user}/{found.name}") for found in pod_images(obj))


def _of_values(upstream: Plan) -> list[str]:
    """The images of the router's chart by its values; those of the chart's own that no value names are in the bill."""
    own = [image_values(known, known.image) for known in chart_images(upstream.spec, upstream.bill)]
    return [image for _, image in value_images(merge(*own, upstream.router.values))]
