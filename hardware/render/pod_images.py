"""Finds images: in the pods of Kubernetes objects, and in the values of charts.

Knows the API's fields for images and the two forms that charts use. Leaves out what is done with the images.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.render.images import mirrored

#: Keys and indices of lists: `("containers", 0, "image")`.
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class PodImage:
    """An image that a pod runs or mounts, with the name of its container or volume.

    An image that is not `pulled` is part of the node.
    """

    image: str
    name: str
    pulled: bool = True


def pod_images(obj: Any) -> Iterator[PodImage]:
    """Yields the images of all pods in an object of any kind: of containers, init containers and image volumes."""
    if isinstance(obj, Mapping):
        for name, holder, key, policy in _places(obj):
            yield PodImage(str(holder[key]), name, holder.get(policy) != "Never")
    for below in _below(obj).values():
        yield from pod_images(below)


def from_mirror(obj: Any, registry: str) -> Any:
    """Returns a copy of the object in which all pulled images that `pod_images` finds come from a registry."""
    if isinstance(obj, list | tuple):
        return [from_mirror(part, registry) for part in obj]
    if not isinstance(obj, Mapping):
        return obj
    copy = {key: from_mirror(part, registry) for key, part in obj.items()}
    for _, holder, key, policy in _places(copy):
        if holder.get(policy) != "Never":
            holder[key] = mirrored(str(holder[key]), registry)
    return copy


def _places(pod: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, str]]:
    """Yields the places of a pod's images: the container's or volume's name, the map, and its keys for image and policy."""
    for part in ("containers", "initContainers"):
        for row in _maps(pod.get(part)):
            if row.get("image"):
                yield str(row.get("name", "")), row, "image", "imagePullPolicy"
    for row in _maps(pod.get("volumes")):
        if isinstance(source := row.get("image"), Mapping) and source.get("reference"):
            yield str(row.get("name", "")), source, "reference", "pullPolicy"


def value_images(tree: Any, path: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Yields the images in a chart's values with their places: text under `image`, or a map with repository, registry, tag."""
    if isinstance(tree, Mapping) and (image := _spelled_in_parts(tree, path)):
        yield path, image
        return
    for key, value in _below(tree).items():
        at = (*path, key)
        if at[-1] == "image" and isinstance(value, str):
            if value:
                yield at, value
        else:
            yield from value_images(value, at)


def _spelled_in_parts(tree: Mapping[str, Any], path: Steps) -> str:
    """Returns the image of a map with parts, or "". A map is an image if it is called `image`, or has a tag or a registry."""
    registry, repository, tag, digest = (
        str(tree.get(key) or "") for key in ("registry", "repository", "tag", "digest")
    )
    if not repository or "://" in repository or not (path[-1:] == ("image",) or registry or tag or digest):
        return ""
    name = f"{registry.rstrip('/')}/{repository}" if registry else repository
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list | tuple) else []


def _below(value: Any) -> dict[Any, Any]:
    """Returns a map's values by key, a list's items by number, else an empty dict."""
    if isinstance(value, Mapping):
        return dict(value)
    return dict(enumerate(value)) if isinstance(value, list | tuple) else {}
