"""Leftovers of a stack in its cluster: the findings, and reads that note what the user may not read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stacks.findings import PROJECT, Problem, StackFileError
from stacks.kube.api import Api, Object
from stacks.kube.errors import not_kubernetes
from stacks.kube.owner import owner_of


@dataclass(frozen=True)
class Leftover:
    """An existing object of a stack. `bills`: it costs money while it exists; `on_purpose`: a destroy leaves it behind."""

    kind: str
    name: str
    what: str
    bills: bool = False
    on_purpose: bool = False


@dataclass(frozen=True)
class Leftovers:
    """The result of a search: the stack's objects; objects of its names with another owner; kinds that may not be read.

    If a kind may not be read, it is not known whether more is left.
    """

    found: tuple[Leftover, ...]
    others: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def left(self) -> list[Leftover]:
        """Objects that a destroy should have deleted."""
        return [one for one in self.found if not one.on_purpose]

    @property
    def on_purpose(self) -> list[Leftover]:
        """Objects that stay, because others may use them."""
        return [one for one in self.found if one.on_purpose]


@dataclass
class Look:
    """A search for the objects of a stack, by its name in any organization."""

    api: Api
    stack: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """The end of the stack's full name."""
        return f"/{PROJECT}/{self.stack}"

    def result(self, found: Iterable[Leftover]) -> Leftovers:
        """Returns the objects found, with notes on other owners and unreadable kinds."""
        everything = tuple(found)
        return Leftovers(everything, tuple(self.others), tuple(self.unread))

    def read(self, what: str, path: str) -> Object | None:
        """Returns the object or list at a path; None if it does not exist, or, with a note in `unread`, may not be read."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.api.read(path)
        except ApiException as error:
            if error.status != 403:
                raise
            self.unread.append(what)
            return None

    def items(self, what: str, path: str, missing: Problem | None = None) -> list[Object]:
        """Returns the items of a kind that the cluster must have; none, with a note in `unread`, if they may not be read.

        Raises:
            StackFileError: the cluster lacks the kind, with `missing` as the problem. "Nothing is left" would be said about a
                wrong cluster.
        """
        found = self.read(what, path)
        if found is None and what not in self.unread:
            raise StackFileError([missing or not_kubernetes(f"knows no {what}")])
        items: list[Object] = (found or {}).get("items") or []
        return items

    def ours(self, obj: Object) -> bool:
        return (owner_of(obj) or "").endswith(self.mark)


def ending(obj: Object) -> str:
    """Returns a clause for an object that is being deleted, with the finalizers that hold it; else ""."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata:
        return ""
    held = metadata.get("finalizers") or []
    return f"; being deleted, held by {', '.join(held)}" if held else "; being deleted"
