"""The configuration without its faulty fields, so that rules can still judge all that does not depend on them.

A faulty item of a list, key of a map or key of a section is left out. A key of a cloud's section is then unknown, so that a rule
that reads it is silent; any other key has its default, and keys that depend on it are left out too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError, create_model

from stacks.clouds.registry import CLOUDS
from stacks.findings import Place
from stacks.schema import Section
from stacks.spec.stack import StackSpec

#: Pairs of keys: if the first cannot be read, problems of the second depend on an unknown value and are left out.
DEPENDENT: tuple[tuple[Place, Place], ...] = (
    (("serving",), ("cluster", "nodes")),
    (("cluster", "machine"), ("cluster", "nodes")),
    # A cluster's keys, and whether `nodes` is the final number, depend on the provider.
    *((("cluster", "provider"), ("cluster", key)) for key in ("stack", "nodes", "protect", "allowReplace")),
    (("serving", "extraArgs"), ("serving", "model")),
    (("serving", "dropArgs"), ("serving", "model")),
)
#: Keys of `cluster` that depend on the section of a cloud, if that is required and no map at all.
WITH_THE_SECTION = ("provider", "protect", "allowReplace")
#: Stands where no accelerator can be read, so that what does not depend on it can still be judged.
NO_ACCELERATOR = "?"

#: The indices of the items left out of lists, ascending, by the list's place.
LeftOut = dict[Place, list[int]]


@dataclass(frozen=True)
class Remains:
    """The spec of what remains, None if nothing can be made of it, and the places whose findings depend on a faulty field."""

    spec: StackSpec | None
    unknown: frozenset[Place] = frozenset()
    left_out: Mapping[Place, Sequence[int]] = field(default_factory=dict)

    def in_the_file(self, at: Place) -> Place | None:
        """Returns the place in the file of a place in the spec; None if a finding there depends on a faulty field."""
        found: Place = ()
        for step in at:
            for index in self.left_out.get(found, ()):
                if isinstance(step, int) and index <= step:
                    step += 1
            found = (*found, step)
        dependent = found in self.left_out or any(found[: len(place)] == place for place in self.unknown)
        return None if dependent else found


def remains(config: dict[str, Any], faulty: Sequence[Place], meant: Sequence[Place], *, platform: bool) -> Remains:
    """Returns what remains of a configuration without its faulty places.

    `meant` are missing keys that unknown ones probably stand for. `platform`: it is a platform stack's configuration.
    """
    left: dict[str, Any] = json.loads(json.dumps(config))
    left_out: LeftOut = {}
    unknown = {*faulty, *meant}
    dependent = {then for place in unknown for then in _dependent(place)}
    try:
        sections = _sections(left, [*faulty, *meant], left_out)
        whole = {("cluster", key) for key in sections}
        if not platform:
            _with_accelerator(left)
        outside = [place for place in faulty if place[:2] not in whole]
        _leave_out(left, [*outside, *(place for place in dependent if _target(left, place) == place)], left_out)
        if not platform:
            _with_accelerator(left)
        spec = StackSpec.model_validate_json(json.dumps(left))
    except ValidationError:
        return Remains(None)
    cluster = spec.cluster.model_copy(update=sections)
    return Remains(spec.model_copy(update={"cluster": cluster}), frozenset(unknown | dependent), left_out)


def _dependent(place: Place) -> Iterator[Place]:
    yield from (then for first, then in DEPENDENT if place[: len(first)] == first)
    for key, kind in _section_types().items():
        at = ("cluster", key)
        if place == ("cluster", "provider"):
            yield at
        if place == at and any(info.is_required() for info in kind.model_fields.values()):
            yield from (("cluster", other) for other in WITH_THE_SECTION)
        if place[:4] == (*at, "acceleratorPool", "labels"):
            yield ("serving", "nodeSelector")


def _section_types() -> dict[str, type[Section]]:
    """Returns the type of the section of each cloud that has one. The registry is asked when a file is read."""
    return {key: cloud.section_type for key, cloud in CLOUDS.items() if cloud.section_type is not None}


def _with_accelerator(config: dict[str, Any]) -> None:
    serving = config.setdefault("serving", {})
    if isinstance(serving, dict):
        serving.setdefault("accelerator", NO_ACCELERATOR)


def _sections(config: dict[str, Any], faulty: Sequence[Place], left_out: LeftOut) -> dict[str, Section]:
    """Takes the faulty sections of clouds out of a configuration, and returns what remains of them."""
    found, cluster = {}, config.get("cluster")
    for key, kind in _section_types().items():
        at = ("cluster", key)
        below = [place[2:] for place in faulty if place[:2] == at]
        given = cluster.get(key) if isinstance(cluster, dict) else None
        if isinstance(given, dict) and below and all(below):
            found[key] = _section(kind, given, below, at, left_out)
            del config["cluster"][key]
    return found


def _section(
    kind: type[Section], given: dict[str, Any], faulty: Sequence[Place], at: Place, left_out: LeftOut
) -> Section:
    """Returns a section without its faulty keys. To read one of them raises UnknownError."""
    known = {key: value for key, value in given.items() if (key,) not in faulty}
    below: dict[str, Section] = {}
    unknown: set[str] = set()
    for name, info in kind.model_fields.items():
        key, value = str(info.alias), given.get(str(info.alias))
        places = [place[1:] for place in faulty if place[0] == key]
        inner = next((part for part in get_args(info.annotation) or (info.annotation,) if _is_section(part)), None)
        if not places:
            continue
        known.pop(key, None)
        if inner is not None and isinstance(value, dict) and all(places):
            below[name] = _section(inner, value, places, (*at, key), left_out)
        elif isinstance(value, list | dict) and all(places):
            _leave_out(value, places, left_out, (*at, key))
            known |= {key: value} if value or (isinstance(value, list) and not info.metadata) else {}
        if name not in below and key not in known:
            unknown.add(name)
    absent: dict[str, Any] = dict.fromkeys(unknown | below.keys(), (Any, None))
    found = create_model(kind.__name__, __base__=kind, **absent).model_validate_json(json.dumps(known))
    for name in unknown:
        del found.__dict__[name]
    found.__dict__.update(below)
    return found


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _leave_out(content: Any, faulty: Sequence[Place], left_out: LeftOut, at: Place = ()) -> None:
    """Takes out of a content whose place is `at` what is faulty: an item of a list as a whole, else the deepest existing key."""
    targets = {target for place in faulty if (target := _target(content, place))}
    for *above, last in sorted(targets, key=lambda target: [str(step).rjust(4) for step in target], reverse=True):
        holder = content
        for step in above:
            holder = holder[step]
        if isinstance(holder, list):
            left_out.setdefault((*at, *above), []).insert(0, int(last))
        del holder[last]


def _target(content: Any, place: Place) -> Place:
    for length, step in enumerate(place):
        if isinstance(content, list) and isinstance(step, int) and step < len(content):
            return place[: length + 1]
        if not isinstance(content, dict) or step not in content:
            return place[:length]
        content = content[step]
    return place
