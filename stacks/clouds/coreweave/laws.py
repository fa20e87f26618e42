"""Laws of a CKS cluster and its VPC over resources, wherever they are from: a plan, or a program as a provider is told of it.

Their rows, some with a check of the stack file too, are in `stacks.clouds.coreweave.rules`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stacks.clouds.coreweave.addresses import overlapping
from stacks.clouds.coreweave.plan import CLUSTER, NAME_LENGTH, VPC
from stacks.clouds.coreweave.versions import parse
from stacks.clouds.gke.addresses import parsed
from stacks.clouds.laws import broken
from stacks.clouds.resource import Ref, Resource
from stacks.findings import Finding


def vpc_of(cluster: Resource, resources: Sequence[Resource]) -> Resource | None:
    """The VPC a cluster is in, by an open reference or by its id."""
    said = cluster.args.get("vpc_id")
    name = said.resource if isinstance(said, Ref) else said
    return next((one for one in resources if one.type == VPC and one.name == name), None)


def short_names(resources: Sequence[Resource]) -> Iterator[Finding]:
    for resource in (one for one in resources if one.type in (VPC, CLUSTER)):
        name = str(resource.args.get("name") or "")
        if len(name) > NAME_LENGTH:
            yield broken(resource.name, "name", f"`{name}` has more than {NAME_LENGTH} characters")


def known_ranges(resources: Sequence[Resource]) -> Iterator[Finding]:
    for cluster, vpc in _housed(resources):
        known = {row["name"] for row in _rows(vpc)}
        for path in ("pod_cidr_name", "service_cidr_name", "internal_lb_cidr_names"):
            said = cluster.args.get(path) or []
            for name in said if isinstance(said, list) else [said]:
                if name not in known:
                    yield broken(cluster.name, path, f"the VPC has no prefix `{name}`")


def one_zone(resources: Sequence[Resource]) -> Iterator[Finding]:
    for cluster, vpc in _housed(resources):
        if cluster.args.get("zone") != vpc.args.get("zone"):
            what = f"the VPC is in {vpc.args.get('zone')}, and the cluster would be in {cluster.args.get('zone')}"
            yield broken(cluster.name, "zone", what)


def minor_version(resources: Sequence[Resource]) -> Iterator[Finding]:
    for cluster in (one for one in resources if one.type == CLUSTER):
        version = cluster.args.get("version")
        if version is not None and parse(str(version)) is None:
            yield broken(cluster.name, "version", f"`{version}` is not of the form v1.35")


def ranges(resources: Sequence[Resource]) -> Iterator[Finding]:
    for vpc in (one for one in resources if one.type == VPC):
        named = {str(row["name"]): str(row["value"]) for row in _rows(vpc)}
        for name, text in named.items():
            if parsed(text) is None:
                yield broken(vpc.name, "vpc_prefixes", f"`{text}` of `{name}` is no range of addresses")
        for one, other in overlapping(named):
            yield broken(vpc.name, "vpc_prefixes", f"`{one}` and `{other}` overlap")


def _housed(resources: Sequence[Resource]) -> Iterator[tuple[Resource, Resource]]:
    """The clusters whose VPC is there, with that."""
    for cluster in (one for one in resources if one.type == CLUSTER):
        if vpc := vpc_of(cluster, resources):
            yield cluster, vpc


def _rows(vpc: Resource) -> Sequence[Mapping[str, Any]]:
    """Its ranges, without those that are not known yet."""
    found: Sequence[Mapping[str, Any]] = vpc.args.get("vpc_prefixes") or ()
    return [row for row in found if {"name", "value"} <= row.keys()]
