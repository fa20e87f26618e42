"""Repairs Helm's records after an interrupted run, so that the next `up` can proceed.

If the API server was lost while Helm waited for a release, or the CLI was killed, Helm could not write that the release failed,
and refuses it for ever ("another operation is in progress", "cannot re-use a name that is still in use"). This is the only
thing that the program itself writes; everything else is written by the engine (docs/adr/0010).
"""

import pulumi

from releases.charts import HelmRelease
from stacks.kube import helm as helm_records
from stacks.kube.answering import answering
from stacks.kube.api import Api, Object
from stacks.kube.context import Context
from stacks.kube.helm import Releases


def repair_helm_records(cluster: Context, releases: Releases) -> None:
    """Marks the newest revision of each release as failed if Helm was interrupted at work on it, and logs a warning.

    Only for an `up`, with releases that `check_live_cluster` found to be the stack's own: Pulumi's lock on the stack ensures that
    no other run is at work. If a user runs Helm by hand at the same moment, Helm's own write of the record wins.

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
                f"Helm was interrupted at work on release {release.name} in namespace {release.namespace} ({status}): "
                f"its record {record} is marked failed, so that this `up` can go on from there."
            )
