"""Pinned files of Kubernetes objects: a release's CRDs and the files that a cluster is given, from their publisher or the cache.

A pinned file is known by its checksum and kept per user, so that a preview after the first one needs no network. A directory or a
file that the stack file names is trusted as it is. Owns where the per-user cache is, too. Applying the objects and waiting for
them is the components' business.
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

Object = dict[str, Any]

DOWNLOAD_TIMEOUT_SECONDS = 30
CRDS_FIX = "put the release's CRD files in a directory and name it: `llmd-pd:crds: {directory: …}`"
INSTALLER_FIX = (
    "fetch it where its publisher can be reached, and name it: `llmd-pd:cluster: {gke: {gpuDriver: {installer: …}}}`"
)
OWN_INSTALLER_FIX = "check `llmd-pd:cluster.gke.gpuDriver`"


class SourceError(ValueError):
    """A pinned file cannot be had or is not what it should be; the message says which, where, why and the fix."""


class PinnedFile(Protocol):
    """One published file: its name in a directory, its address, its checksum (`hardware.bill.Crd`, `releases.gke.Manifest`)."""

    @property
    def file(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def sha256(self) -> str: ...


class CrdSource(Protocol):
    """Where CRD files come from."""

    def read(self, file: PinnedFile) -> bytes:
        """Returns the file's content. Raises SourceError."""
        ...

    def where(self, file: PinnedFile) -> str:
        """The file's place, for messages."""
        ...


def cache_dir() -> Path:
    """Returns `LLMD_PD_CACHE`, or `llmd-pd` in the user's cache directory (`XDG_CACHE_HOME`, else ~/.cache, on Linux)."""
    if own := os.environ.get("LLMD_PD_CACHE"):
        return Path(own).expanduser().resolve()
    import platformdirs

    return platformdirs.user_cache_path("llmd-pd", appauthor=False).resolve()


def user_cache() -> Path:
    """The directory for files that are known by checksum, one for all clones and stacks of a user."""
    return cache_dir() / "crds"


@dataclass(frozen=True)
class Directory:
    """A local directory that holds each CRD file under the bill's name for it. No checksum: the user vouches for it."""

    path: Path

    def where(self, file: PinnedFile) -> str:
        return str(self.path / file.file)

    def read(self, file: PinnedFile) -> bytes:
        if not self.path.is_dir():
            raise SourceError(f"CRD directory {self.path} is not a directory; {CRDS_FIX}")
        try:
            return (self.path / file.file).read_bytes()
        except FileNotFoundError:
            raise SourceError(
                f"CRD file {file.file} is missing in {self.path}; fetch it from {file.url}, "
                "or leave `llmd-pd:crds` out to have it downloaded"
            ) from None
        except OSError as error:
            raise SourceError(f"CRD file {self.path / file.file} cannot be read ({error.strerror}); check it") from None


def download(url: str, seconds: float = DOWNLOAD_TIMEOUT_SECONDS) -> bytes:
    """Returns the body behind `url`, within `seconds` per read; redirects and proxy settings are urllib's.

    Raises OSError (of which URLError, HTTPError and time-outs are kinds) or HTTPException.
    """
    with urlopen(url, timeout=seconds) as response:
        body: bytes = response.read()
    return body


@dataclass(frozen=True)
class Pinned:
    """Files at their published addresses. A file is used only if its checksum is the pinned one, and is then kept in `cache`.

    `noun` and `fix` are the words of the errors: the kind of file, and how to do without its publisher.
    """

    fetch: Callable[[str], bytes] = download
    cache: Path = field(default_factory=user_cache)
    noun: str = "CRD file"
    fix: str = CRDS_FIX

    def where(self, file: PinnedFile) -> str:
        return file.url

    def read(self, file: PinnedFile) -> bytes:
        kept = self.cache / f"{file.sha256}.yaml"
        with contextlib.suppress(OSError):  # an unreadable cache is an empty one
            content = kept.read_bytes()
            if hashlib.sha256(content).hexdigest() == file.sha256:
                return content
        content = self._download(file)
        with contextlib.suppress(OSError):  # a read-only home must not stop a deployment: the next run downloads again
            _write_at_once(kept, content)
        return content

    def _download(self, file: PinnedFile) -> bytes:
        try:
            content = self.fetch(file.url)
        except HTTPError as error:
            why = f"{file.url} answers {error.code} {error.reason}"
        except URLError as error:
            why = f"{file.url} cannot be reached: {error.reason}"
        except (OSError, HTTPException) as error:
            why = f"{file.url} cannot be read: {error}"
        else:
            found = hashlib.sha256(content).hexdigest()
            if found == file.sha256:
                return content
            why = f"{file.url} has the checksum sha256:{found} and not the pinned sha256:{file.sha256}"
        raise SourceError(f"{self.noun} {file.file} cannot be used, because {why}; {self.fix}") from None


def _write_at_once(path: Path, content: bytes) -> None:
    """Writes so that a reader sees the whole file or none: two stacks may start together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def crd_objects(files: Sequence[Crd], source: CrdSource) -> list[Object]:
    """Returns the CustomResourceDefinitions of every file, in order, as plain Kubernetes objects.

    `status` is left out: release files carry an empty one, and it is the API server's to write. Raises SourceError.
    """
    return [definition for crd in files for definition in _definitions(source.read(crd), source.where(crd))]


def manifest_objects(manifest: PinnedFile, own: Path | None = None) -> list[Object]:
    """Returns the objects of a file that a cluster is given, in order; of the user's `own` file if named, without a checksum.

    Raises:
        SourceError: the file cannot be had, or is not what its checksum says.
    """
    if own is None:
        return _documents(Pinned(noun="file", fix=INSTALLER_FIX).read(manifest))
    try:
        objects = _documents(own.read_bytes())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"file {own} cannot be read ({reason}); {OWN_INSTALLER_FIX}") from None
    if not objects or not all(map(_is_object, objects)):
        raise SourceError(
            f"file {own} does not hold Kubernetes objects, each with apiVersion, kind and a name; {OWN_INSTALLER_FIX}"
        )
    return objects


def _definitions(content: bytes, where: str) -> list[Object]:
    try:
        found = _documents(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"CRD file {where} is not YAML ({reason}); fetch it again from the release") from None
    if not found or not all(map(_is_definition, found)):
        raise SourceError(
            f"CRD file {where} does not hold CustomResourceDefinitions only (apiextensions.k8s.io/v1); "
            "fetch it again from the release"
        )
    return [{key: value for key, value in document.items() if key != "status"} for document in found]


def _documents(content: bytes) -> list[Any]:
    """Returns the YAML documents of a file, without empty ones."""
    loaded = yaml.load_all(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [document for document in loaded if document is not None]


def _is_object(document: object) -> bool:
    if not isinstance(document, dict) or not isinstance(metadata := document.get("metadata"), dict):
        return False
    return all(
        isinstance(value, str) for value in (document.get("apiVersion"), document.get("kind"), metadata.get("name"))
    )


def _is_definition(document: object) -> bool:
    return (
        isinstance(document, dict)
        and document.get("apiVersion") == "apiextensions.k8s.io/v1"
        and document.get("kind") == "CustomResourceDefinition"
        and isinstance(document.get("metadata"), dict)
        and bool(document["metadata"].get("name"))
    )
