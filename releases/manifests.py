"""Files of Kubernetes objects that a cluster is given, known by their checksums: from their publisher, or the cache."""

from pathlib import Path
from typing import Any

import yaml

from hardware.bill import Crd
from releases.files import Pinned, SourceError
from releases.gke import Manifest


def manifest_objects(manifest: Manifest, own: Path | None = None) -> list[dict[str, Any]]:
    """The objects of a file, in order; of one of the user's `own`, for which no checksum vouches.

    Raises:
        SourceError: it cannot be had, or is not what its checksum says.
    """
    if own is not None:
        return _own(own)
    try:
        content = Pinned().read(Crd(manifest.file, manifest.url, manifest.sha256))
    except SourceError as error:
        reason = str(error).partition("; ")[0].removeprefix("CRD file ")
        fix = "fetch it where its publisher can be reached, and name it: `llmd-pd:cluster: {gke: {gpuDriver: {installer: …}}}`"
        raise SourceError(f"file {reason}; {fix}") from None
    return _objects(content)


def _own(file: Path) -> list[dict[str, Any]]:
    fix = "check `llmd-pd:cluster.gke.gpuDriver`"
    try:
        objects = _objects(file.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise SourceError(f"file {file} cannot be read ({' '.join(str(error).split())}); {fix}") from None
    if not objects or not all(map(_is_object, objects)):
        raise SourceError(f"file {file} does not hold Kubernetes objects, each with apiVersion, kind and a name; {fix}")
    return objects


def _is_object(document: object) -> bool:
    if not isinstance(document, dict) or not isinstance(metadata := document.get("metadata"), dict):
        return False
    return all(
        isinstance(value, str) for value in (document.get("apiVersion"), document.get("kind"), metadata.get("name"))
    )


def _objects(content: bytes) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(content) if document]
