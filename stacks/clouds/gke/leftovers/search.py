"""Searches Google for leftovers of a stack on GKE: the resources it made, and those that GKE and its controllers made for it.

Read-only. Asks Google alone: not Pulumi's state, because leftovers are what it has lost, and not the cluster, because its objects
are deleted with it. IAM bindings are left out: they do not bill, and Google does not show them to a viewer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stacks.clouds.gke.leftovers.google import (
    ApiOffError,
    ForbiddenError,
    Google,
    GoogleSearch,
    Object,
    UnansweredError,
    asking_google,
)
from stacks.clouds.gke.leftovers.kinds import DISK, KINDS, NETWORK, ROUTER, Kind, last
from stacks.clouds.gke.leftovers.owners import Owned, Stack, Thing, network, owned
from stacks.clouds.gke.plan import GkePlan
from stacks.kube.leftover import Leftover, Leftovers

#: The paths at Google of the resources that a stack made, by class in the SDK. Clusters with their pools, NATs and accounts need
#: requests of their own; roles are not resources there, and APIs stay.
PATHS = {
    "compute.Network": "projects/{project}/global/networks/{name}",
    "compute.Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "compute.Firewall": "projects/{project}/global/firewalls/{name}",
    "compute.Router": "projects/{project}/regions/{region}/routers/{name}",
}
#: The number of names in a message.
SHOWN = 5
CLUSTERS = Kind("GKE cluster", "locations/-/clusters", lambda _: "", bills=True, api="container", items="clusters")


def search_google(plan: GkePlan, namespace: str | None, connect: Callable[[str], Google]) -> Leftovers:
    """Returns the leftovers of a plan in its project. `connect` connects to Google; `namespace` is the stack's, None if it does
    not serve.

    Raises:
        StackFileError: Google cannot be asked.
    """
    with asking_google():
        search = GoogleSearch(connect(plan.settings.project), plan.settings.gke.region)
        found = tuple(_Search(search, plan, namespace).everything())
        return Leftovers(found, tuple(search.others), tuple(search.unread))


@dataclass
class _Search:
    search: GoogleSearch
    plan: GkePlan
    namespace: str | None

    def everything(self) -> Iterator[Leftover]:
        """Yields leftovers in deletion order, each deletable once those before it are deleted; then those that stay."""
        there = self.search.listed(CLUSTERS)
        named = [cluster for cluster in there if self._is_named(cluster)]
        ours = [cluster for cluster in named if self._is_ours(cluster)]
        for cluster in ours:
            yield from _cluster(cluster)
        things = [Thing(kind, obj) for kind in KINDS for obj in self.search.listed(kind)]
        name = "" if len(ours) < len(named) else self.plan.cluster.args["name"]
        gke = self.plan.settings.gke
        found = owned(things, Stack(name, gke.region, gke.zone, self.made, self.namespace))
        yield from _things(things, found)
        yield from self._accounts()
        self.search.others += [*self._other_clusters(there, ours), *_doubts(found)]
        yield from self._reservation()
        for api in self.search.on:
            yield Leftover("API", f"{api}.googleapis.com", "others of the project may use it", on_purpose=True)

    def _is_named(self, cluster: Object) -> bool:
        return (cluster["name"], cluster.get("location")) == (
            self.plan.cluster.args["name"],
            self.plan.settings.gke.region,
        )

    def _is_ours(self, cluster: Object) -> bool:
        """Whether the cluster is the stack's: by its label, or by its network, which no other stack uses."""
        label = self.plan.cluster.args["resource_labels"]
        said = cluster.get("resourceLabels") or {}
        return label.items() <= said.items() or _network_of(cluster, self.plan.settings.project) in self.made

    @cached_property
    def made(self) -> Mapping[str, str]:
        """Returns the paths of the things that the stack made, each with a description."""
        known = [resource for resource in self.plan.resources if resource.type in PATHS]
        return {PATHS[resource.type].format_map(resource.args): resource.title for resource in known}

    def _other_clusters(self, there: Iterable[Object], ours: Sequence[Object]) -> Iterator[str]:
        for cluster in there:
            within = _network_of(cluster, self.plan.settings.project)
            if cluster in ours:
                continue
            if within in self.made:
                yield f"GKE cluster {cluster['name']} is not this stack's, and in its network {last(within)}"
            elif self._is_named(cluster):
                yield f"GKE cluster {cluster['name']} exists and is not this stack's: it has neither its label nor its network"

    def _accounts(self) -> Iterator[Leftover]:
        for account in self.plan.of("serviceaccount.Account"):
            project, name = self.plan.settings.project, account.args["account_id"]
            email = f"{name}@{project}.iam.gserviceaccount.com"
            if self.search.read("iam", f"projects/{project}/serviceAccounts/{email}") is not None:
                yield Leftover("Service account", email, account.title)

    def _reservation(self) -> Iterator[Leftover]:
        """Yields the reservation of the nodes. It is the team's own, often in another project that the role may not read."""
        stated = self.plan.settings.gke.capacity.reservation
        if stated is None or "compute" in self.search.off:
            return
        _, project, _, name, *_ = stated.split("/")
        try:
            found = self.search.google.read(
                "compute", f"projects/{project}/zones/{self.plan.settings.gke.zone}/reservations/{name}"
            )
        except (ForbiddenError, ApiOffError, UnansweredError):
            self.search.others.append(
                f"reservation {name} of project {project} cannot be read; it bills as long as it exists"
            )
            return
        if found is not None:
            count = (found.get("specificReservation") or {}).get("count")
            machines = f"{count} machines, " if count else ""
            what = f"{machines}the team's own: it bills whether or not nodes use it"
            yield Leftover("Reservation", name, what, bills=True, on_purpose=True)


def _network_of(cluster: Object, project: str) -> str:
    """Returns the path of a cluster's network; older fields of a cluster have only its name."""
    said = str((cluster.get("networkConfig") or {}).get("network") or cluster.get("network") or "")
    return said if said.startswith("projects/") else network(project, said)


def _cluster(cluster: Object) -> Iterator[Leftover]:
    status = str(cluster.get("status", "")).lower()
    what = f"{cluster['location']}, {status}; what is in it was not looked at"
    yield Leftover("GKE cluster", cluster["name"], what, bills=True)
    for pool in cluster.get("nodePools") or ():
        machine = (pool.get("config") or {}).get("machineType", "")
        what = f"{machine}, {str(pool.get('status', '')).lower()}; its nodes bill, as VM instances"
        yield Leftover("Node pool", f"{cluster['name']}/{pool['name']}", what)


def _things(things: Sequence[Thing], found: Owned) -> Iterator[Leftover]:
    """Yields the things that the stack owns, except disks that are deleted with their machine."""
    for thing in things:
        if thing.key not in found.why or _goes_along(thing, found):
            continue
        claim = f"claimed by {'/'.join(thing.claim)}" if thing.claim else ""
        facts = ", ".join(part for part in (thing.kind.what(thing.object), claim) if part)
        what = "; ".join(part for part in (facts, found.why[thing.key]) if part)
        if thing.kind is ROUTER:
            for nat in thing.object.get("nats") or ():
                yield Leftover("Cloud NAT", nat["name"], f"on router {thing.name}", bills=True)
        yield Leftover(thing.kind.name, thing.name, what, bills=thing.kind.bills)


def _goes_along(thing: Thing, found: Owned) -> bool:
    """Whether a thing is the disk of a listed machine and has no claim; a disk with a claim outlives its machine."""
    users = thing.object.get("users") or ()
    return thing.kind is DISK and thing.claim is None and bool(users) and thing.links & found.why.keys() != frozenset()


def _doubts(found: Owned) -> Iterator[str]:
    """Yields notes about things that may be the stack's, and about things of others in its networks."""
    for thing in found.holding:
        yield f"{thing.kind.name} {thing.name} is another cluster's, and holds network {_held(thing, found)}"
    for thing in found.networks:
        yield f"{NETWORK.name} {thing.name} has an RDMA profile of the zone: GKE may have made it for this stack's nodes"
    if found.volumes:
        names = ", ".join(thing.name for thing in found.volumes[:SHOWN])
        more = f" and {len(found.volumes) - SHOWN} more" if len(found.volumes) > SHOWN else ""
        yield f"volumes of claims do not name their cluster: {names}{more}; those of this cluster are left, and bill"


def _held(thing: Thing, found: Owned) -> str:
    return last(min(thing.networks & found.why.keys()))
