"""A read-only client of Google's REST APIs, and the search of a project for a stack's leftovers with it.

Google's own library, which is an extra and imported late, handles credentials, their renewal and the connection. (For a user's
own credentials that library also looks for the default project, and may ask an installed gcloud for it; the result is not used
here.) Other modules interpret the answers.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from components.kube_errors import reason
from stacks.clouds.gke.leftovers.kinds import Kind, items, last, silent
from stacks.findings import StackFileError
from stacks.kube.rules import CLUSTER

if TYPE_CHECKING:
    from requests import Response, Session

Object = dict[str, Any]

#: The base URL of each API.
ROOTS: Mapping[str, str] = {
    "compute": "https://compute.googleapis.com/compute/v1",
    "container": "https://container.googleapis.com/v1",
    "file": "https://file.googleapis.com/v1",
    "iam": "https://iam.googleapis.com/v1",
    "serviceusage": "https://serviceusage.googleapis.com/v1",
}
#: GKE's API accepts no narrower scope; roles limit what may be read.
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
#: The header with the project to which requests are charged. Without it that is the project of the credentials, and an API that
#: is off there could be mistaken for one that is off in the stack's project.
PROJECT_HEADER = "x-goog-user-project"
#: Seconds to wait for one answer; lists of a large project are slow.
TIMEOUT_SECONDS = 30
#: The number of tries if Google is busy or fails, and the factor in seconds of the growing waits between them.
TRIES, BUSY_SECONDS = 4, 0.5
BUSY = (429, 500, 502, 503, 504)
#: The environment variable with the file of answers of a rehearsal's pretend cloud. If set, no server is asked, and no
#: credentials are looked for.
ANSWERS = "LLMD_PD_GOOGLE_ANSWERS"

#: Google's reasons for an API that a project has not turned on, and for a missing role.
OFF = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
FORBIDDEN = frozenset({"forbidden", "IAM_PERMISSION_DENIED"})
LOGIN = "log in with `gcloud auth application-default login`"
NETWORK = "check the network, and the proxy if there is one"


class UnansweredError(Exception):
    """Google cannot be asked; `why`, and the `fix`."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


class ForbiddenError(Exception):
    """The role of the credentials may not read a resource."""


class ApiOffError(Exception):
    """The project has not turned the API on, so it has none of its resources."""


class Google:
    """A client for one project, over a session that adds the credentials.

    A request raises `ForbiddenError`, `ApiOffError`, or `UnansweredError` for any other unusable answer and for none.
    """

    def __init__(
        self, session: "Session", project: str, roots: Mapping[str, str] = ROOTS, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self.project = project
        self._session = session
        self._roots = roots
        self._timeout = timeout

    @classmethod
    def connect(cls, project: str, timeout: float = TIMEOUT_SECONDS, tries: int = TRIES) -> "Google":
        """Returns a client with the credentials that Google's tools find on this machine. `timeout`: seconds to wait for an
        answer.

        Raises:
            UnansweredError: no credentials exist, or the library is not installed.
        """
        try:
            from google.auth import default
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import AuthorizedSession
        except ImportError:
            fix = "install the extra with `make gke`, or `.venv/bin/pip install -e '.[gke]'`"
            raise UnansweredError("the package google-auth is not installed", fix) from None
        from requests.adapters import HTTPAdapter
        from urllib3 import Retry

        # The library logs to stderr that it found no default project, which is not needed.
        logging.getLogger("google.auth").addHandler(logging.NullHandler())
        try:
            credentials, _ = default(scopes=[SCOPE], quota_project_id=project)
        except (GoogleAuthError, OSError, ValueError) as error:
            raise UnansweredError(f"no credentials were found: {_first(error)}", LOGIN) from error
        session = AuthorizedSession(credentials)
        retry = Retry(tries, connect=1, status_forcelist=BUSY, backoff_factor=BUSY_SECONDS, raise_on_status=False)
        session.mount("https://", HTTPAdapter(max_retries=retry))
        return cls(session, project, timeout=timeout)

    def read(self, api: str, path: str, **query: str | Sequence[str]) -> Object | None:
        """Returns a resource, or None if it does not exist."""
        from google.auth.exceptions import GoogleAuthError, RefreshError
        from requests.exceptions import RequestException

        url = f"{self._roots[api]}/{path}"
        try:
            answer = self._session.get(url, params=query, headers={PROJECT_HEADER: self.project}, timeout=self._timeout)
            found = answer.json() if answer.ok else None
        except RefreshError as error:
            raise UnansweredError(f"Google refuses the credentials: {_first(error)}", LOGIN) from error
        except (RequestException, GoogleAuthError) as error:
            raise UnansweredError(reason(_innermost(error)), NETWORK) from error
        if answer.ok and not isinstance(found, dict):
            raise UnansweredError(f"{url} answers with no JSON object", NETWORK)
        if answer.status_code == 404:
            return None
        if not answer.ok:
            raise _refusal(answer)
        return found

    def pages(self, api: str, path: str) -> Iterator[Object]:
        """Yields every page of a list.

        Raises:
            UnansweredError: the list does not exist, so its project, region or zone does not either.
        """
        query: dict[str, str] = {}
        while True:
            page = self.read(api, path, **query)
            if page is None:
                raise UnansweredError(f"Google knows no {path}", "check project, region and zone")
            yield page
            if not page.get("nextPageToken"):
                return
            query = {"pageToken": page["nextPageToken"]}


class KeptGoogle(Google):
    """A client that reads answers from a file, by the API and the last part of the path. Everything else does not exist."""

    def __init__(self, answers: Path, project: str) -> None:
        self.project = project
        self._answers = answers

    def read(self, api: str, path: str, **query: str | Sequence[str]) -> Object | None:  # noqa: ARG002 - the client's own
        """Returns the kept answer, or None.

        Raises:
            UnansweredError: the file cannot be read.
        """
        try:
            kept: Mapping[str, Object] = json.loads(self._answers.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnansweredError(f"{self._answers} cannot be read: {_first(error)}", "rehearse again") from error
        return kept.get(f"{api}/{path.rpartition('/')[2]}")


def connection(environment: Mapping[str, str], timeout: float, tries: int) -> Callable[[str], Google]:
    """Returns a function that connects to Google for a project: with credentials or, in a rehearsal, to its pretend cloud."""
    if kept := environment.get(ANSWERS):
        return partial(KeptGoogle, Path(kept))
    return partial(Google.connect, timeout=timeout, tries=tries)


def _refusal(answer: "Response") -> Exception:
    """Returns the error for an answer with a status of 400 or more."""
    try:
        error = answer.json()["error"]
        message, details = str(error["message"]), [*error.get("errors", ()), *error.get("details", ())]
        reasons = frozenset(row["reason"] for row in details if isinstance(row, dict) and "reason" in row)
    except (ValueError, LookupError, TypeError, AttributeError):
        message, reasons = answer.reason or "no reason given", frozenset()
    if answer.status_code == 403 and reasons & OFF:
        return ApiOffError(message)
    if answer.status_code == 403 and reasons <= FORBIDDEN:
        return ForbiddenError(message)
    fix = LOGIN if answer.status_code == 401 else "correct what it reports, or try again later"
    return UnansweredError(f"it answers {answer.status_code}: {_first(message)}", fix)


def _first(said: object) -> str:
    """Returns the first sentence of a text, as a part of another sentence."""
    lines = str(said).strip().splitlines() or ["no reason given"]
    return lines[0].partition(". ")[0].strip().rstrip(".")


def _innermost(error: Exception) -> Exception:
    """Returns the original error inside a library's error: each layer wraps the error of the layer below."""
    while below := next(
        (part for part in (getattr(error, "reason", None), *error.args) if isinstance(part, Exception)), None
    ):
        error = below
    return error


Found = TypeVar("Found")


@contextmanager
def asking_google() -> Iterator[None]:
    """Wraps requests to Google: an answer that is missing or unusable becomes a problem of the stack file."""
    try:
        yield
    except UnansweredError as error:
        what = "Google cannot be asked what is left"
        raise StackFileError(
            [CLUSTER.problem(at=("cluster", "gke"), what=what, why=error.why, fix=error.fix)]
        ) from error


@dataclass
class GoogleSearch:
    """One search of a project: things in the stack's region, and global things.

    `others` are additional notes; `unread` are the permissions that the role lacks; `on` are the APIs that answered, `off` those
    that the project has not turned on.
    """

    google: Google
    region: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    on: list[str] = field(default_factory=list)
    off: set[str] = field(default_factory=set)

    def listed(self, kind: Kind) -> list[Object]:
        """Returns the things of a kind; none if its API is off; none, with an entry in `unread`, if the role may not list them.

        Raises:
            UnansweredError: a region or zone does not answer. Else "nothing is left" would be an answer about the other places
            only.
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
        """Returns a resource; None if it does not exist; None, with an entry in `unread`, if the role may not read it."""
        return self._asked(api, path.partition("/")[2].partition("/")[2], lambda: self.google.read(api, path))

    def _asked(self, api: str, what: str, ask: Callable[[], Found]) -> Found | None:
        if api in self.off:
            return None
        try:
            found = ask()
        except ApiOffError:
            self.off.add(api)
            self.others.append(
                f"{api}.googleapis.com is off in project {self.google.project}, so the project has none of its resources"
            )
            return None
        except ForbiddenError:
            self.unread.append(f"{api}.{what}")
            return None
        if api not in self.on:
            self.on.append(api)
        return found
