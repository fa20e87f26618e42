"""Differences between the pods of the model servers: images, environment, command lines, directories, and all the rest.

Reads the rendered Deployments. A difference without a text of its own is reported by its path, so that none is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hardware.render.argv import flag
from stacks.review.change import Change, Kind, became, of_all
from stacks.review.trees import ABSENT, added_and_gone, by_name, differences, dotted, shown, without

Object = Mapping[str, Any]
Reasons = Mapping[str, str]

EVERYONE = "all model servers"
SECTIONS = ("initContainers", "containers")
ENGINE, SIDECAR = "modelserver", "routing-proxy"


def pod_changes(before: Mapping[str, Object], after: Mapping[str, Object], reasons: Reasons) -> Iterator[Change]:
    """Yields the changes of each role's Deployment; a change that all of them share comes once."""
    pairs = [(role, before[role], after[role]) for role in before if role in after]
    names = dict.fromkeys(name for _, was, now in pairs for name in {**_containers(was), **_containers(now)})
    for name in sorted(names, key=lambda name: name != ENGINE):
        having = [(role, was, now) for role, was, now in pairs if name in {**_containers(was), **_containers(now)}]
        everyone = {ENGINE: EVERYONE, SIDECAR: "the routing proxy"}.get(name, f"container {name}")
        parts = ((role, list(_container(name, was, now, reasons))) for role, was, now in having)
        yield from of_all(parts, everyone)
    yield from of_all(((role, list(_pod_level(was, now, reasons))) for role, was, now in pairs), EVERYONE)


def images(deployment: Object) -> dict[str, str]:
    """Returns the image of each container, by the container's name."""
    return {name: container["image"] for name, container in _containers(deployment).items() if "image" in container}


def flags(words: Sequence[str]) -> dict[str, str]:
    """Returns a command line as a map of flags to their text, value included; words before the first flag are under `""`."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        name = flag(word) or name
        found.setdefault(name, []).append(word)
    return {name: " ".join(written) for name, written in found.items()}


def _pod_level(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    yield from _directories(before, after, reasons)
    yield from _labels(before, after, reasons)
    missing = {
        f"{section} {name}" for section in SECTIONS for name in _containers(before).keys() ^ _containers(after).keys()
    }
    for difference in differences(_rest(before), _rest(after)):
        if difference.path[0] not in missing:
            yield Change(Kind.CHANGES, dotted(difference.path), became_leaf(difference.before, difference.after))


def _container(name: str, before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    old, new = _containers(before).get(name), _containers(after).get(name)
    if old is None or new is None:
        yield Change(Kind.CHANGES, "all", "added" if old is None else "gone", reasons.get(name, ""))
        return
    was, now = old.get("image", ""), new.get("image", "")
    if was != now:
        yield Change(Kind.CHANGES, "image", became(was, now))
    yield from _environment(old, new, reasons)
    yield from _command_line(old, new, reasons)


def _environment(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    for name, was, now in added_and_gone(by_name(before.get("env")), by_name(after.get("env"))):
        what = became(*("" if row is ABSENT else value_of(row) for row in (was, now)))
        yield Change(Kind.CHANGES, f"variable {name}", what, reasons.get(name, ""))


def value_of(variable: Object) -> str:
    """Returns the value of a container's variable as text."""
    source = variable.get("valueFrom", {})
    if secret := source.get("secretKeyRef"):
        optional = ", which may be missing" if secret.get("optional") else ""
        return f"key {secret['key']} of Secret {secret['name']}{optional}"
    if field := source.get("fieldRef"):
        return f"the pod's {field['fieldPath']}"
    return shown(variable.get("value", source))


def _command_line(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    old, new = flags(before.get("args", ())), flags(after.get("args", ()))
    heirs = _respelt(old, new)
    for name, was, now in added_and_gone(old, new):
        if name in heirs.values():
            continue
        heir = heirs.get(name, name)
        words = ("" if each is ABSENT else f"`{each}`" for each in (was, new.get(heir, now)))
        reason = reasons.get(heir, reasons.get(name, ""))
        yield Change(Kind.CHANGES, f"flag {heir}" if heir else "command", became(*words), reason)
    if old == new and list(before.get("args", ())) != list(after.get("args", ())):
        yield Change(Kind.CHANGES, "command line", "the same flags in another order")


def _respelt(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Returns the removed flags, each with the added flag that has the same value."""
    come = {name: words for name, words in after.items() if name not in before}
    found: dict[str, str] = {}
    for name, words in before.items():
        value = words.removeprefix(name)
        heirs = [heir for heir, other in come.items() if value and other == f"{heir}{value}"]
        if name and name not in after and heirs:
            found[name] = heirs[0]
    return found


def _directories(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    for path, was, now in added_and_gone(_mounts(before), _mounts(after)):
        what = became(*("" if source is ABSENT else source for source in (was, now)))
        yield Change(Kind.CHANGES, f"directory {path}", what, reasons.get(path, ""))


def _mounts(deployment: Object) -> dict[str, str]:
    """Returns the volume behind each directory of the engine, as text."""
    volumes = by_name(_pod(deployment).get("volumes"))
    rows = _containers(deployment).get(ENGINE, {}).get("volumeMounts", ())
    return {row["mountPath"]: _volume(without(row, ("mountPath",)), volumes.get(row["name"], {})) for row in rows}


def _volume(mount: Object, volume: Object) -> str:
    kind, source = next(((key, value) for key, value in volume.items() if key != "name"), ("no volume", {}))
    options = without(mount, ("name",))
    words = {"emptyDir": "scratch space of the pod", "hostPath": "a directory of the node"}.get(kind, kind)
    details = ", ".join(f"{key} {shown(value)}" for key, value in {**(source or {}), **options}.items())
    return f"{words}, volume {mount['name']}{', ' if details else ''}{details}"


def _labels(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    """Yields renamed labels (another key, the same value), and labels that were added or removed."""
    places = [("metadata", "labels"), ("spec", "template", "metadata", "labels")]
    seen: set[Change] = set()
    for place in places:
        for change in _label_changes(_walk(before, place), _walk(after, place), reasons):
            if change not in seen:
                seen.add(change)
                yield change


def _label_changes(before: Object, after: Object, reasons: Reasons) -> Iterator[Change]:
    renamed = renames(before, after)
    for was, now in renamed.items():
        yield Change(
            Kind.BREAKS, f"label {was}", what=f"it is called {now} now, with the same value",
            why=reasons.get(now, reasons.get(was, "")),
            fix="write that in selectors of your own (NetworkPolicy, PodDisruptionBudget, queries, `kubectl -l`)",
        )  # fmt: skip
    for key, old, new in added_and_gone(before, after):
        if key not in renamed and key not in renamed.values():
            what = became(*("" if value is ABSENT else str(value) for value in (old, new)))
            yield Change(Kind.CHANGES, f"label {key}", what, reasons.get(key, ""))


def renames(before: Object, after: Object) -> dict[str, str]:
    """Returns the removed label keys, each with the added key that has the same value."""
    gone = {key: value for key, value in before.items() if key not in after}
    come = {key: value for key, value in after.items() if key not in before}
    found: dict[str, str] = {}
    for key, value in gone.items():
        heirs = [other for other in come if come[other] == value and other not in found.values()]
        if heirs:
            found[key] = heirs[0]
    return found


def _pod(deployment: Object) -> Object:
    return _walk(deployment, ("spec", "template", "spec"))


def _walk(tree: Object, path: Sequence[str]) -> Object:
    for key in path:
        tree = tree.get(key, {})
    return tree


def _containers(deployment: Object) -> dict[str, Object]:
    pod = _pod(deployment)
    return by_name(pod.get("containers")) | by_name(pod.get("initContainers"))


def _rest(deployment: Object) -> dict[str, Any]:
    """Returns the Deployment without the parts that have a text of their own."""
    rest = without(
        deployment,
        ("metadata", "labels"),
        ("spec", "selector"),
        ("spec", "template", "metadata", "labels"),
        *(("spec", "template", "spec", key) for key in ("containers", "initContainers", "volumes")),
    )
    for section in SECTIONS:
        for row in _pod(deployment).get(section, ()):
            spoken = ("image", "env", "args", *(("volumeMounts",) if row["name"] == ENGINE else ()))
            rest[f"{section} {row['name']}"] = without(row, *((key,) for key in spoken))
    mounted = {row["name"] for row in _containers(deployment).get(ENGINE, {}).get("volumeMounts", ())}
    rest["volumes"] = [row for row in _pod(deployment).get("volumes", ()) if row["name"] not in mounted]
    return rest


def became_leaf(before: Any, after: Any) -> str:
    """Returns the text for a leaf that became another one."""
    return became(*("" if value is ABSENT else shown(value) for value in (before, after)))
