"""The pretend cloud driven as the engine drives it, without one: plans are made and taken away resource by resource."""

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.clouds.gke.pretend import GKE
from rehearsal.clouds.lifecycle import PretendResources
from rehearsal.clouds.pretend import PretendKinds, World
from rehearsal.clouds.sdk import Sdk
from rehearsal.clouds.store import Cloud
from rehearsal.plugins.provider import Changes, Resource
from stacks.clouds.resource import Ref
from stacks.clouds.resource import Resource as Planned

#: Whether Google's SDK has an argument at a path of a class.
declares = Sdk(GKE.sdk).declares
#: Arguments whose keys are the user's own words.
OWN_WORDS = ("labels", "metadata", "resource_labels", "sysctls")


def installed() -> bool:
    """Whether Google's SDK is installed, an extra."""
    return importlib.util.find_spec(GKE.sdk) is not None


def camel(name: str) -> str:
    """An argument's name as the engine spells it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def spelt(value: Any, states: Mapping[str, Any] | None = None) -> Any:
    """A value of a plan as the engine tells it: with its spelling, and references as what they refer to says."""
    match value:
        case Ref(resource, attribute):
            return (states or {}).get(resource, {}).get(camel(attribute), f"projects/acme-serving/nowhere/{resource}")
        case Mapping():
            return {camel(key): dict(part) if key in OWN_WORDS else spelt(part, states) for key, part in value.items()}
        case list() | tuple():
            return [spelt(part, states) for part in value]
    return value


def token(kind: str, package: str = "gcp") -> str:
    """The engine's word for a class."""
    module, _, name = kind.rpartition(".")
    return f"{package}:{module or 'index'}/{name[0].lower()}{name[1:]}:{name}"


class Program:
    """A stack's resources in a cloud, as one engine knows them: ids and states by logical name."""

    def __init__(self, path: Path, stack: str = "prod", table: PretendKinds = GKE, **world: Any) -> None:
        self.cloud = Cloud(path)
        self.table = table
        self.world = World(self.cloud, **{"project": "acme-serving", **world})
        self.stack = stack
        self.ids: dict[str, str] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, str] = {}

    def copied(self, path: Path, **world: Any) -> "Program":
        """The same resources in a cloud of its own."""
        if self.cloud.path.exists():
            shutil.copy(self.cloud.path, path)
        copy = Program(path, self.stack, self.table, **world)
        copy.ids, copy.states, copy.inputs, copy.kinds = map(dict, (self.ids, self.states, self.inputs, self.kinds))
        return copy

    def told(self, name: str, kind: str) -> Resource:
        called = token(kind, self.table.package)
        return Resource(f"urn:pulumi:{self.stack}::llmd-pd::{called}::{name}", called, name)

    def of(self, kind: str) -> PretendResources:
        return PretendResources(self.table, kind, self.world)

    def check(self, resource: Planned) -> Mapping[str, str]:
        inputs = spelt(resource.args, self.states)
        return self.of(resource.type).check(self.told(resource.name, resource.type), {}, inputs, "n")[1]

    def create(self, resource: Planned) -> dict[str, Any]:
        inputs = spelt(resource.args, self.states)
        id_, state = self.of(resource.type).create(self.told(resource.name, resource.type), inputs, 0, False)
        self.ids[resource.name], self.states[resource.name] = id_, {**state, "id": id_}
        self.inputs[resource.name], self.kinds[resource.name] = inputs, resource.type
        return self.states[resource.name]

    def create_all(self, resources: Sequence[Planned]) -> None:
        for resource in resources:
            self.create(resource)

    def diff(self, resource: Planned) -> Changes:
        old, state = self.inputs[resource.name], self.states[resource.name]
        told = self.told(resource.name, resource.type)
        changes = self.of(resource.type).diff(told, old, spelt(resource.args, self.states), state)
        return changes.without(resource.ignore_changes)

    def update(self, resource: Planned, *, preview: bool = False) -> dict[str, Any]:
        new = spelt(resource.args, self.states)
        told, id_ = self.told(resource.name, resource.type), self.ids[resource.name]
        state = self.of(resource.type).update(
            told, id_, new, self.states[resource.name], timeout=0, preview=preview, ignore=[]
        )
        if preview:
            return state
        self.states[resource.name], self.inputs[resource.name] = {**state, "id": id_}, new
        return state

    def delete(self, name: str) -> None:
        kind = self.kinds[name]
        self.of(kind).delete(self.told(name, kind), self.ids[name], self.inputs[name], self.states[name], 0)
