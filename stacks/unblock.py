"""What an interrupted Helm left in the way of the next `up`, taken out of it.

The API server gone while the router was waited for, or a CLI killed: Helm could not write that it failed, and would refuse
the release for ever ("another operation is in progress", "cannot re-use a name that is still in use"). The one thing the
program itself writes; everything else is the engine's (docs/adr/0010).
"""

import pulumi

from stacks import helm_records
from stacks.kube_api import Api
from stacks.lookahead import answering
from stacks.plan import Plan


def unblock(plan: Plan) -> None:
    """Marks the newest revision of the stack's release as failed if Helm was cut off at work on it, and says so.

    Only for an `up`, after the look ahead found nothing that is somebody else's: Pulumi's lock on the stack says that no
    other run of it is at work. A Helm that somebody runs by hand at this very moment writes the record too, and wins.

    Raises:
        StackFileError: the cluster does not answer.
    """
    cluster, release = plan.spec.cluster, plan.router.name
    secrets = f"/api/v1/namespaces/{plan.spec.namespace}/secrets"
    with answering(plan):
        api = Api(cluster.kubeconfig, cluster.context)
        cut_off = helm_records.interrupted(api.items(f"{secrets}?{helm_records.selector(release)}"))
        if cut_off is None:
            return
        record, status = cut_off["metadata"]["name"], cut_off["metadata"]["labels"]["status"]
        if api.merge(f"{secrets}/{record}", helm_records.as_failed(cut_off)):
            pulumi.log.warn(
                f"Helm was cut off at work on release {release} in namespace {plan.spec.namespace} ({status}): "
                f"its record {record} is marked failed, so that this `up` can go on from there."
            )
