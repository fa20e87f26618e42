"""The values that a rehearsal writes into the placeholders of a stack file; each cloud has its own (`rehearsal.clouds`)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from rehearsal.clouds.registry import rehearsal_of, unasked
from rehearsal.parts.parts import Part
from releases.values import at, merge
from stacks.file.load import StackFile
from stacks.spec.stack import StackSpec

#: Ids of rules that a rehearsal skips.
UNASKED = unasked()


def written(spec: StackSpec) -> Mapping[str, str]:
    """Returns the value of each placeholder by its path under the cloud's section."""
    cluster = spec.cluster
    return rehearsal_of(cluster.cloud).placeholders(cluster.section) if cluster.makes_nodes else {}


def keys(spec: StackSpec) -> Mapping[str, Any]:
    """Returns the values of the placeholders as keys of the stack file."""
    section = spec.cluster.cloud.key
    return reduce(
        merge, (at(("cluster", section, *path.split(".")), value) for path, value in written(spec).items()), {}
    )


def filled(spec: StackSpec) -> StackSpec:
    """Returns the spec with its placeholders filled in."""
    section, found, key = spec.cluster.section, keys(spec), spec.cluster.cloud.key
    if section is None or not found:
        return spec
    whole = merge(json.loads(section.model_dump_json(by_alias=True)), found["cluster"][key])
    cluster = spec.cluster.model_copy(update={key: type(section).model_validate_json(json.dumps(whole))})
    return spec.model_copy(update={"cluster": cluster})


def _part(file: StackFile) -> Iterator[Part]:
    if found := written(file.spec):
        said = ", ".join(f"{path} {value}" for path, value in found.items())
        yield Part("placeholders", False, f"{file.path.name} leaves them to you; here: {said}")


@dataclass(frozen=True)
class Placeholders:
    """The keys that fill in the placeholders of a stack file and of its platform stack's file, and the parts that report them."""

    own: Mapping[str, Any]
    platform: Mapping[str, Any]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, file: StackFile, platform: StackFile | None) -> "Placeholders":
        """Returns the keys for a stack file and for the file of its platform stack, if it has one."""
        if platform is None:
            return cls(keys(file.spec), {}, tuple(_part(file)))
        return cls(keys(file.spec), keys(platform.spec), (*_part(file), *_part(platform)))
