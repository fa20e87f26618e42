"""Repairs Helm's records after an interrupted run, so that the next `up` can proceed.

If the API server goes away during a wait, or a CLI is killed, Helm cannot write that it failed, and refuses the release from then
on ("another operation is in progress", "cannot re-use a name that is still in use"). This is the only object that the program
writes itself; the engine writes all others (docs/adr/0010).
"""

import pulumi

from releases.charts import HelmRelease
from stacks.kube import helm as helm_records
from stacks.kube.answering import answering
from stacks.kube.api import Api, Object
from stacks.kube.context import Context
from stacks.kube.helm import Releases


def repair_helm_records(cluster: Context, releases: Releases) -> None:
    """Marks a revision stuck in pending-* as failed, so that the next `up` can proceed, and warns about it.

    Only for an `up`, and for releases that the live check found to be the stack's own: Pulumi's lock on the stack ensures that no
    other run is at work. A Helm that a user runs by hand at this moment writes the record too, and wins.

    Raises:
        StackFileError: the cluster does not answer.
    """
    for release, revisions in releases:
        cut_off = helm_records.interrupted(revisions)
        if cut_off is not None:
            _mark(cluster, release, cut_off)


def _mark(cluster: Context, release: HelmRelease, cut_off: Object) -> None:
    record, status = cut_off["metadata"]["name"], cut_off["metadata"]["labels"]["status"]
    with answering(cluster):
        path = f"/api/v1/namespaces/{release.namespace}/secrets/{record}"
        if Api(cluster.kubeconfig, cluster.context).merge(path, helm_records.as_failed(cut_off)):
            pulumi.log.warn(
                f"Helm was cut off at work on release {release.name} in namespace {release.namespace} ({status}): "
                f"its record {record} is marked failed, so that this `up` can go on from there."
            )
