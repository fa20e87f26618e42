"""Decides which of a project's things a stack owns, and why: things that its plan names, things with its cluster's labels,
things in its networks, and things that refer to one of these.

GKE and its controllers use hashes in names, so names tell little. But their things have a network, a label, or a link to a thing
that has one. If all of these are deleted already, a description is left, which names a namespace and no cluster. Pure: works on
things that were listed before.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stacks.clouds.gke.leftovers.kinds import FILESTORE, HEALTH_CHECK, HTTP_HEALTH_CHECK, INSTANCE, NETWORK, Kind, last

Object = dict[str, Any]

#: Labels with which GKE and its drivers name the cluster of a thing, each with the label that names the cluster's place.
CLUSTER_LABELS = (
    ("goog-k8s-cluster-name", "goog-k8s-cluster-location"),
    ("storage_gke_io_cluster_name", "storage_gke_io_cluster_location"),
)
#: Keys with which volume drivers name the claim of a volume: in a disk's description, and in a Filestore's labels.
CLAIM_KEYS = (
    ("kubernetes.io/created-for/pvc/namespace", "kubernetes.io/created-for/pvc/name"),
    ("kubernetes_io_created-for_pvc_namespace", "kubernetes_io_created-for_pvc_name"),
)
#: The key of a description that names the Service, with its namespace, of a part of a load balancer.
SERVICE = "kubernetes.io/service-name"
_LINK = re.compile(r"(?:https?://[^/]+/(?:compute/)?\w+/)?(projects/[^/]+/\S+)")


@dataclass(frozen=True)
class Thing:
    """A listed resource of Google's."""

    kind: Kind
    object: Object

    @property
    def name(self) -> str:
        """Its short name."""
        return last(self.object["name"])

    @cached_property
    def key(self) -> str:
        """Its path without the API. Other things refer to it by this path."""
        return _path(str(self.object.get("selfLink"))) or str(self.object["name"])

    @cached_property
    def links(self) -> frozenset[str]:
        """The paths of all things it refers to."""
        found = {path for text in _texts(self.object) if (path := _path(text))}
        if self.kind is FILESTORE:  # which names a network of its own project without the path
            project = self.object["name"].split("/")[1]
            found |= {network(project, last(row.get("network", ""))) for row in self.object.get("networks") or ()}
        return frozenset(found - {self.key})

    @property
    def networks(self) -> frozenset[str]:
        """The networks that contain the thing. The links of a network itself are peers, so a network is in none."""
        return frozenset(link for link in self.links if "/global/networks/" in link and self.kind is not NETWORK)

    @cached_property
    def _labels(self) -> Mapping[str, str]:
        return {**_as_json(self.object.get("description")), **(self.object.get("labels") or {})}

    @property
    def cluster(self) -> tuple[str, str] | None:
        """The cluster that its labels name, and the cluster's place, empty if no label names it; None without such a label."""
        labels = self._labels
        return next(((labels[name], labels.get(at, "")) for name, at in CLUSTER_LABELS if name in labels), None)

    @property
    def claim(self) -> tuple[str, str] | None:
        """The namespace and the name of the claim for which it was made."""
        labels = self._labels
        return next(((labels[space], labels.get(name, "")) for space, name in CLAIM_KEYS if space in labels), None)

    @property
    def namespace(self) -> str | None:
        """The namespace for which it was made, None if unknown."""
        if self.claim is not None:
            return self.claim[0]
        service = self._labels.get(SERVICE)
        return service.partition("/")[0] if service else None


def network(project: str, name: str) -> str:
    """Returns a network's path."""
    return f"projects/{project}/global/networks/{name}"


def _path(text: str) -> str:
    """Returns the path in a link; empty for a text that is no link."""
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
    """Returns a description that is a JSON map, as GKE's controllers write it; empty for any other."""
    try:
        found = json.loads(str(description))
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


#: Kinds that several stacks may share: a thing that refers to a stack's shared thing may have another owner.
SHARED: tuple[Kind, ...] = (HEALTH_CHECK, HTTP_HEALTH_CHECK)


@dataclass(frozen=True)
class Stack:
    """A stack to search for: its cluster with its place; the paths of things it `made`, each with a description; and its
    namespace if it serves.

    `cluster` is empty if a cluster of that name exists and has another owner.
    """

    cluster: str
    region: str
    zone: str
    made: Mapping[str, str]
    namespace: str | None

    def has(self, thing: Thing) -> bool | None:
        """Whether a thing names the stack's cluster; None if it names no cluster."""
        said = thing.cluster
        return None if said is None else said[0] == self.cluster and said[1] in ("", self.region)


@dataclass(frozen=True)
class Owned:
    """The things that a stack owns, by path, each with the reason.

    Also doubtful things: things of others in one of its networks, networks that GKE may have made for accelerators, and volumes
    of claims that name no cluster.
    """

    why: Mapping[str, str]
    holding: Sequence[Thing]
    networks: Sequence[Thing]
    volumes: Sequence[Thing]


def owned(things: Sequence[Thing], stack: Stack) -> Owned:
    """Returns the things of a project that the stack owns."""
    networks = _networks(things, stack)
    why: dict[str, str] = {}
    foreign: dict[str, str] = {}
    for thing in things:
        reason = _reason(thing, stack, networks)
        if reason is not None:
            why[thing.key] = reason
        elif stack.has(thing) is False or thing.networks or thing.kind is NETWORK:
            foreign[thing.key] = ""
    _follow(things, why, foreign)
    _follow(things, foreign, why)
    for thing in _undecided(things, why, foreign):
        if stack.namespace is not None and thing.namespace == stack.namespace:
            why[thing.key] = f"made for namespace {stack.namespace}, of a cluster it does not name"
    _follow(things, why, foreign)
    _used_alone(things, why)
    return Owned(
        why,
        holding=[thing for thing in things if thing.key in foreign and thing.networks & networks.keys()],
        networks=[thing for thing in things if thing.key not in why and _for_rdma(thing, stack)],
        volumes=[
            thing for thing in _undecided(things, why, foreign) if thing.claim and f"/{stack.region}" in thing.key
        ],
    )


def _networks(things: Sequence[Thing], stack: Stack) -> Mapping[str, str]:
    """Returns the stack's networks by path: its own, and those that GKE made for the further NICs of its nodes."""
    found = {path: title for path, title in stack.made.items() if "/global/networks/" in path}
    made = "made by GKE for the nodes' further NICs"
    for thing in things:
        if thing.kind is INSTANCE and stack.has(thing):
            found |= {path: made for path in thing.networks if path not in found}
        elif thing.kind is NETWORK and stack.cluster and thing.name.startswith(f"gke-{stack.cluster}-"):
            found.setdefault(thing.key, f"{made}, by its name")
    return found


def _reason(thing: Thing, stack: Stack, networks: Mapping[str, str]) -> str | None:
    """Returns why the stack owns a thing by the thing's own data; None if it does not."""
    if thing.kind is NETWORK:
        return networks.get(thing.key)
    if thing.key in stack.made:
        return stack.made[thing.key]
    ours, within = stack.has(thing), thing.networks & networks.keys()
    if ours:
        return "of the cluster, by its label"
    return f"in network {last(min(within))}" if ours is None and within else None


def _follow(things: Sequence[Thing], decided: dict[str, str], others: Mapping[str, str]) -> None:
    """Adds things that refer, directly or not, to a decided thing, unless they belong to others by their own data."""
    leads = {thing.key: thing.name for thing in things if thing.kind not in SHARED and thing.key in decided}
    while leads:
        found: dict[str, str] = {}
        for thing in _undecided(things, decided, others):
            if led := sorted(leads[link] for link in thing.links if link in leads):
                decided[thing.key] = f"refers to {led[0]}"
                if thing.kind not in SHARED:
                    found[thing.key] = thing.name
        leads = found


def _undecided(things: Sequence[Thing], *decided: Mapping[str, str]) -> Iterator[Thing]:
    return (thing for thing in things if not any(thing.key in some for some in decided))


def _used_alone(things: Sequence[Thing], why: dict[str, str]) -> None:
    """Adds shared things to which only the stack's things refer."""
    for shared in things:
        if shared.kind in SHARED and shared.key not in why:
            users = [thing for thing in things if shared.key in thing.links]
            if users and all(user.key in why for user in users):
                why[shared.key] = f"used by {users[0].name}"


def _for_rdma(thing: Thing, stack: Stack) -> bool:
    """Whether a network has a profile of the zone, as networks of RDMA NICs have."""
    profile = last(str(thing.object.get("networkProfile", "")))
    return thing.kind is NETWORK and profile.startswith(f"{stack.zone}-vpc-")
