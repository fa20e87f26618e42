"""Stack files that make a CKS cluster, in every variant there is, and their plans; and the node pools of any stack on
CoreWeave.
"""

from collections.abc import Sequence
from typing import Any

from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.coreweave.plan import VPC, coreweave_plan
from stacks.clouds.pools import NodePool
from stacks.clouds.resource import Resource
from stacks.spec.stack import StackSpec
from tests.cluster_requests import requested
from tests.unit.test_rules import spec

CKS: dict[str, Any] = {"zone": "US-EAST-02A", "version": "v1.35"}
CLUSTER: dict[str, Any] = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}
SERVING: dict[str, Any] = {"accelerator": "nvidia", "fabric": "coreweave"}
EVERYTHING: dict[str, Any] = {
    "name": "prod",
    "public": False,
    "vpc": {
        "name": "prod-net",
        "pods": "10.64.0.0/13",
        "services": "10.80.0.0/22",
        "internalLoadBalancers": ["10.80.4.0/22", "10.80.8.0/22"],
        "hosts": "10.16.192.0/18",
        "peers": ["10.0.0.0/16", "10.0.128.0/17"],
    },
}
#: Changes to `cluster.coreweave.cluster`, and to the rest.
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the least": ({}, {}),
    "told everything": (EVERYTHING, {}),
    "a long name": ({}, {"name": "a-name-of-forty-characters-which-is-most"}),
}


def stack(
    cks: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    coreweave: dict[str, Any] | None = None,
    **more: Any,
) -> StackSpec:
    """A stack file that serves on a cluster of its own; None takes a key away."""
    made = {key: value for key, value in {**CKS, **(cks or {})}.items() if value is not None}
    stated = {**CLUSTER, "coreweave": {"cluster": made, **(coreweave or {})}, **(cluster or {})}
    return spec(SERVING, cluster={key: value for key, value in stated.items() if value is not None}, **more)


def variant(name: str) -> StackSpec:
    """The stack file of a variant."""
    cks, more = VARIANTS[name]
    return stack(cks, **more)


def planned(given: StackSpec) -> ClusterPlan:
    """Its plan, which has a cluster."""
    plan = coreweave_plan(requested(given))
    assert plan.cluster_name is not None
    return plan


def vpc(plan: ClusterPlan) -> Resource:
    """The VPC of a plan."""
    (found,) = plan.of(VPC)
    return found


def pools(given: StackSpec) -> Sequence[NodePool]:
    """The node pools of a stack file, which may make no cluster."""
    return coreweave_plan(requested(given)).pools
