"""Resources of a cloud as data, with the names of the provider's SDK but without importing an SDK.

Knows no rules of a cloud. `components/cluster` registers the resources: it looks each class up by its path and replaces
references by the resources themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Ref:
    """A reference to an attribute of another resource of the plan, known once that resource exists."""

    resource: str
    attribute: str = "id"


@dataclass(frozen=True)
class Timeouts:
    """The engine's timeouts, in its spelling of durations (`30m`); None is the provider's default."""

    create: str | None = None
    update: str | None = None
    delete: str | None = None


@dataclass(frozen=True)
class Resource:
    """One resource.

    `name` is its logical name, unique in a plan; `type` the path of its class in the SDK (`container.NodePool`); `args` plain
    values and `Ref`s with the SDK's names; `title` a description for people; `after` resources it depends on though no argument
    refers to them. `ignore_changes` has the engine's spelling (`nodeConfig`).
    """

    name: str
    type: str
    title: str
    args: Arguments
    after: tuple[str, ...] = ()
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    delete_before_replace: bool = False

    @property
    def before(self) -> frozenset[str]:
        """The names of all resources it depends on: created before it and deleted after it."""
        return frozenset((*self.after, *(ref.resource for ref in refs(self.args))))


def refs(value: Any) -> Iterator[Ref]:
    """Yields the references in a value, at any depth."""
    match value:
        case Ref():
            yield value
        case Mapping():
            for part in value.values():
                yield from refs(part)
        case list() | tuple():
            for part in value:
                yield from refs(part)


#: Arguments whose keys are chosen by the user.
_OWN_WORDS = frozenset({"labels", "metadata", "resource_labels", "resource_manager_tags", "sysctls"})


def _as_text(ref: Ref) -> str:
    """Returns a reference as text. No other text of a plan begins with `@`."""
    return f"@{ref.resource}.{ref.attribute}"


def plain(value: Any, spell: Callable[[Ref], str] = _as_text) -> Any:
    """Returns a value that JSON and YAML can hold: references become text by `spell`."""
    match value:
        case Ref():
            return spell(value)
        case Mapping():
            return {key: plain(part, spell) for key, part in value.items()}
        case list() | tuple():
            return [plain(part, spell) for part in value]
    return value


def from_the_engine(value: Any) -> Any:
    """Returns inputs that the engine passed to a provider with the names of a plan: `nodeCount: 2.0` becomes `node_count: 2`."""
    match value:
        case Mapping():
            return {
                (name := snake(key)): dict(part)
                if name in _OWN_WORDS and isinstance(part, Mapping)
                else from_the_engine(part)
                for key, part in value.items()
            }
        case list() | tuple():
            return [from_the_engine(part) for part in value]
        case float() if value.is_integer():
            return int(value)
    return value


def snake(name: str) -> str:
    """Returns an argument's name in the SDK."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
