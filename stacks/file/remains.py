"""The configuration without its faulty fields, so that rules can still judge all that does not depend on them.

A faulty item of a list, key of a map or key of a section is left out. A key of a cloud's section is then unknown, so that a rule
that reads it is silent; any other key has its default, and keys that depend on it are left out too.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from pydantic import ValidationError, create_model

from stacks.clouds.registry import section_types
from stacks.findings import Place
from stacks.rules.fit import FIT_01
from stacks.rules.gateway import GW_01
from stacks.rules.router import ROUTER_02, ROUTER_04
from stacks.rules.serving import MODEL_01
from stacks.schema import Section
from stacks.spec.stack import StackSpec, Suppress

#: A place, and a rule whose findings there depend on a faulty field; "" is every rule.
Dependent = tuple[Place, str]
#: If the first place cannot be read, findings at the second depend on an unknown value: those of a rule, or of every one.
DEPENDENT: tuple[tuple[Place, Place, str], ...] = (
    (("serving",), ("cluster", "nodes"), FIT_01.id),
    (("cluster", "machine"), ("cluster", "nodes"), FIT_01.id),
    # Which keys of a cluster are read, and whether `nodes` is the final number, depends on the provider.
    *((("cluster", "provider"), ("cluster", key), "") for key in ("stack", "nodes", "protect", "allowReplace")),
    (("serving", "extraArgs"), ("serving", "model"), MODEL_01.id),
    (("serving", "dropArgs"), ("serving", "model"), MODEL_01.id),
    (("router", "mode"), ("router", "gateway"), GW_01.id),
    *((("router", "mode"), ("router", key), ROUTER_04.id) for key in ("proxyResources", "failureMode")),
    (("router", "plugins"), ("router", "replicas"), ROUTER_02.id),
)
#: Stands where no accelerator can be read, so that what does not depend on it can still be judged.
NO_ACCELERATOR = "?"
NO_REASON = "?"

#: The indices of the items left out of lists, ascending, by the list's place.
LeftOut = dict[Place, list[int]]


@dataclass(frozen=True)
class Remains:
    """The spec of what remains, None if nothing can be made of it, and the findings on it that depend on a faulty field."""

    spec: StackSpec | None
    unknown: frozenset[Dependent] = frozenset()
    left_out: Mapping[Place, Sequence[int]] = field(default_factory=dict)

    def in_the_file(self, at: Place, rule: str) -> Place | None:
        """Returns the place in the file of a rule's finding in the spec; None if the finding depends on a faulty field."""
        found: Place = ()
        for step in at:
            for index in self.left_out.get(found, ()):
                if isinstance(step, int) and index <= step:
                    step += 1
            found = (*found, step)
        unknown = any(found[: len(place)] == place and one in ("", rule) for place, one in self.unknown)
        return None if unknown or found in self.left_out else found


def remains(config: dict[str, Any], faulty: Sequence[Place], *, platform: bool) -> Remains:
    """Returns what remains of a configuration without its faulty places. `platform`: it is a platform stack's."""
    left: dict[str, Any] = json.loads(json.dumps(config))
    left_out: LeftOut = {}
    unknown: set[Dependent] = {(place, "") for place in faulty}
    unknown |= {then for place in faulty for then in _dependent(place)}
    _with_reasons(left)
    try:
        sections = _sections(left, faulty, left_out)
        whole = {("cluster", key) for key in sections}
        outside = [place for place in faulty if place[:2] not in whole and not _is_a_reason(place)]
        spec, out = _spec(left, outside, left_out, platform=platform)
    except ValidationError:
        return Remains(None)
    cluster = spec.cluster.model_copy(update=sections)
    return Remains(
        spec.model_copy(update={"cluster": cluster}), frozenset(unknown | {(place, "") for place in out}), left_out
    )


def _spec(
    left: dict[str, Any], faulty: Sequence[Place], left_out: LeftOut, *, platform: bool
) -> tuple[StackSpec, set[Place]]:
    """Returns the spec without the faulty places, and the sections left out because a key that they need is faulty."""
    out: set[Place] = set()
    while True:
        if not platform:
            _with_accelerator(left)
        _leave_out(left, faulty, left_out)
        if not platform:
            _with_accelerator(left)
        try:
            return StackSpec.model_validate_json(json.dumps(left)), out
        except ValidationError as error:
            missing = {_target(left, detail["loc"]) for detail in error.errors() if detail["type"] == "missing"} - {()}
            if not missing:
                raise
            faulty, out = [*missing], out | missing


def _with_reasons(config: dict[str, Any]) -> None:
    """Takes unknown keys out of the entries of `suppress`, and gives each a reason: which rule it is about does not depend on
    them.
    """
    entries, known = config.get("suppress"), {*Suppress.keys()}
    if not isinstance(entries, list):
        return
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            kept = {key: value for key, value in entry.items() if key in known}
            reason = kept.get("reason")
            entries[index] = {**kept, "reason": reason if isinstance(reason, str) and reason else NO_REASON}


def _is_a_reason(place: Place) -> bool:
    """Whether a faulty place is about an entry of `suppress` and not about its rule."""
    return place[:1] == ("suppress",) and len(place) == 3 and place[2] != "rule"


def _dependent(place: Place) -> Iterator[Dependent]:
    yield from ((then, rule) for first, then, rule in DEPENDENT if place[: len(first)] == first)
    for key in section_types():
        pool = ("cluster", key, "acceleratorPool")
        if place == ("cluster", "provider"):
            yield ("cluster", key), ""
        if place[:1] == ("serving",):
            yield (*pool, "autoscaling", "max"), FIT_01.id
        if place[:2] == ("serving", "tolerations"):
            yield (*pool, "taints"), FIT_01.id
        if place == ("cluster", key):
            yield ("serving", "nodeSelector"), FIT_01.id
        if place[:4] == (*pool, "labels"):
            yield ("serving", "nodeSelector", *place[4:5]), FIT_01.id


def _with_accelerator(config: dict[str, Any]) -> None:
    serving = config.setdefault("serving", {})
    if isinstance(serving, dict):
        serving.setdefault("accelerator", NO_ACCELERATOR)


def _sections(config: dict[str, Any], faulty: Sequence[Place], left_out: LeftOut) -> dict[str, Section]:
    """Takes the faulty sections of clouds out of a configuration, and returns what remains of them."""
    found, cluster = {}, config.get("cluster")
    for key, kind in section_types().items():
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
