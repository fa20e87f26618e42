"""Resources of a cloud as data: what a plan says is made, in the words of the provider's SDK, before any SDK is there.

Owns no cloud's rules. `components/cluster` registers them: it looks the class up by its path and puts the resources
themselves in the place of references.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Ref:
    """An attribute of another resource of the plan, known once that is made."""

    resource: str
    attribute: str = "id"


@dataclass(frozen=True)
class Timeouts:
    """How long the engine waits, as it spells durations; None is the provider's own patience."""

    create: str | None = None
    update: str | None = None
    delete: str | None = None


@dataclass(frozen=True)
class Resource:
    """One resource.

    `name` is its logical name, once in a plan; `type` the path of its class in the SDK (`container.NodePool`); `args` plain
    values with the SDK's names and `Ref`s; `title` what it is, for people; `after` what is there before it though no argument
    says so. `ignore_changes` are spelt as the engine does (`nodeConfig`).
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
        """Every resource that has to be there first, and can only go after it."""
        return frozenset((*self.after, *(ref.resource for ref in refs(self.args))))


def refs(value: Any) -> Iterator[Ref]:
    """The references in a value, however deep."""
    match value:
        case Ref():
            yield value
        case Mapping():
            for part in value.values():
                yield from refs(part)
        case list() | tuple():
            for part in value:
                yield from refs(part)


#: Arguments whose keys are the user's own words.
_OWN_WORDS = frozenset({"labels", "metadata", "resource_labels", "resource_manager_tags", "sysctls"})


def _as_text(ref: Ref) -> str:
    """No other text of a plan begins so."""
    return f"@{ref.resource}.{ref.attribute}"


def plain(value: Any, spell: Callable[[Ref], str] = _as_text) -> Any:
    """A value as JSON and YAML can hold it: a reference as text, as `spell` says."""
    match value:
        case Ref():
            return spell(value)
        case Mapping():
            return {key: plain(part, spell) for key, part in value.items()}
        case list() | tuple():
            return [plain(part, spell) for part in value]
    return value


def from_the_engine(value: Any) -> Any:
    """Inputs as the engine tells a provider, in the words of a plan: `nodeCount: 2.0` as `node_count: 2`."""
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
    """An argument's name in the SDK."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
