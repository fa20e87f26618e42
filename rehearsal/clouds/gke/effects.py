"""Effects of the kinds of the pretend GKE: ids, prerequisites in Google's words, faults of node pools, and simulated nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.clouds.gke import messages
from rehearsal.clouds.gke.faults import play
from rehearsal.clouds.gke.nodes import Fleet
from rehearsal.clouds.pretend import Given, Kind, Made, World
from rehearsal.clouds.store import Properties, Record
from stacks.clouds.gke.laws.view import look_up, name_of
from stacks.clouds.resource import Arguments

#: Titles of the APIs, as in Google's console.
_TITLES = {
    "compute": "Compute Engine API",
    "container": "Kubernetes Engine API",
    "iam": "Identity and Access Management (IAM) API",
}


@dataclass(frozen=True)
class GoogleKind(Kind):
    """A kind of Google's. `api` is the API that the project has to have. `{domain}` in an id is the domain of its accounts.

    References are ids, links, addresses of accounts, or bare names: those of the same project, and of the same region for
    regional resources. Members of a role that are no service accounts are no references.
    """

    api: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(place for place in super().places if place != "domain")

    def id_of(self, args: Arguments) -> str:
        short = {key: name_of(args[key]) for key in ("cluster", "router") if key in args}
        return self.id.format_map(Given({**args, **short, "domain": _domain(str(args.get("project")))}))

    def target(self, path: str, said: str, kind: Kind, args: Arguments) -> str | None:
        if path == "member" and not said.startswith("serviceAccount:"):
            return None
        if "/" in said:
            return "projects/" + said.partition("projects/")[2] if "projects/" in said else said
        if kind.path == "serviceaccount.Account":
            return said
        where = str(args.get("location") or args.get("region") or "")
        # The name of a zone begins with its region.
        region = where.rpartition("-")[0] if where.count("-") == 2 else where
        return kind.id.format_map({"project": args.get("project"), "region": region, "location": where, "name": said})

    def check_project(self, made: Made) -> None:
        """Raises Failure if the API is not enabled in the project."""
        wanted = (made.project, f"{self.api}.googleapis.com")
        if self.api and wanted not in [(one.project, one.args["service"]) for one in _of(made, "projects.Service")]:
            raise messages.api_disabled(_TITLES[self.api], wanted[1], made.project)


class ClusterKind(GoogleKind):
    """A cluster, for which the fleet stands. It takes its node pools along."""

    def check_references(self, made: Made) -> None:
        """Raises Failure if the ranges of pods and services are not those of the cluster's subnet."""
        subnet = made.refers.get("subnetwork")
        if subnet is None:
            return
        known = {row["range_name"] for row in subnet.args.get("secondary_ip_ranges") or ()}
        for role in ("cluster", "services"):
            name = look_up(made.args, f"ip_allocation_policy.{role}_secondary_range_name")
            if name is not None and name not in known:
                raise messages.no_range(name, subnet.id)

    def check_delete(self, found: Record) -> None:
        if found.args.get("deletion_protection") is not False:
            raise messages.protected()

    def settle(self, made: Made, state: Properties) -> None:
        if made.world.fleet:
            Fleet(made.world.fleet).bring(str(state["masterVersion"]), made.args)

    def leave(self, world: World, found: Record) -> None:
        if world.fleet:
            Fleet(world.fleet).take()


class PoolKind(GoogleKind):
    """A node pool, which becomes simulated nodes of the fleet."""

    def begin(self, made: Made) -> None:
        play(made.world.fault, made.args, made.id, made.world.wait)

    def check_references(self, made: Made) -> None:
        """Raises Failure if GKE's own account, which creates the networks of managed DRANET, has no permission to."""
        if not look_up(made.args, "network_config.accelerator_network_profile"):
            return
        services = _of(made, "projects.ServiceIdentity")
        agents = [one.state["member"] for one in services if one.args["service"] == "container.googleapis.com"]
        roles = [(one.args["role"], one.args["member"]) for one in _of(made, "projects.IAMMember")]
        if not any(role == "roles/compute.networkAdmin" and member in agents for role, member in roles):
            raise messages.forbidden("compute.networks.create", f"projects/{made.project}")

    def settle(self, made: Made, state: Properties) -> None:
        if made.world.fleet:
            Fleet(made.world.fleet).settle(made.args, made.refers["cluster"].args)

    def leave(self, world: World, found: Record) -> None:
        if world.fleet:
            Fleet(world.fleet).remove(found.args)


def _of(made: Made, kind: str) -> Sequence[Record]:
    return [record for record in made.records if record.kind == kind]


def _domain(project: str) -> str:
    """Returns a project's part of the addresses of its accounts."""
    return ".".join(reversed(project.split(":"))) + ".iam.gserviceaccount.com"
