"""CRDs that a stack expects its cluster to have: the published ones wherever they can be had, else the permissive stand-ins.

Which kinds there are, and what stands for each, is `standins.crds`; what is published where, `releases.cluster_crds`.
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

#: Seconds for a file of up to 850 KB that a stand-in can do without.
DOWNLOAD_SECONDS = 5


@dataclass(frozen=True)
class Definition:
    """The CRD of one kind as the fleet's cluster gets it. `published` is None where it is the stand-in."""

    resource: Resource
    object: dict[str, Any]
    published: Published | None


def definitions(resources: Sequence[Resource], report: Report) -> list[Definition]:
    """The CRDs of these kinds. Published files that had to be downloaded are kept; one that cannot be had is no error."""
    files = [PUBLISHED[resource.name].crd for resource in resources if resource.name in PUBLISHED]
    return _read(resources, Fetch(files, partial(download, seconds=DOWNLOAD_SECONDS), report))


def kept(resources: Sequence[Resource]) -> list[Definition]:
    """The same of what is on this machine already: no network is asked."""
    return _read(resources, _nobody)


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


def _nobody(_: str) -> bytes:
    raise URLError("the file is not kept from before")
