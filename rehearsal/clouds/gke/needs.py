"""Prerequisites of a resource: those it refers to, the project's API, ranges, and permissions of GKE's own account."""

from collections.abc import Sequence

from rehearsal.clouds.gke import words
from rehearsal.clouds.gke.kinds import Kind
from rehearsal.clouds.gke.references import references
from rehearsal.clouds.inputs import camel
from rehearsal.clouds.store import Record
from rehearsal.plugins.plugin import Failure
from stacks.clouds.gke.laws.view import look_up
from stacks.clouds.resource import Arguments

#: Titles of the APIs, as in Google's console.
_TITLES = {
    "compute": "Compute Engine API",
    "container": "Kubernetes Engine API",
    "iam": "Identity and Access Management (IAM) API",
}


def allowed(kind: Kind, args: Arguments, records: Sequence[Record]) -> None:
    """Checks that a resource can be created or changed to these arguments.

    Raises:
        Failure: a prerequisite is missing, in Google's words.
    """
    project = str(args["project"])
    if kind.api:
        _has_api(kind.api, project, records)
    for reference in references(kind.path, args):
        if reference.found(records) is None:
            account = "serviceaccount.Account" in reference.kinds
            email = reference.said.removeprefix("serviceAccount:")
            refused = words.no_account(email) if account else words.not_found(reference.target)
            raise Failure(f"{camel(reference.path)}: {refused}")
    if kind.path == "container.Cluster":
        _has_ranges(args, records)
    if kind.path == "container.NodePool" and look_up(args, "network_config.accelerator_network_profile"):
        _may_make_networks(project, records)


def _has_api(api: str, project: str, records: Sequence[Record]) -> None:
    wanted = (project, f"{api}.googleapis.com")
    there = [(record.project, record.args["service"]) for record in records if record.kind == "projects.Service"]
    if wanted not in there:
        raise words.api_disabled(_TITLES[api], wanted[1], project)


def _has_ranges(args: Arguments, records: Sequence[Record]) -> None:
    """Raises Failure if the ranges of pods and services are not those of the cluster's subnet."""
    subnets = [one.found(records) for one in references("container.Cluster", args) if one.path == "subnetwork"]
    for subnet in (one for one in subnets if one is not None):
        there = {row["range_name"] for row in subnet.args.get("secondary_ip_ranges") or ()}
        for role in ("cluster", "services"):
            name = look_up(args, f"ip_allocation_policy.{role}_secondary_range_name")
            if name is not None and name not in there:
                raise words.no_range(name, subnet.id)


def _may_make_networks(project: str, records: Sequence[Record]) -> None:
    """Raises Failure if GKE's own account, which creates the networks of managed DRANET, has no permission to."""
    agents = [
        record.state["member"]
        for record in records
        if record.kind == "projects.ServiceIdentity" and record.args["service"] == "container.googleapis.com"
    ]
    if not any(
        record.kind == "projects.IAMMember"
        and record.args["role"] == "roles/compute.networkAdmin"
        and record.args["member"] in agents
        for record in records
    ):
        raise words.forbidden("compute.networks.create", f"projects/{project}")
