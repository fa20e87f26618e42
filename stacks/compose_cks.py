"""Composing a CKS cluster of the stack's own, and the first of the two steps in which such a stack comes to be.

A kubeconfig for CKS holds a token, so that the stack makes none (docs/adr/0021). Its first `up`, without `context`, makes the
cluster alone; somebody then gets a kubeconfig, and names its context; from then on the stack makes all the rest.
"""

from collections.abc import Sequence

import pulumi

from components.cluster.cks import CksCluster, CksClusterArgs
from components.cluster.guard import ClusterGuard
from stacks.clouds.coreweave.plan import CksPlan
from stacks.spec.cluster import Cluster

#: Where a stack file says `deleteInUse`.
SECTION = "cluster.coreweave"
#: The output that says how to go on, of a stack whose cluster is all there is of it.
NEXT = "next"


def registered(plan: CksPlan) -> CksCluster:
    """The cluster and its VPC."""
    return CksCluster("cks", CksClusterArgs(resources=plan.resources, cluster=plan.cluster.name))


def guard_of_cks(plan: CksPlan, cluster: Cluster, owner: str, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
    """What a destroy asks who else lives in the cluster, before what it comes `after` goes, and the cluster with it."""
    stated = cluster.coreweave
    props = {
        "cluster": plan.cluster.args["name"],
        "kubeconfig": cluster.kubeconfig,
        "context": cluster.context,
        "owner": owner,
        "section": SECTION,
        "deleteInUse": stated is not None and stated.delete_in_use,
    }
    return ClusterGuard("cluster-guard", props, pulumi.ResourceOptions(depends_on=[*after], protect=cluster.protect))


def compose_alone(plan: CksPlan) -> None:
    """Registers the cluster with nothing in it, and exports how to go on."""
    cluster, name = registered(plan), plan.cluster.args["name"]
    pulumi.export(
        NEXT,
        {
            "endpoint": cluster.endpoint,
            "kubeconfig": f"`cwic cluster auth {name}`, or https://console.coreweave.com/tokens; it holds a token of yours",
            "then": f"name the context that leads to {name} as `context` under `llmd-pd:cluster`, and `pulumi up` again",
        },
    )
    pulumi.log.info(
        f"This makes CKS cluster {name} and its VPC, and nothing in it: no `context` under `llmd-pd:cluster` leads there yet. "
        f"The output `{NEXT}` says how to go on."
    )
