"""One thing that Google listed: what it refers to, and what it says of itself in labels and in descriptions that are JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stacks.clouds.gke.leftovers.kinds import FILESTORE, NETWORK, Kind, last

Object = dict[str, Any]

#: Labels by which GKE and its drivers say which cluster a thing is of, each with the one that says where that is.
CLUSTER_LABELS = (
    ("goog-k8s-cluster-name", "goog-k8s-cluster-location"),
    ("storage_gke_io_cluster_name", "storage_gke_io_cluster_location"),
)
#: Under these the drivers of volumes say which claim one was made for: in a disk's description, and in a Filestore's labels.
CLAIM_KEYS = (
    ("kubernetes.io/created-for/pvc/namespace", "kubernetes.io/created-for/pvc/name"),
    ("kubernetes_io_created-for_pvc_namespace", "kubernetes_io_created-for_pvc_name"),
)
#: Under this a description says which Service, with its namespace, a part of a load balancer was made for.
SERVICE = "kubernetes.io/service-name"
_LINK = re.compile(r"(?:https?://[^/]+/(?:compute/)?\w+/)?(projects/[^/]+/\S+)")


@dataclass(frozen=True)
class Thing:
    """Something that was listed."""

    kind: Kind
    object: Object

    @property
    def name(self) -> str:
        """Its short name."""
        return last(self.object["name"])

    @cached_property
    def key(self) -> str:
        """Its path without the API, by which others refer to it."""
        return _path(str(self.object.get("selfLink"))) or str(self.object["name"])

    @cached_property
    def links(self) -> frozenset[str]:
        """The paths of all that it refers to."""
        found = {path for text in _texts(self.object) if (path := _path(text))}
        if self.kind is FILESTORE:  # which says a network of its own project by the name alone
            project = self.object["name"].split("/")[1]
            found |= {network(project, last(row.get("network", ""))) for row in self.object.get("networks") or ()}
        return frozenset(found - {self.key})

    @property
    def networks(self) -> frozenset[str]:
        """The networks among them; a network's own are those it is joined to, and it is in none."""
        return frozenset(link for link in self.links if "/global/networks/" in link and self.kind is not NETWORK)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        return {**_as_json(self.object.get("description")), **(self.object.get("labels") or {})}

    @property
    def cluster(self) -> tuple[str, str] | None:
        """The cluster it says it is of, and where that is, if it says that too."""
        labels = self._labels
        return next(((labels[name], labels.get(at, "")) for name, at in CLUSTER_LABELS if name in labels), None)

    @property
    def claim(self) -> tuple[str, str] | None:
        """The namespace and the name of the claim that it was made for."""
        labels = self._labels
        return next(((labels[space], labels.get(name, "")) for space, name in CLAIM_KEYS if space in labels), None)

    @property
    def namespace(self) -> str | None:
        """The namespace it was made for, as far as it says so."""
        if self.claim is not None:
            return self.claim[0]
        service = self._labels.get(SERVICE)
        return service.partition("/")[0] if service else None


def network(project: str, name: str) -> str:
    """A network's path."""
    return f"projects/{project}/global/networks/{name}"


def _path(text: str) -> str:
    """The path in a link; empty for a text that is none."""
    found = _LINK.fullmatch(text)
    return found[1] if found else ""


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)


def _as_json(description: object) -> Mapping[str, str]:
    """Parses a description that is a JSON map, as GKE's controllers write; empty for any other."""
    try:
        found = json.loads(str(description))
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
