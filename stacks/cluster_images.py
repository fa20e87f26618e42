"""The images of what a cluster of the stack's own is given: of its files, and of its charts.

Those of the publisher's files and charts are known with them (`releases.gke`). A user's own file says them itself, a user's own
chart by the objects that are handed in where it could be rendered. Takes the cluster's plan, of whichever kind the stack is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.render.pod_images import pod_images
from releases.charts import HelmRelease
from releases.gke import DRA_DRIVER_IMAGE
from stacks.clouds.gke.plan import GkePlan

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Use:
    """An image and what runs it. What is never `pulled` has to be on the node."""

    image: str
    user: str
    pulled: bool = True


def uses(gke: GkePlan | None, rendered: Mapping[str, Iterable[Object]]) -> Iterator[Use]:
    """Every image the cluster of a plan without mirror is given; `rendered` are the objects of `own_charts` by release.

    Raises:
        SourceError: a file of the user's own cannot be read.
    """
    if gke is None:
        return
    if gke.site.gke.gpu_driver.installer is None:
        for manifest in gke.manifests:
            yield from (Use(known.image, known.used_by, known.pulled) for known in manifest.images)
    else:
        for own in gke.files():
            yield from _pods(own, f"{own['kind']} {own['metadata']['name']}")
    if gke.site.gke.gpu_driver.chart is None:
        yield from (Use(DRA_DRIVER_IMAGE.image, release.name) for release in gke.charts)
    for name, objects in rendered.items():
        for obj in objects:
            yield from _pods(obj, name)


def own_charts(gke: GkePlan | None) -> list[HelmRelease]:
    """The releases whose chart is the user's own: only it can say what it runs."""
    if gke is None or gke.site.gke.gpu_driver.chart is None:
        return []
    return [*gke.charts]


def _pods(obj: Object, user: str) -> Iterator[Use]:
    yield from (Use(found.image, f"{user}/{found.name}", found.pulled) for found in pod_images(obj))
