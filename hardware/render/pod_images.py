"""Where images are named: by the pods in Kubernetes objects, and in the values of charts.

Knows the API's names for it and the two ways charts have of spelling an image. What is made of the images is others' affair.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardware.bill import Path
from hardware.render.images import mirrored


@dataclass(frozen=True)
class PodImage:
    """An image a pod runs or mounts, and by which name: its container's, or its volume's.

    What is never `pulled` is on the node.
    """

    image: str
    name: str
    pulled: bool = True


def pod_images(obj: Any) -> Iterator[PodImage]:
    """Every image of every pod in an object, whatever its kind: of containers, of init containers, and as volumes."""
    if isinstance(obj, Mapping):
        for name, holder, key, policy in _places(obj):
            yield PodImage(str(holder[key]), name, holder.get(policy) != "Never")
    for below in _below(obj).values():
        yield from pod_images(below)


def from_mirror(obj: Any, registry: str) -> Any:
    """A copy of the object with every image that `pod_images` finds, and nodes pull, taken from a registry."""
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
    """Where a pod names images: the container's or volume's name, the map that does, and its keys for image and policy."""
    for part in ("containers", "initContainers"):
        for row in _maps(pod.get(part)):
            if row.get("image"):
                yield str(row.get("name", "")), row, "image", "imagePullPolicy"
    for row in _maps(pod.get("volumes")):
        if isinstance(source := row.get("image"), Mapping) and source.get("reference"):
            yield str(row.get("name", "")), source, "reference", "pullPolicy"


def value_images(tree: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every image in a chart's values, with its place: text under a key `image`, or a map with repository, registry, tag.

    An item of a list has its number in the last key of its place: `("containers[0]", "image")`.
    """
    if isinstance(tree, Mapping) and (image := _spelled_in_parts(tree, path)):
        yield path, image
        return
    for key, value in _below(tree).items():
        at = (*path[:-1], f"{path[-1]}[{key}]") if isinstance(key, int) and path else (*path, str(key))
        if at[-1] == "image" and isinstance(value, str):
            if value:
                yield at, value
        else:
            yield from value_images(value, at)


def _spelled_in_parts(tree: Mapping[str, Any], path: Path) -> str:
    """The image a map spells, or nothing where it is another map: one that is called `image`, or has a tag beside it."""
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
    """What is in a map by its keys, in a list by their numbers."""
    if isinstance(value, Mapping):
        return dict(value)
    return dict(enumerate(value)) if isinstance(value, list | tuple) else {}
