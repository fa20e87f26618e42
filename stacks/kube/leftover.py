"""How to look for what of a stack is still in its cluster: reading what may be read, telling whose it is, and what was found."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stacks.findings import PROJECT, Problem, StackFileError
from stacks.kube.api import Api, Object
from stacks.kube.errors import not_kubernetes
from stacks.kube.owner import holder


@dataclass(frozen=True)
class Leftover:
    """One thing of a stack's that is there. `bills`: it costs money for as long as it is; `on_purpose`: a destroy leaves it."""

    kind: str
    name: str
    what: str
    bills: bool = False
    on_purpose: bool = False


@dataclass(frozen=True)
class Leftovers:
    """What a look brought: what is there; what has a name of the stack's but is somebody else's; what may not be read.

    Where something may not be read, nothing can be said of the rest.
    """

    found: tuple[Leftover, ...]
    others: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def left(self) -> list[Leftover]:
        """What should be gone after a destroy."""
        return [one for one in self.found if not one.on_purpose]

    @property
    def on_purpose(self) -> list[Leftover]:
        """What stays, because others may use it."""
        return [one for one in self.found if one.on_purpose]


@dataclass
class Look:
    """One look for the stack of this name, with whatever organization."""

    api: Api
    stack: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """How the full name of the stack ends."""
        return f"/{PROJECT}/{self.stack}"

    def result(self, found: Iterable[Leftover]) -> Leftovers:
        """What was found, and what else there is to say of it."""
        everything = tuple(found)
        return Leftovers(everything, tuple(self.others), tuple(self.unread))

    def read(self, what: str, path: str) -> Object | None:
        """What is there, None where there is nothing; and None, and `unread`, where we may not look."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.api.read(path)
        except ApiException as error:
            if error.status != 403:
                raise
            self.unread.append(what)
            return None

    def items(self, what: str, path: str, missing: Problem | None = None) -> list[Object]:
        """The items of a kind that the cluster has to have; none, and `unread`, where we may not look.

        Raises:
            StackFileError: with what is `missing`, or that no API server is without the kind. "Nothing is left" would be said of
                another place than the one that bills.
        """
        found = self.read(what, path)
        if found is None and what not in self.unread:
            raise StackFileError([missing or not_kubernetes(f"knows no {what}")])
        items: list[Object] = (found or {}).get("items") or []
        return items

    def ours(self, obj: Object) -> bool:
        return (holder(obj) or "").endswith(self.mark)


def ending(obj: Object) -> str:
    """That something is on its way out, and what keeps it."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata:
        return ""
    held = metadata.get("finalizers") or []
    return f"; being deleted, held by {', '.join(held)}" if held else "; being deleted"
