"""The CustomResourceDefinitions of a bill, loaded from where the stack says they are.

Two sources: a local directory, trusted as it is, and the pinned release URLs, verified by checksum and kept per user, so that
a preview after the first one needs no network. Applying and waiting for them is the component's business.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import yaml

from hardware.bill import Crd
from releases.cache import cache_dir

DOWNLOAD_TIMEOUT_SECONDS = 30
ELSEWHERE = "put the release's CRD files in a directory and name it: `llmd-pd:crds: {directory: …}`"


class SourceError(ValueError):
    """A pinned file cannot be had or is not what it should be; the message says which, where, why and the fix."""


class CrdSource(Protocol):
    """Where CRD files come from."""

    def read(self, crd: Crd) -> bytes:
        """The file's content. Raises SourceError."""
        ...

    def where(self, crd: Crd) -> str:
        """The file's place, for messages."""
        ...


@dataclass(frozen=True)
class Directory:
    """A local directory that holds each file under the bill's name for it. No checksum: the user vouches for it."""

    path: Path

    def where(self, crd: Crd) -> str:
        return str(self.path / crd.file)

    def read(self, crd: Crd) -> bytes:
        if not self.path.is_dir():
            raise SourceError(f"CRD directory {self.path} is not a directory; {ELSEWHERE}")
        try:
            return (self.path / crd.file).read_bytes()
        except FileNotFoundError:
            raise SourceError(
                f"CRD file {crd.file} is missing in {self.path}; fetch it from {crd.url}, "
                "or leave `llmd-pd:crds` out to have it downloaded"
            ) from None
        except OSError as error:
            raise SourceError(f"CRD file {self.path / crd.file} cannot be read ({error.strerror}); check it") from None


def download(url: str, seconds: float = DOWNLOAD_TIMEOUT_SECONDS) -> bytes:
    """The body behind `url`, within `seconds` per read; redirects and proxy settings are urllib's.

    Raises OSError (of which URLError, HTTPError and time-outs are kinds) or HTTPException.
    """
    with urlopen(url, timeout=seconds) as response:
        body: bytes = response.read()
    return body


def user_cache() -> Path:
    """Where files that are known by checksum are kept for this user, for every clone and stack."""
    return cache_dir() / "crds"


@dataclass(frozen=True)
class Pinned:
    """The bill's release URLs. A file is used only if its checksum is the bill's, and then kept in `cache`."""

    fetch: Callable[[str], bytes] = download
    cache: Path = field(default_factory=user_cache)

    def where(self, crd: Crd) -> str:
        return crd.url

    def read(self, crd: Crd) -> bytes:
        kept = self.cache / f"{crd.sha256}.yaml"
        with contextlib.suppress(OSError):  # an unreadable cache is an empty one
            content = kept.read_bytes()
            if hashlib.sha256(content).hexdigest() == crd.sha256:
                return content
        content = self._download(crd)
        with contextlib.suppress(OSError):  # a read-only home must not stop a deployment: the next run downloads again
            _write_at_once(kept, content)
        return content

    def _download(self, crd: Crd) -> bytes:
        try:
            content = self.fetch(crd.url)
        except HTTPError as error:
            why = f"{crd.url} answers {error.code} {error.reason}"
        except URLError as error:
            why = f"{crd.url} cannot be reached: {error.reason}"
        except (OSError, HTTPException) as error:
            why = f"{crd.url} cannot be read: {error}"
        else:
            found = hashlib.sha256(content).hexdigest()
            if found == crd.sha256:
                return content
            why = f"{crd.url} has the checksum sha256:{found} and not the pinned sha256:{crd.sha256}"
        raise SourceError(f"CRD file {crd.file} cannot be used, because {why}; {ELSEWHERE}") from None


def _write_at_once(path: Path, content: bytes) -> None:
    """Write so that a reader sees all of it or nothing: two stacks may start together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def crd_objects(files: Sequence[Crd], source: CrdSource) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of every file, in order, as plain Kubernetes objects.

    `status` is left out: release files carry an empty one, and it is the API server's to write. Raises SourceError.
    """
    return [definition for crd in files for definition in _definitions(source.read(crd), source.where(crd))]


def _definitions(content: bytes, where: str) -> list[dict[str, Any]]:
    try:
        documents = list(yaml.load_all(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"CRD file {where} is not YAML ({reason}); fetch it again from the release") from None
    found = [document for document in documents if document is not None]
    if not found or not all(_is_definition(document) for document in found):
        raise SourceError(
            f"CRD file {where} does not hold CustomResourceDefinitions only (apiextensions.k8s.io/v1); "
            "fetch it again from the release"
        )
    return [{key: value for key, value in document.items() if key != "status"} for document in found]


def _is_definition(document: object) -> bool:
    return (
        isinstance(document, dict)
        and document.get("apiVersion") == "apiextensions.k8s.io/v1"
        and document.get("kind") == "CustomResourceDefinition"
        and isinstance(document.get("metadata"), dict)
        and bool(document["metadata"].get("name"))
    )
