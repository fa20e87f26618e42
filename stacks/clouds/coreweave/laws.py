"""Laws of a CKS cluster and its VPC over resources, wherever they are from: a plan, or a program as a provider is told of it.

What a stack file alone can get wrong is in `stacks.clouds.coreweave.rules`, with the same ids.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stacks.clouds.coreweave.addresses import overlapping
from stacks.clouds.coreweave.plan import CLUSTER, NAME_LENGTH, VPC
from stacks.clouds.coreweave.versions import parse
from stacks.clouds.gke.addresses import parsed
from stacks.clouds.gke.laws.view import Broken
from stacks.clouds.resource import Ref, Resource

Law = Callable[[Sequence[Resource]], Iterator[Broken]]


def resource_problems(resources: Sequence[Resource]) -> list[Broken]:
    """Every law that these break."""
    return [broken for law in LAWS for broken in law(resources)]


def vpc_of(cluster: Resource, resources: Sequence[Resource]) -> Resource | None:
    """The VPC a cluster is in, by an open reference or by its id."""
    said = cluster.args.get("vpc_id")
    name = said.resource if isinstance(said, Ref) else said
    return next((one for one in resources if one.type == VPC and one.name == name), None)


def _short_names(resources: Sequence[Resource]) -> Iterator[Broken]:
    for resource in resources:
        name = str(resource.args.get("name") or "")
        if len(name) > NAME_LENGTH:
            yield Broken("CW-06", resource.name, "name", f"`{name}` has more than {NAME_LENGTH} characters")


def _known_ranges(resources: Sequence[Resource]) -> Iterator[Broken]:
    for cluster, vpc in _housed(resources):
        known = {row["name"] for row in _rows(vpc)}
        for path in ("pod_cidr_name", "service_cidr_name", "internal_lb_cidr_names"):
            said = cluster.args.get(path) or []
            for name in said if isinstance(said, list) else [said]:
                if name not in known:
                    yield Broken("CW-06", cluster.name, path, f"the VPC has no prefix `{name}`")


def _one_zone(resources: Sequence[Resource]) -> Iterator[Broken]:
    for cluster, vpc in _housed(resources):
        if cluster.args.get("zone") != vpc.args.get("zone"):
            what = f"the VPC is in {vpc.args.get('zone')}, and the cluster would be in {cluster.args.get('zone')}"
            yield Broken("CW-06", cluster.name, "zone", what)


def _minor_version(resources: Sequence[Resource]) -> Iterator[Broken]:
    for cluster in (one for one in resources if one.type == CLUSTER):
        version = cluster.args.get("version")
        if version is not None and parse(str(version)) is None:
            yield Broken("CW-11", cluster.name, "version", f"`{version}` is not of the form v1.35")


def _ranges(resources: Sequence[Resource]) -> Iterator[Broken]:
    for vpc in (one for one in resources if one.type == VPC):
        ranges = {str(row["name"]): str(row["value"]) for row in _rows(vpc)}
        for name, text in ranges.items():
            if parsed(text) is None:
                yield Broken("CW-12", vpc.name, "vpc_prefixes", f"`{text}` of `{name}` is no range of addresses")
        for one, other in overlapping(ranges):
            yield Broken("CW-12", vpc.name, "vpc_prefixes", f"`{one}` and `{other}` overlap")


LAWS: tuple[Law, ...] = (_short_names, _known_ranges, _one_zone, _minor_version, _ranges)


def _housed(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Resource]]:
    """The clusters whose VPC is there, with that."""
    for cluster in (one for one in resources if one.type == CLUSTER):
        if vpc := vpc_of(cluster, resources):
            yield cluster, vpc


def _rows(vpc: Resource) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = vpc.args.get("vpc_prefixes") or ()
    return found
