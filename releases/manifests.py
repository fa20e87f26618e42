"""Files of Kubernetes objects that a cluster is given, known by their checksums: from their publisher, or the cache."""

from typing import Any

import yaml

from hardware.bill import Crd
from releases.crds import Pinned, SourceError
from releases.gke import Manifest


def manifest_objects(manifest: Manifest) -> list[dict[str, Any]]:
    """The objects of a file, in order.

    Raises:
        SourceError: it cannot be had, or is not what its checksum says.
    """
    try:
        content = Pinned().read(Crd(manifest.file, manifest.url, manifest.sha256))
    except SourceError as error:
        reason = str(error).partition("; ")[0].removeprefix("CRD file ")
        raise SourceError(f"file {reason}; have it fetched once where its publisher can be reached") from None
    return [document for document in yaml.safe_load_all(content) if document]
