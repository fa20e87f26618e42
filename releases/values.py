"""Value trees of charts, pure: Helm's merge of `-f` files, and the router's values for one stack.

Knows no chart's keys: those belong to the bill.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from hardware.bill import Bill, ChartImage, Path
from hardware.render.images import ImageRef

Tree = Mapping[str, Any]


def merge(*trees: Tree) -> dict[str, Any]:
    """Merges trees as Helm merges `-f` files: the last one wins. The result shares nothing with its inputs.

    Maps merge key by key; other values, lists too, are replaced. A null stays in the result, as in Helm: it deletes the
    *chart's* default, so a caller must pass it on to Helm.
    """
    merged: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            below = merged.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[key] = merge(below, value)
            else:
                merged[key] = deepcopy(value)
    return merged


def router_values(
    bill: Bill,
    *,
    name: str,
    features: Sequence[Tree] = (),
    settings: Mapping[str, Any] | None = None,
    overrides: Tree | None = None,
) -> dict[str, Any]:
    """Merges the values of a stack's router: the bill's trees, its selector, `features`, `settings`, then `overrides`.

    `name` is the guide label of the stack's model servers; the router serves only those pods. `settings` are values by the
    names of `bill.router.settings`.

    Raises:
        KeyError: the release's charts have no such setting.
    """
    wanted = {"matchLabels": {bill.guide_label: name}, **(settings or {})}
    placed = [at(bill.router.settings[key], value) for key, value in wanted.items()]
    return merge(*bill.router.values, *features, *placed, overrides or {})


def at(path: Path, value: Any) -> dict[str, Any]:
    """Returns a tree with one value at a path."""
    for key in reversed(path):
        value = {key: value}
    tree: dict[str, Any] = value
    return tree


def look_up(tree: Tree, path: Sequence[str | int]) -> Any:
    """Returns the value at a path of a tree, or None."""
    value: Any = tree
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        else:
            items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
            value = items[step] if isinstance(step, int) and step < len(items) else None
    return value


def upstreams(bill: Bill, setting: str) -> Any:
    """Returns a setting's value in upstream's own values, or None."""
    return look_up(merge(*bill.router.values), bill.router.settings[setting])


def image_values(known: ChartImage, image: str) -> dict[str, Any]:
    """Returns the tree of values that replaces one of a chart's images by `image`."""
    ref = ImageRef.parse(image)
    slots = {"image": image, "host": ref.host, "place": ref.place, "path": ref.path, "base": ref.base, "tag": ref.tag}
    return merge(*(at(path, form.format(**slots)) for path, form in known.keys.items()))
