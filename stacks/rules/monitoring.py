"""The Prometheus operator's kinds that a stack makes objects of: which ones, and clusters that do not have them.

Without its CRD an object is refused when the provider comes to it, in a preview by nobody. By then nodes are made, and bill.
"""

from collections.abc import Iterator, Mapping

from stacks.findings import Problem
from stacks.kube.api import Api
from stacks.rules.facts import Finding, Rule, Subject
from stacks.spec.stack import StackSpec

GROUP = "monitoring.coreos.com"
API = f"/apis/{GROUP}/v1"
#: CoreWeave: "Prometheus Operator and Kubernetes Metrics Server are no longer installed in new clusters" (docs.coreweave.com,
#: changelog/release-notes/control-plane-node-pools, 2025-07-07). GKE: managed Prometheus has kinds of its own, such as
#: PodMonitoring of monitoring.googleapis.com (cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed).
SOURCE = "CoreWeave's release note of 2025-07-07; GKE's managed Prometheus"
#: What helps in a new cluster, by its provider.
FIXES: Mapping[str, str] = {
    "gke": "leave it out; what GKE's managed Prometheus scrapes, PodMonitorings, are Google's kind",
    "coreweave": "leave it out until the cluster is there and an operator is installed in it",
}


def operator_kinds(spec: StackSpec) -> dict[str, str]:
    """The kinds, each with the key of `monitoring` that asks for it.

    Behind a Gateway of GKE's the router's chart makes a PodMonitoring instead, which GKE has.
    """
    on_gke = spec.router.gateway is not None and spec.router.gateway.implementation.own_monitoring
    wanted = {
        "PodMonitor": ("podMonitors", spec.monitoring.pod_monitors),
        "ServiceMonitor": ("router", spec.monitoring.router and not on_gke),
    }
    return {kind: key for kind, (key, asked) in wanted.items() if asked}


def _in_a_new_cluster(subject: Subject) -> Iterator[Finding]:
    """MON-01: a cluster that the stack makes has no operator."""
    cluster = subject.spec.cluster
    for kind, key in operator_kinds(subject.spec).items() if cluster.is_new else ():
        what, why = (
            f"`{key}: true` in a cluster that the stack makes",
            f"a new one has no Prometheus operator, and so knows no {kind}",
        )
        yield Finding(f"monitoring.{key}", what, why, FIXES[cluster.provider])


MON_01: Rule[Subject] = Rule("MON-01", SOURCE, _in_a_new_cluster)


def missing_kinds(api: Api, spec: StackSpec) -> Iterator[Problem]:
    """The kinds that a cluster which exists does not have. None where it does not say what it has."""
    from kubernetes.client.exceptions import ApiException

    if not (wanted := operator_kinds(spec)):
        return
    try:
        served = {row["kind"] for row in (api.read(API) or {}).get("resources") or ()}
    except ApiException as error:
        if error.status == 403:
            return  # of whoever may not ask, the provider will say it
        raise
    for kind, key in wanted.items():
        if kind not in served:
            yield Problem(
                "MON-01", f"llmd-pd:monitoring.{key}", f"the cluster has no {kind}s",
                f"the CRD {kind.lower()}s.{GROUP} is missing, which the Prometheus operator brings",
                f"leave `{key}` out, or install the operator first", SOURCE,
            )  # fmt: skip
