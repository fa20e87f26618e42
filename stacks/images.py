"""Images and charts that a stack pulls: each once, with its users and its place in the stack's mirror.

Sources are upstream's references, even if the stack has a mirror: they are what a copy starts from. No registry or cluster is
asked. The router's images come from its rendered chart if the caller has it, else from its values and the bill. Images and
charts of the stack's own cluster come last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.render.images import ImageRef, mirrored
from hardware.render.pod_images import pod_images, value_images
from hardware.vocabulary import ROLE_LABEL
from releases.charts import HelmRelease, mirrored_chart
from releases.gateways import IMPLEMENTATIONS
from releases.values import image_values, merge
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.clouds.cloud import ClusterPlan, Use
from stacks.rules.facts import blueprint
from stacks.schema import Mirror
from stacks.serving.router import chart_images
from stacks.spec.stack import StackSpec

Object = Mapping[str, Any]

ROUTER = "router"


@dataclass(frozen=True)
class Image:
    """An image as upstream names it, its users (`decode/modelserver`), and its place in the mirror, if there is one.

    An image that is never `pulled` is on the node and has no place in the mirror.
    """

    image: str
    used_by: tuple[str, ...]
    mirrored: str | None
    pulled: bool = True


@dataclass(frozen=True)
class Chart:
    """A chart as upstream names it, or a path; its version (None for a path), its users, its place in the mirror."""

    chart: str
    version: str | None
    used_by: tuple[str, ...]
    mirrored: str | None


def without_mirror(spec: StackSpec, base: Path) -> Blueprint:
    """Returns the blueprint of a stack as it is if everything comes from upstream. Relative paths start at `base`."""
    return blueprint(spec.model_copy(update={"mirror": Mirror()}), base)


def images(
    upstream: Blueprint,
    router: Iterable[Object] | None,
    registry: str | None,
    rendered: Mapping[str, Iterable[Object]] | None = None,
) -> list[Image]:
    """Returns every image of a blueprint `without_mirror`, in the order in which a stack uses them.

    `router` are the objects of the router's chart, None if it was not rendered. Images of the stack's own cluster come last;
    `rendered` are the objects of the user's own charts, by release.
    """
    serving = _uses(upstream.serving, router) if upstream.serving else ()
    return listed([*serving, *cluster_uses(upstream.cluster, rendered or {})], registry)


def listed(uses: Iterable[Use], registry: str | None) -> list[Image]:
    """Returns each image once with all its users, in the order of their first use."""
    found: dict[str, list[Use]] = {}
    for use in uses:
        # `vllm/vllm-openai:v1` and `docker.io/vllm/vllm-openai:v1` are one image.
        found.setdefault(str(ImageRef.parse(use.image)), []).append(use)
    return [_image(same, registry) for same in found.values()]


def _image(uses: Sequence[Use], registry: str | None) -> Image:
    name, pulled = uses[0].image, any(use.pulled for use in uses)
    place = mirrored(name, registry) if registry and pulled else None
    return Image(name, tuple(dict.fromkeys(use.user for use in uses)), place, pulled)


def charts(upstream: Blueprint, place: str | None) -> list[Chart]:
    """Returns every chart of a blueprint `without_mirror`; `place` is the team's registry of charts."""
    serving = _serving_charts(upstream.serving) if upstream.serving else ()
    return [*_charts(serving, place), *_charts([(row.name, row) for row in upstream.cluster.charts], place)]


def _serving_charts(upstream: ServingBlueprint) -> Iterator[tuple[str, HelmRelease]]:
    yield ROUTER, upstream.router
    yield from ((row.name, row) for row in (upstream.gateway.implementation if upstream.gateway else ()))


def _charts(releases: Iterable[tuple[str, HelmRelease]], place: str | None) -> list[Chart]:
    return [
        Chart(
            release.chart,
            release.version,
            (user,),
            mirrored_chart(release.chart, place) if place and "://" in release.chart else None,
        )
        for user, release in releases
    ]


def _uses(upstream: ServingBlueprint, router: Iterable[Object] | None) -> Iterator[Use]:
    gateway = upstream.gateway
    yield from _pods(upstream.model_server)
    yield from _pods(
        [*(gateway.objects if gateway else ()), *(gateway.routes if gateway else ()), *upstream.monitoring]
    )
    if router is None:
        yield from (Use(image, ROUTER) for image in _of_values(upstream))
    else:
        for obj in router:
            yield from (Use(found.image, f"{ROUTER}/{found.name}", found.pulled) for found in pod_images(obj))
    if gateway and gateway.implementation:
        for release in IMPLEMENTATIONS[gateway.stated.provider].releases:
            yield from (Use(known.image, release.name) for known in release.images)


def cluster_uses(plan: ClusterPlan, rendered: Mapping[str, Iterable[Object]]) -> Iterator[Use]:
    """Yields every image of the add-ons of the stack's own cluster; `rendered` are the objects of `own_charts`, by release.

    Raises:
        SourceError: a file of the user's own cannot be read.
    """
    for own in plan.files() if plan.images_in_files else ():
        user = f"{own['kind']} {own['metadata']['name']}"
        yield from (Use(found.image, f"{user}/{found.name}", found.pulled) for found in pod_images(own))
    yield from plan.images
    for name, objects in rendered.items():
        for obj in objects:
            yield from (Use(found.image, f"{name}/{found.name}", found.pulled) for found in pod_images(obj))


def _pods(objects: Sequence[Object]) -> Iterator[Use]:
    for obj in objects:
        metadata = obj["metadata"]
        user = metadata.get("labels", {}).get(ROLE_LABEL) or f"{obj['kind']} {metadata['name']}"
        yield from (Use(found.image, f"{user}/{found.name}", found.pulled) for found in pod_images(obj))


def _of_values(upstream: ServingBlueprint) -> list[str]:
    """Returns the images of the router's chart: from its values, and from the bill for those that no value names."""
    own = [image_values(known, known.image) for known in chart_images(upstream.spec, upstream.bill)]
    return [image for _, image in value_images(merge(*own, upstream.router.values))]
