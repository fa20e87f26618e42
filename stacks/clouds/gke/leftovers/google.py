"""Google's REST APIs as JSON, and only ever read: this client has no way to change anything.

Credentials, their renewal and the connection are the business of Google's own library, which is an extra and imported late.
(Of a user's own credentials that library also wants to know the default project, which is of no matter here, and may ask an
installed gcloud for it.) What the answers mean is not decided here.
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

#: Where each API begins.
ROOTS: Mapping[str, str] = {
    "compute": "https://compute.googleapis.com/compute/v1",
    "container": "https://container.googleapis.com/v1",
    "file": "https://file.googleapis.com/v1",
    "iam": "https://iam.googleapis.com/v1",
    "serviceusage": "https://serviceusage.googleapis.com/v1",
}
#: GKE's API takes no narrower one; what may be read is a matter of roles.
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
#: The project on whose behalf is asked. Unsaid it would be that of the credentials, and an API that is off there could be taken
#: for one that is off in the stack's.
PROJECT_HEADER = "x-goog-user-project"
#: Seconds to wait for one answer; a list of a large project takes some.
TIMEOUT_SECONDS = 30
#: How often Google is asked that is busy or out of order, and the factor of the growing seconds in between.
TRIES, BUSY_SECONDS = 4, 0.5
BUSY = (429, 500, 502, 503, 504)
#: Names the file of answers that a rehearsal's pretend cloud gives. With it nobody is asked, and no credentials are looked for.
ANSWERS = "LLMD_PD_GOOGLE_ANSWERS"

#: Google's words for an API that a project has not switched on, and for a role that is missing.
OFF = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
FORBIDDEN = frozenset({"forbidden", "IAM_PERMISSION_DENIED"})
LOGIN = "log in with `gcloud auth application-default login`"
NETWORK = "check the network, and the proxy if there is one"


class UnansweredError(Exception):
    """Google cannot be asked at all: `why`, and the `fix`."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


class ForbiddenError(Exception):
    """Our role may not read it."""


class ApiOffError(Exception):
    """The project has not switched the API on, so there is nothing of it."""


class Google:
    """One project's view of Google, over a session that adds the credentials.

    A request raises `ForbiddenError`, `ApiOffError`, or `UnansweredError` for every other answer of no use, and for none.
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
        """With the credentials that Google's tools find on this machine. `timeout` is the seconds to wait for one answer.

        Raises:
            UnansweredError: there are none, or the library is not installed.
        """
        try:
            from google.auth import default
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import AuthorizedSession
        except ImportError:
            fix = "install the extra with `make gke`, or `pip install -e '.[gke]'`"
            raise UnansweredError("the package google-auth is not installed", fix) from None
        from requests.adapters import HTTPAdapter
        from urllib3 import Retry

        # It says on stderr that it found no default project, which nobody asked for.
        logging.getLogger("google.auth").addHandler(logging.NullHandler())
        try:
            credentials, _ = default(scopes=[SCOPE], quota_project_id=project)
        except (GoogleAuthError, OSError, ValueError) as error:
            raise UnansweredError(f"no credentials can be had: {_first(error)}", LOGIN) from error
        session = AuthorizedSession(credentials)
        retry = Retry(tries, connect=1, status_forcelist=BUSY, backoff_factor=BUSY_SECONDS, raise_on_status=False)
        session.mount("https://", HTTPAdapter(max_retries=retry))
        return cls(session, project, timeout=timeout)

    def read(self, api: str, path: str, **query: str | Sequence[str]) -> Object | None:
        """Returns the resource or list at a path, or None."""
        from google.auth.exceptions import GoogleAuthError, RefreshError
        from requests.exceptions import RequestException

        url = f"{self._roots[api]}/{path}"
        try:
            answer = self._session.get(url, params=query, headers={PROJECT_HEADER: self.project}, timeout=self._timeout)
            found = answer.json() if answer.ok else None
        except RefreshError as error:
            raise UnansweredError(f"the credentials are not taken: {_first(error)}", LOGIN) from error
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
        """Every page of a list.

        Raises:
            UnansweredError: there is no such list, and so no such project or place either.
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
    """Answers from a file, by the API and the last part of the path; there is nothing else."""

    def __init__(self, answers: Path, project: str) -> None:
        self.project = project
        self._answers = answers

    def read(self, api: str, path: str, **query: str | Sequence[str]) -> Object | None:  # noqa: ARG002 - the client's own
        """The kept answer, or None.

        Raises:
            UnansweredError: the file cannot be read.
        """
        try:
            kept: Mapping[str, Object] = json.loads(self._answers.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UnansweredError(f"{self._answers} cannot be read: {_first(error)}", "rehearse again") from error
        return kept.get(f"{api}/{path.rpartition('/')[2]}")


def connection(environment: Mapping[str, str], timeout: float, tries: int) -> Callable[[str], Google]:
    """The way to Google for a project: with credentials; in a rehearsal, by the answers of its pretend cloud."""
    if kept := environment.get(ANSWERS):
        return partial(KeptGoogle, Path(kept))
    return partial(Google.connect, timeout=timeout, tries=tries)


def _refusal(answer: "Response") -> Exception:
    """Returns the meaning of a status of 400 and above."""
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
    fix = LOGIN if answer.status_code == 401 else "set right what it says, or try again later"
    return UnansweredError(f"it answers {answer.status_code}: {_first(message)}", fix)


def _first(said: object) -> str:
    """The first sentence, as a part of another one."""
    lines = str(said).strip().splitlines() or ["no reason given"]
    return lines[0].partition(". ")[0].strip().rstrip(".")


def _innermost(error: Exception) -> Exception:
    """Returns the root cause of a library's error: each layer wraps the one below."""
    while below := next(
        (part for part in (getattr(error, "reason", None), *error.args) if isinstance(part, Exception)), None
    ):
        error = below
    return error


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
        """What is there; None where there is nothing, and None, and `unread`, where we may not look."""
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
