"""What a rehearsal writes into the blanks of a stack file that makes a GKE cluster: a project and a reservation of no team, and a
version that the pretend cloud offers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from rehearsal.clouds.gke.versions import OFFERED
from rehearsal.parts.parts import Part
from releases.values import at, merge
from stacks.clouds.gke.blanks import RULE, blanks
from stacks.clouds.gke.spec import Gke
from stacks.file.load import StackFile
from stacks.spec.stack import StackSpec

#: The rule that a rehearsal does not ask.
UNASKED = frozenset({RULE.id})
PROJECT = "rehearsal"


def written(spec: StackSpec) -> dict[str, str]:
    """What is written into each blank, by its path under `cluster.gke`; nothing where there is none."""
    gke = spec.cluster.gke_to_make
    return {path: _value(path, gke) for path in blanks(gke)} if gke else {}


def _value(path: str, gke: Gke) -> str:
    project = PROJECT if "project" in blanks(gke) else gke.project
    values = {
        "project": project,
        "version": OFFERED[gke.release_channel][0],
        "capacity.reservation": f"projects/{project}/reservations/{PROJECT}",
    }
    return values[path]


def keys(spec: StackSpec) -> Mapping[str, Any]:
    """The same as keys of the stack file."""
    return reduce(merge, (at(("cluster", "gke", *path.split(".")), value) for path, value in written(spec).items()), {})


def filled(spec: StackSpec) -> StackSpec:
    """The spec with its blanks filled in."""
    gke, found = spec.cluster.gke, keys(spec)
    if gke is None or not found:
        return spec
    whole = merge(json.loads(gke.model_dump_json(by_alias=True)), found["cluster"]["gke"])
    cluster = spec.cluster.model_copy(update={"gke": Gke.model_validate_json(json.dumps(whole))})
    return spec.model_copy(update={"cluster": cluster})


def _part(file: StackFile) -> Iterator[Part]:
    if found := written(file.spec):
        said = ", ".join(f"{path} {value}" for path, value in found.items())
        yield Part("blanks", False, f"{file.path.name} leaves them to you; here: {said}")


@dataclass(frozen=True)
class Blanks:
    """How the blanks of a stack file are filled in, and those of the stack that makes its nodes: keys of either, and what the
    report says of both."""

    own: Mapping[str, Any]
    platform: Mapping[str, Any]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, file: StackFile, platform: StackFile | None) -> "Blanks":
        """Those of a file, and of the other if there is one."""
        if platform is None:
            return cls(keys(file.spec), {}, tuple(_part(file)))
        return cls(keys(file.spec), keys(platform.spec), (*_part(file), *_part(platform)))
