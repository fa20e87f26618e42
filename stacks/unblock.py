"""What an interrupted Helm left in the way of the next `up`, taken out of it.

The API server gone while the router was waited for, or a CLI killed: Helm could not write that it failed, and would refuse
the release for ever ("another operation is in progress", "cannot re-use a name that is still in use"). The one thing the
program itself writes; everything else is the engine's (docs/adr/0010).
"""

from collections.abc import Sequence

import pulumi

from stacks import helm_records
from stacks.kube_api import Api, Object
from stacks.lookahead import answering
from stacks.plan import Plan


def unblock(plan: Plan, revisions: Sequence[Object]) -> None:
    """Marks the newest of the release's `revisions` as failed if Helm was cut off at work on it, and says so.

    Only for an `up`, with what the look ahead found to be the stack's own: Pulumi's lock on the stack says that no other run
    of it is at work. A Helm that somebody runs by hand at this very moment writes the record too, and wins.

    Raises:
        StackFileError: the cluster does not answer.
    """
    cut_off = helm_records.interrupted(revisions)
    if cut_off is None:
        return
    cluster, namespace = plan.spec.cluster, plan.spec.namespace
    record, status = cut_off["metadata"]["name"], cut_off["metadata"]["labels"]["status"]
    with answering(plan):
        path = f"/api/v1/namespaces/{namespace}/secrets/{record}"
        if Api(cluster.kubeconfig, cluster.context).merge(path, helm_records.as_failed(cut_off)):
            pulumi.log.warn(
                f"Helm was cut off at work on release {plan.router.name} in namespace {namespace} ({status}): "
                f"its record {record} is marked failed, so that this `up` can go on from there."
            )
