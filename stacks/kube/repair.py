"""What an interrupted Helm left in the way of the next `up`, taken out of it.

The API server gone while a release was waited for, or a CLI killed: Helm could not write that it failed, and would refuse
the release for ever ("another operation is in progress", "cannot re-use a name that is still in use"). The one thing the
program itself writes; everything else is the engine's (docs/adr/0010).
"""

import pulumi

from releases.charts import HelmRelease
from stacks.blueprint import ServingBlueprint
from stacks.kube import helm as helm_records
from stacks.kube.api import Api, Object
from stacks.rules.live import answering
from stacks.rules.live_gateway import Releases


def unblock(plan: ServingBlueprint, releases: Releases) -> None:
    """Marks the newest revision of each release as failed if Helm was cut off at work on it, and says so.

    Only for an `up`, with what the look ahead found to be the stack's own: Pulumi's lock on the stack says that no other run
    of it is at work. A Helm that somebody runs by hand at this very moment writes the record too, and wins.

    Raises:
        StackFileError: the cluster does not answer.
    """
    for release, revisions in releases:
        cut_off = helm_records.interrupted(revisions)
        if cut_off is not None:
            _mark(plan, release, cut_off)


def _mark(plan: ServingBlueprint, release: HelmRelease, cut_off: Object) -> None:
    cluster, record, status = plan.spec.cluster.at, cut_off["metadata"]["name"], cut_off["metadata"]["labels"]["status"]
    with answering(cluster):
        path = f"/api/v1/namespaces/{release.namespace}/secrets/{record}"
        if Api(cluster.kubeconfig, cluster.context).merge(path, helm_records.as_failed(cut_off)):
            pulumi.log.warn(
                f"Helm was cut off at work on release {release.name} in namespace {release.namespace} ({status}): "
                f"its record {record} is marked failed, so that this `up` can go on from there."
            )
