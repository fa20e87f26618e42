"""Checks of a change of the stack's own CKS cluster since the last run: what the provider would report late, or not at all.

Whether the changed stack file would replace the cluster, and whether the context leads to it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stacks.clouds.changes import changes
from stacks.clouds.coreweave.plan import CLUSTER, VPC
from stacks.clouds.coreweave.pools import API
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.section_checks import HERE
from stacks.clouds.outputs import NEXT
from stacks.clouds.resource import Arguments, Resource, plain
from stacks.findings import Finding, Place, Problem
from stacks.kube.errors import asking
from stacks.kube.live import LiveCluster
from stacks.kube.owner import owner_of

if TYPE_CHECKING:
    from stacks.clouds.cloud import Previous
    from stacks.rules.facts import Facts

#: The key of the stack file for an argument, by class and argument.
KEYS: dict[tuple[str, str], Place] = {
    (VPC, "name"): ("vpc", "name"),
    (VPC, "host_prefixes"): ("vpc", "hosts"),
    (CLUSTER, "internal_lb_cidr_names"): ("vpc", "internalLoadBalancers"),
}


def replaced(facts: "Facts") -> Iterator[Finding]:
    """IMM: a protected resource that would be replaced, and ranges that would be lost or moved."""
    for change in changes(facts.previous.planned, facts.resources, CKS):
        for field in change.fields if change.refused else ():
            key = KEYS.get((change.resource.type, field), (field,))
            what = f"{field} of {_named(change.resource)} would change"
            why, fix = "it would be deleted with all that is in it, and made anew", "make another stack for another one"
            yield Finding(at=(*HERE, *key), what=what, why=why, fix=f"take it back, or {fix}")
    for resource, _ in _kept(facts, VPC):
        what = f"vpc_prefixes of {_named(resource)} would lose a range or move one"
        yield Finding(
            at=(*HERE, "vpc"), what=what, why="things in the cluster have addresses in it",
            fix="take it back; `internalLoadBalancers` takes more at its end",
        )  # fmt: skip


def next_version(facts: "Facts") -> Iterator[Finding]:
    """CW-11: an existing cluster is upgraded to the next minor version."""
    for resource, old in _kept(facts, CLUSTER):
        what = f"{_named(resource)} is {old['version']}, and would become {resource.args['version']}"
        why = "CoreWeave upgrades to the next minor version, and never back"
        yield Finding(at=(*HERE, "version"), what=what, why=why, fix="go one version at a time")


def _kept(facts: "Facts", kind: str) -> Iterator[tuple[Resource, Arguments]]:
    """Yields resources of a kind that stay and cannot adopt a change, with their arguments of the last run."""
    before = facts.previous.planned
    for resource in facts.cluster.of(kind):
        known = before.get(resource.name)
        if known and known["type"] == kind and unchangeable_fields(known["args"], plain(resource.args), kind):
            yield resource, known["args"]


def own_context(facts: "Facts") -> Iterator[Finding]:
    """CW-15: the context leads to the stack's own cluster, and stays once the stack has something there."""
    previous, context = facts.previous, facts.spec.cluster.at
    if not any(facts.cluster.of(CLUSTER)):
        return
    if _in_its_cluster(previous):
        if context.context is None:
            # The engine would delete everything in the cluster as removed from the stack.
            what, why = "`context` was removed", "this would delete all that the stack has in its cluster"
            yield _context(what, why, "write it again; `pulumi destroy` takes a stack down")
        return
    if context.context is None:
        return
    name, endpoint = facts.cluster.cluster.args["name"], (previous.outputs.get(NEXT) or {}).get("endpoint")
    unanswered: list[Problem] = []
    with asking(context, unanswered.append):
        live = LiveCluster(context, previous.owner)
        theirs = [pool["metadata"]["name"] for pool in live.items(API) if owner_of(pool) != previous.owner]
        if theirs and endpoint is None:
            what = f"context `{context.context}` leads to a cluster with NodePool {theirs[0]}"
            yield _context(what, f"CKS cluster {name} is not made yet", "leave `context` out until it is")
        elif theirs and _host(live.server) != _host(str(endpoint)):
            what = f"context `{context.context}` leads to {live.server}, where NodePool {theirs[0]} belongs to another owner"
            yield _context(what, f"CKS cluster {name} answers at {endpoint}", "name the context that leads there")
    if unanswered and endpoint is None:
        what, why = f"context `{context.context}` leads nowhere", f"CKS cluster {name} is not made yet"
        yield _context(what, why, "leave `context` out until it is")


def _in_its_cluster(previous: "Previous") -> bool:
    """Whether an earlier `up` made things in the cluster."""
    return bool(previous.planned) and NEXT not in previous.outputs


def _host(url: str) -> str:
    return urlsplit(url if "//" in url else f"//{url}").netloc.lower()


def _context(what: str, why: str, fix: str) -> Finding:
    return Finding(at=("cluster", "context"), what=what, why=why, fix=fix)


def _named(resource: Resource) -> str:
    return f"{resource.title} {resource.name}"
