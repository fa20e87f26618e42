"""A CKS cluster of the stack's own: what a changed stack file would do to it, and whether its context can be the cluster's."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from stacks.clouds.changes import changes
from stacks.clouds.cloud import ClusterPlan, ClusterRequest, Previous
from stacks.clouds.coreweave.plan import VPC
from stacks.clouds.coreweave.pools import API
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.rules import CW_11, CW_15, HERE
from stacks.clouds.outputs import NEXT
from stacks.clouds.resource import Resource, plain
from stacks.clouds.rules import IMM
from stacks.findings import Place, Problem
from stacks.kube.api import Api
from stacks.kube.context import Context
from stacks.kube.errors import asking
from stacks.kube.owner import owner_of

#: Where a stack file says what an argument becomes of, by the class and the argument.
KEYS: Mapping[tuple[str, str], Place] = {
    (VPC, "name"): ("vpc", "name"),
    (VPC, "host_prefixes"): ("vpc", "hosts"),
    ("CksCluster", "internal_lb_cidr_names"): ("vpc", "internalLoadBalancers"),
}


def check_cluster(request: ClusterRequest, plan: ClusterPlan, previous: Previous) -> Iterator[Problem]:
    """Problems of a change that would replace what is protected, or change what cannot, and of a context of another cluster."""
    yield from _refused(previous.planned, plan)
    yield from _left(previous, request.context)
    yield from _elsewhere(previous, plan, request.context)


def _refused(before: Mapping[str, Any], plan: ClusterPlan) -> Iterator[Problem]:
    for change in changes(before, plan.resources, CKS):
        for field in change.fields if change.refused else ():
            key = KEYS.get((change.resource.type, field), (field,))
            what = f"{field} of {_named(change.resource)} would change"
            why, fix = "it would be deleted with all that is in it, and made anew", "make another stack for another one"
            yield IMM.problem(at=(*HERE, *key), what=what, why=why, fix=f"take it back, or {fix}")
    for resource in plan.resources:
        known = before.get(resource.name)
        if known and known["type"] == resource.type:
            old, new = known["args"], plain(resource.args)
            for field in unchangeable_fields(old, new, resource.type):
                yield _unchangeable(field, old, new, resource)


def _unchangeable(field: str, old: Mapping[str, Any], new: Mapping[str, Any], resource: Resource) -> Problem:
    if field == "version":
        return CW_11.problem(
            at=(*HERE, "version"), what=f"{_named(resource)} is {old['version']}, and would become {new['version']}",
            why="CoreWeave upgrades to the next minor version, and never back", fix="go one version at a time",
        )  # fmt: skip
    return IMM.problem(
        at=(*HERE, "vpc"), what=f"{field} of {_named(resource)} would lose a range or move one",
        why="what is in the cluster has addresses of it", fix="take it back; `internalLoadBalancers` takes more at its end",
    )  # fmt: skip


def _left(previous: Previous, context: Context) -> Iterator[Problem]:
    """Without its context everything in the cluster would be deleted as gone from the stack."""
    if _lived_in(previous) and context.context is None:
        yield _context(
            "`context` is gone",
            "this would delete all that the stack has in its cluster",
            "write it again; `pulumi destroy` takes a stack down",
        )


def _elsewhere(previous: Previous, plan: ClusterPlan, context: Context) -> Iterator[Problem]:
    """A context that leads to another cluster: one that is named too early, or by mistake, where somebody has nodes."""
    if context.context is None or _lived_in(previous):
        return
    name, endpoint = plan.cluster.args["name"], (previous.outputs.get(NEXT) or {}).get("endpoint")
    unanswered: list[Problem] = []
    with asking(context, unanswered.append):
        api = Api(context.kubeconfig, context.context)
        theirs = [pool["metadata"]["name"] for pool in api.items(API) if owner_of(pool) != previous.owner]
        if theirs and endpoint is None:
            what = f"context `{context.context}` leads to a cluster with NodePool {theirs[0]}"
            yield _context(what, f"CKS cluster {name} is not made yet", "leave `context` out until it is")
        elif theirs and _host(api.server) != _host(str(endpoint)):
            what = f"context `{context.context}` leads to {api.server}, where NodePool {theirs[0]} belongs to another owner"
            yield _context(what, f"CKS cluster {name} answers at {endpoint}", "name the context that leads there")
    if unanswered and endpoint is None:
        what, why = f"context `{context.context}` leads nowhere", f"CKS cluster {name} is not made yet"
        yield _context(what, why, "leave `context` out until it is")


def _lived_in(previous: Previous) -> bool:
    """Whether the stack has been in its cluster."""
    return bool(previous.planned) and NEXT not in previous.outputs


def _host(url: str) -> str:
    return urlsplit(url if "//" in url else f"//{url}").netloc.lower()


def _context(what: str, why: str, fix: str) -> Problem:
    return CW_15.problem(at=("cluster", "context"), what=what, why=why, fix=fix)


def _named(resource: Resource) -> str:
    return f"{resource.title} {resource.name}"
