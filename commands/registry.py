"""What registries say of images and charts: their digests, by the OCI distribution API, as anybody may ask.

One HEAD for each reference, with the anonymous token that registries ask for first. No credentials are looked for: what takes
a login has no digest here. All are asked at once, and whoever has not answered by the deadline is given up, so that a machine
without a network learns so in seconds. Why it is not a library: `oras` sets no time limits, sleeps between retries for
minutes, and has no call for a digest.
"""

import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from hardware.render.images import DEFAULT_HOST, ImageRef

#: Seconds for one answer, and for all of them. A registry that works takes well under one.
ANSWER_SECONDS = 5.0
ALL_SECONDS = 15.0
#: Bytes of a manifest (the specification's own limit) and of a token's answer.
MANIFEST_BYTES = 4 << 20
TOKEN_BYTES = 1 << 20
#: The API of Docker Hub is at another host than its images' names say.
API_HOSTS = {DEFAULT_HOST: "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
#: An index comes first: one digest for all platforms, which is what copies keep.
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Answer:
    """The digest of what a reference names, or in a word or two why there is none."""

    digest: str | None
    why: str = ""


def digests(references: Iterable[str]) -> dict[str, Answer]:
    """The answer for each reference (`host/path:tag`), once each, all asked at the same time."""
    answers: dict[str, Answer] = {}
    wanted = list(dict.fromkeys(references))

    def ask(reference: str) -> None:
        answers[reference] = digest(reference)

    # Threads that the end of the process does not wait for: looking a name up cannot be cut short.
    threads = [threading.Thread(target=ask, args=(reference,), daemon=True) for reference in wanted]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ALL_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {reference: answers.get(reference, Answer(None, "timed out")) for reference in wanted}


def digest(reference: str) -> Answer:
    """The digest of what a reference names: the one it is pinned to, else the one its registry tells."""
    ref = ImageRef.parse(reference)
    tag, _, pinned = ref.tag.partition("@")
    if pinned:
        return Answer(pinned)
    if not tag:
        return Answer(None, "no tag")
    host = API_HOSTS.get(ref.host, ref.host)
    url = f"{_scheme(host)}://{host}/v2/{ref.path}/manifests/{tag}"
    try:
        found = _digest(url, ref.path)
    except HTTPError as error:
        return Answer(None, _refusal(error.code))
    except (OSError, HTTPException, ValueError) as error:
        return Answer(None, _failure(error))
    return Answer(found) if found else Answer(None, "no digest")


def _digest(url: str, path: str) -> str:
    """By HEAD, and where a registry leaves the digest out of that, from the manifest itself; text that is none is left out."""
    headers, _, token = _ask("HEAD", url, path)
    told = headers.get("Docker-Content-Digest")
    if told is None:
        _, body, _ = _ask("GET", url, path, token)
        told = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return told if DIGEST.fullmatch(told) else ""


def _ask(method: str, url: str, path: str, token: str | None = None) -> tuple[HTTPMessage, bytes, str | None]:
    """Headers and body, and the token it took, which is asked for when the registry says so.

    Raises HTTPError (of which the code says why) and whatever `_failure` has a word for.
    """
    try:
        return (*_answer(method, url, token), token)
    except HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or token or not challenge.lower().startswith("bearer "):
            raise
        # Where it was asked in the end: a registry may hand over to another, whose token it then takes.
        place = error.url
        error.close()
    token = _token(challenge, path)
    return (*_answer(method, place, token), token)


def _answer(method: str, url: str, token: str | None) -> tuple[HTTPMessage, bytes]:
    request = Request(url, method=method, headers={"Accept": MANIFESTS, "User-Agent": "llmd-pd"})
    if token:
        # Not for whom the registry redirects to.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with urlopen(request, timeout=ANSWER_SECONDS) as response:
        return response.headers, response.read(MANIFEST_BYTES) if method == "GET" else b""


def _token(challenge: str, path: str) -> str:
    """An anonymous token from where a `WWW-Authenticate` header says there is one."""
    parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = urlsplit(parts.get("realm", ""))
    if realm.scheme != "https" and _scheme(realm.netloc) != realm.scheme:
        raise ValueError(f"no place to ask for a token: {parts.get('realm')}")
    scope = parts.get("scope") or f"repository:{path}:pull"
    query = urlencode({key: value for key, value in (("service", parts.get("service")), ("scope", scope)) if value})
    joint = "&" if realm.query else "?"
    request = Request(f"{realm.geturl()}{joint}{query}", headers={"User-Agent": "llmd-pd"})
    with urlopen(request, timeout=ANSWER_SECONDS) as response:
        given = json.loads(response.read(TOKEN_BYTES))
    token = (given.get("token") or given.get("access_token")) if isinstance(given, dict) else None
    if not isinstance(token, str):
        raise ValueError("an answer without a token")
    return token


def _scheme(host: str) -> str:
    """`https`, but for this machine, as container tools have it."""
    name = host.rpartition(":")[0] or host
    return "http" if name == "localhost" or name.startswith("127.") else "https"


def _refusal(code: int) -> str:
    # Docker Hub says 401, and GitHub 403, to strangers of what is not there, too.
    known = {401: "no access", 403: "no access", 404: "not found", 429: "rate limited"}
    return known.get(code, f"answers {code}")


def _failure(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return "timed out"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "bad certificate"
    return "no registry" if isinstance(reason, HTTPException | ValueError) else "unreachable"
