"""Asks registries for the digests of images and charts, by the OCI distribution API, without a login.

One HEAD per reference, with the anonymous token that registries ask for first. No credentials are looked for, so an image that
needs a login has no digest here. All registries are asked at once. Those that have not answered by the deadline are skipped, so
that a machine without a network gets its result in seconds. The library `oras` is not used because it sets no time limits,
sleeps between retries for minutes, and has no call for a digest.
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

#: Seconds for one answer, and for all answers. A working registry needs well under one.
ANSWER_SECONDS = 5.0
ALL_SECONDS = 15.0
#: Largest sizes in bytes of a manifest (the specification's own limit) and of an answer with a token.
MANIFEST_BYTES = 4 << 20
TOKEN_BYTES = 1 << 20
#: The host of a registry's API, if image names have another one, as on Docker Hub.
API_HOSTS = {DEFAULT_HOST: "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
#: An index comes first: it has one digest for all platforms, which copies keep.
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Answer:
    """The digest of a reference, or the reason, in a few words, why there is none."""

    digest: str | None
    why: str = ""


def digests(references: Iterable[str]) -> dict[str, Answer]:
    """Returns the answer for each reference (`host/path:tag`). All are asked at the same time, each once."""
    answers: dict[str, Answer] = {}
    wanted = list(dict.fromkeys(references))

    def ask(reference: str) -> None:
        answers[reference] = digest(reference)

    # Daemon threads, for which the end of the process does not wait: a DNS lookup cannot be interrupted.
    threads = [threading.Thread(target=ask, args=(reference,), daemon=True) for reference in wanted]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ALL_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {reference: answers.get(reference, Answer(None, "timed out")) for reference in wanted}


def digest(reference: str) -> Answer:
    """Returns the digest of a reference: the digest in the reference, else the registry's answer."""
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
    """Returns the digest by HEAD; if the registry's answer lacks it, computes it from the manifest. Empty for an invalid
    digest.
    """
    headers, _, token = _ask("HEAD", url, path)
    told = headers.get("Docker-Content-Digest")
    if told is None:
        _, body, _ = _ask(method="GET", url=url, path=path, token=token)
        told = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return told if DIGEST.fullmatch(told) else ""


def _ask(method: str, url: str, path: str, token: str | None = None) -> tuple[HTTPMessage, bytes, str | None]:
    """Returns headers, body and the token that was used. The token is fetched when the registry asks for one.

    Raises HTTPError (its code is the reason) and the errors that `_failure` knows.
    """
    try:
        return (*_answer(method, url, token), token)
    except HTTPError as error:
        challenge = error.headers.get("WWW-Authenticate", "")
        if error.code != 401 or token or not challenge.lower().startswith("bearer "):
            raise
        # The URL after redirects: a registry may redirect to another one, which needs its own token.
        place = error.url
        error.close()
    token = _token(challenge, path)
    return (*_answer(method, place, token), token)


def _answer(method: str, url: str, token: str | None) -> tuple[HTTPMessage, bytes]:
    request = Request(url, method=method, headers={"Accept": MANIFESTS, "User-Agent": "llmd-pd"})
    if token:
        # Not sent to the target of a redirect.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    with urlopen(request, timeout=ANSWER_SECONDS) as response:
        return response.headers, response.read(MANIFEST_BYTES) if method == "GET" else b""


def _token(challenge: str, path: str) -> str:
    """Returns an anonymous token from the place that a `WWW-Authenticate` header names."""
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
    """Returns `https`, or `http` for this machine, as container tools do."""
    name = host.rpartition(":")[0] or host
    return "http" if name == "localhost" or name.startswith("127.") else "https"


def _refusal(code: int) -> str:
    # Without a login, Docker Hub answers 401 and GitHub 403 for images that do not exist, too.
    known = {401: "no access", 403: "no access", 404: "not found", 429: "rate limited"}
    return known.get(code, f"answers {code}")


def _failure(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return "timed out"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "bad certificate"
    return "no registry" if isinstance(reason, HTTPException | ValueError) else "unreachable"
