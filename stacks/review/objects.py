"""Changes of Kubernetes objects: changed in place, replaced because of an immutable field, added or removed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hardware.render.kinds import KINDS
from releases.values import look_up
from stacks.review.change import Change, Kind, became
from stacks.review.model_servers import became_leaf, renames
from stacks.review.trees import differences, dotted

Object = Mapping[str, Any]
Identity = tuple[str, str]

#: Fields that the API server does not let change, by kind.
IMMUTABLE: dict[str, tuple[str, ...]] = {
    **{name: kind.fixed for name, kind in KINDS.items()},
    "StatefulSet": ("spec", "selector"),
    "DaemonSet": ("spec", "selector"),
    "Job": ("spec", "template"),
    "ResourceClaimTemplate": ("spec",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
}


def by_identity(objects: Iterable[Object]) -> dict[Identity, Object]:
    """Returns objects of one namespace by kind and name."""
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}


def replaced(before: Iterable[Object], after: Iterable[Object]) -> list[tuple[Object, Object]]:
    """Returns the pairs of objects in which an immutable field differs."""
    old, new = by_identity(before), by_identity(after)
    pairs = [(old[identity], new[identity]) for identity in old if identity in new]
    return [(was, now) for was, now in pairs if _immutable(was) != _immutable(now)]


def _immutable(obj: Object) -> Any:
    path = IMMUTABLE.get(obj["kind"])
    return look_up(obj, path) if path else None


def selector_change(before: Object, after: Object) -> str:
    """Returns the changes of a Deployment's selector labels as text."""
    old, new = (look_up(obj, ("spec", "selector", "matchLabels")) or {} for obj in (before, after))
    keys = renames(old, new)
    words = [f"{was} becomes {now}" for was, now in keys.items()]
    spoken = {*keys, *keys.values()}
    rest = [key for key in {**old, **new} if key not in spoken and old.get(key) != new.get(key)]
    words += [f"{key}: {became(str(old.get(key, '')), str(new.get(key, '')))}" for key in rest]
    return ", ".join(words)


def object_changes(before: Iterable[Object], after: Iterable[Object]) -> Iterator[Change]:
    """Yields the objects that are added or removed, and changed fields by path."""
    old, new = by_identity(before), by_identity(after)
    for identity in {**old, **new}:
        subject = " ".join(identity)
        if identity not in old or identity not in new:
            yield Change(Kind.CHANGES, subject, "added" if identity not in old else "deleted")
            continue
        for difference in differences(old[identity], new[identity]):
            what = became_leaf(difference.before, difference.after)
            yield Change(Kind.CHANGES, f"{dotted(difference.path)} of {subject}", what)
