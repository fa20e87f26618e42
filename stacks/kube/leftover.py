"""The search for a stack's leftovers in its cluster: reads what the role may read, tells owners apart, and collects results."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stacks.findings import PROJECT, Problem, StackFileError
from stacks.kube.api import Api, Object
from stacks.kube.errors import not_kubernetes
from stacks.kube.owner import owner_of


@dataclass(frozen=True)
class Leftover:
    """One leftover of a stack. `bills`: it costs money while it exists. `on_purpose`: a destroy leaves it."""

    kind: str
    name: str
    what: str
    bills: bool = False
    on_purpose: bool = False


@dataclass(frozen=True)
class Leftovers:
    """The result of a search: `found` leftovers, notes on things of `others`, and kinds left `unread` for lack of permission.

    If anything is unread, the result is not complete.
    """

    found: tuple[Leftover, ...]
    others: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def left(self) -> list[Leftover]:
        """Leftovers that a destroy should have deleted."""
        return [one for one in self.found if not one.on_purpose]

    @property
    def on_purpose(self) -> list[Leftover]:
        """Leftovers that stay because others may use them."""
        return [one for one in self.found if one.on_purpose]


@dataclass
class Search:
    """One search for the stack of this name, in any organization."""

    api: Api
    stack: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """The end of the stack's full name."""
        return f"/{PROJECT}/{self.stack}"

    def result(self, found: Iterable[Leftover]) -> Leftovers:
        """Returns the result of the search."""
        everything = tuple(found)
        return Leftovers(everything, tuple(self.others), tuple(self.unread))

    def read(self, what: str, path: str) -> Object | None:
        """Returns an object; None if there is none, and None with an entry in `unread` if the role may not read it."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.api.read(path)
        except ApiException as error:
            if error.status != 403:
                raise
            self.unread.append(what)
            return None

    def items(self, what: str, path: str, missing: Problem | None = None) -> list[Object]:
        """Returns the items of a kind that the cluster must have; none, with an entry in `unread`, if the role may not read them.

        Raises:
            StackFileError: the cluster does not know the kind: with `missing`, or with a problem that it is no API server. Else
            "nothing is left" would be the answer about a cluster that is not the one that bills.
        """
        found = self.read(what, path)
        if found is None and what not in self.unread:
            raise StackFileError([missing or not_kubernetes(f"knows no {what}")])
        items: list[Object] = (found or {}).get("items") or []
        return items

    def ours(self, obj: Object) -> bool:
        """Whether an object is marked as the stack's."""
        return (owner_of(obj) or "").endswith(self.mark)


def ending(obj: Object) -> str:
    """Returns `; being deleted` with the finalizers of an object that is being deleted, else an empty text."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata:
        return ""
    held = metadata.get("finalizers") or []
    return f"; being deleted, held by {', '.join(held)}" if held else "; being deleted"
