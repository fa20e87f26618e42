"""How to look at Google for what of a stack is still there: what may be read, which APIs are on, and which places answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from stacks.clouds.gke.leftovers.google import ApiOffError, ForbiddenError, Google, Object, UnansweredError
from stacks.clouds.gke.leftovers.kinds import Kind, items, last, silent
from stacks.findings import StackFileError
from stacks.kube.rules import CLUSTER

Found = TypeVar("Found")


@contextmanager
def asking_google() -> Iterator[None]:
    """For requests to Google: no answer, or one that is of no use, is a problem of the stack file that names the project."""
    try:
        yield
    except UnansweredError as error:
        what = "Google cannot be asked what is left"
        raise StackFileError(
            [CLUSTER.problem(at=("cluster", "gke"), what=what, why=error.why, fix=error.fix)]
        ) from error


@dataclass
class GoogleLook:
    """One look at a project, whose things of a region matter, and those that are of none.

    `others` is what there is to say beside; `unread` what may not be read, in the words of Google's permissions; `on` and `off`
    are the APIs that answered, and those that the project has not switched on.
    """

    google: Google
    region: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    on: list[str] = field(default_factory=list)
    off: set[str] = field(default_factory=set)

    def listed(self, kind: Kind) -> list[Object]:
        """The things of a kind; none where there can be none, and none, and `unread`, where we may not look.

        Raises:
            UnansweredError: a place does not answer. "Nothing is left" would be said of all the others.
        """
        found: list[Object] = []
        path = f"projects/{self.google.project}/{kind.path}"
        for page in self._asked(kind.api, last(kind.path), lambda: [*self.google.pages(kind.api, path)]) or ():
            for where in silent(page):
                if where.startswith(self.region) or where == "global":
                    raise UnansweredError(f"{where} does not answer for {last(kind.path)}", "try again later")
            found += items(kind, page)
        return found

    def read(self, api: str, path: str) -> Object | None:
        """Returns the resource at a path; None if it does not exist, or, with a note in `unread`, may not be read."""
        return self._asked(api, path.partition("/")[2].partition("/")[2], lambda: self.google.read(api, path))

    def _asked(self, api: str, what: str, ask: Callable[[], Found]) -> Found | None:
        if api in self.off:
            return None
        try:
            found = ask()
        except ApiOffError:
            self.off.add(api)
            self.others.append(
                f"{api}.googleapis.com is off in project {self.google.project}, so nothing of it is there"
            )
            return None
        except ForbiddenError:
            self.unread.append(f"{api}.{what}")
            return None
        if api not in self.on:
            self.on.append(api)
        return found
