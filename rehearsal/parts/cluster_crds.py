"""CRDs that a stack expects its cluster to have: the published files if they are available, else permissive stand-ins.

`standins.crds` lists the kinds with their stand-ins, `releases.cluster_crds` the published files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.error import URLError

from rehearsal.parts.crd_files import Fetch
from rehearsal.parts.standins.crds import Resource
from rehearsal.report import Report
from releases.cluster_crds import PUBLISHED, Published
from releases.files import Pinned, SourceError, crd_objects, download

#: Seconds for a file of up to 850 KB, which a stand-in can replace.
DOWNLOAD_SECONDS = 5


@dataclass(frozen=True)
class Definition:
    """The CRD of one kind for the fleet's cluster. `published` is None if it is the stand-in."""

    resource: Resource
    object: dict[str, Any]
    published: Published | None


def definitions(resources: Sequence[Resource], report: Report) -> list[Definition]:
    """Returns the CRDs of these kinds. Downloaded files are kept; a file that is not available is no error."""
    files = [PUBLISHED[resource.name].crd for resource in resources if resource.name in PUBLISHED]
    return _read(resources, Fetch(files, partial(download, seconds=DOWNLOAD_SECONDS), report))


def kept(resources: Sequence[Resource]) -> list[Definition]:
    """Returns the CRDs of these kinds without asking the network."""
    return _read(resources, _from_the_cache_only)


def _read(resources: Sequence[Resource], fetch: Callable[[str], bytes]) -> list[Definition]:
    source = replace(Pinned(), fetch=fetch)
    return [_definition(resource, source) for resource in resources]


def _definition(resource: Resource, source: Pinned) -> Definition:
    if (published := PUBLISHED.get(resource.name)) is not None:
        try:
            found = {obj["metadata"]["name"]: obj for obj in crd_objects([published.crd], source)}
        except SourceError:
            pass
        else:
            return Definition(resource, found[resource.name], published)
    return Definition(resource, resource.definition, None)


def _from_the_cache_only(_: str) -> bytes:
    raise URLError("the file is not in the cache")
