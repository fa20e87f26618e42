"""Resources of a cloud as data: what a plan says is made, in the words of the provider's SDK, before any SDK is there.

Owns no cloud's rules. Whoever registers them (`components/cluster`) looks the class up by its path and puts the resources
themselves in the place of references.
"""

from collections.abc import Iterator, Mapping
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
