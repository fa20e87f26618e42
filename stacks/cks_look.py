"""A CKS cluster of the stack's own: what a changed stack file would do to it, and whether its context can be the cluster's."""

from collections.abc import Iterator, Mapping
from typing import Any

from stacks.change_look import OUTPUT, last_outputs
from stacks.changes import changes
from stacks.cks import CksPlan
from stacks.cks_immutable import CKS, unchangeable_fields
from stacks.cks_rules import UPGRADES
from stacks.cloud import Resource, plain
from stacks.cluster_spec import Cluster
from stacks.compose_cks import NEXT
from stacks.coreweave import API
from stacks.kube_api import Api
from stacks.lookahead import answering
from stacks.ownership import holder
from stacks.problems import Problem, StackFileError

SOURCE = "stacks/cks_look.py"
HERE = "llmd-pd:cluster.coreweave.cluster"


def look_at_cluster(plan: CksPlan, cluster: Cluster, owner: str) -> None:
    """What the last plan tells, before the engine refuses it without a word of why, or does it.

    Raises:
        StackFileError: what is protected would be replaced, or what cannot change would; or the context cannot be the cluster's.
    """
    if (outputs := last_outputs(owner)) is None:
        return
    before = outputs.get(OUTPUT) or {}
    if problems := [*_refused(before, plan), *_left(outputs, cluster), *_elsewhere(outputs, plan, cluster, owner)]:
        raise StackFileError(problems)


def _refused(before: Mapping[str, Any], plan: CksPlan) -> Iterator[Problem]:
    for change in changes(before, plan.resources, CKS):
        if change.refused:
            what = f"{', '.join(change.fields)} of {_named(change.resource)} would change"
            why = "it would be deleted with all that is in it, and made anew"
            fix = "take it back, or make another stack for another one"
            yield Problem("IMM", HERE, what, why, fix, "the provider's schema")
    for resource in plan.resources:
        known = before.get(resource.name)
        if known and known["type"] == resource.type:
            old, new = known["args"], plain(resource.args)
            yield from (
                _unchangeable(field, old, new, resource) for field in unchangeable_fields(old, new, resource.type)
            )


def _unchangeable(field: str, old: Mapping[str, Any], new: Mapping[str, Any], resource: Resource) -> Problem:
    if field == "version":
        return Problem(
            "CW-11", f"{HERE}.version", f"{resource.title} is {old['version']}, and would become {new['version']}",
            "CoreWeave upgrades to the next minor version, and never back", "go one version at a time", UPGRADES,
        )  # fmt: skip
    return Problem(
        "IMM", f"{HERE}.vpc", f"a range of {_named(resource)} would move or go", "what is in the cluster has addresses of it",
        "take it back; a range can be added at the end of `internalLoadBalancers`", "the provider's schema",
    )  # fmt: skip


def _left(outputs: Mapping[str, Any], cluster: Cluster) -> Iterator[Problem]:
    """Without its context everything in the cluster would be deleted as gone from the stack."""
    if OUTPUT in outputs and NEXT not in outputs and cluster.context is None:
        yield Problem(
            "CW-15", "llmd-pd:cluster.context", "`context` is gone", "this would delete all that the stack has in its cluster",
            "write it again; to take the stack down, `pulumi destroy`", SOURCE,
        )  # fmt: skip


def _elsewhere(outputs: Mapping[str, Any], plan: CksPlan, cluster: Cluster, owner: str) -> Iterator[Problem]:
    """A context that is named before the cluster is there leads to another one; that shows once somebody has nodes in it."""
    if OUTPUT in outputs or cluster.context is None:
        return
    theirs: list[str] = []
    with answering(cluster):
        pools = Api(cluster.kubeconfig, cluster.context).items(API)
        theirs = [pool["metadata"]["name"] for pool in pools if holder(pool) != owner]
    if theirs:
        yield Problem(
            "CW-15", "llmd-pd:cluster.context", f"context `{cluster.context}` leads to a cluster with NodePool {theirs[0]}",
            f"CKS cluster {plan.cluster.args['name']} is not made yet", "leave `context` out until it is", SOURCE,
        )  # fmt: skip


def _named(resource: Resource) -> str:
    return f"{resource.title} ({resource.name})"
