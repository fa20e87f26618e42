"""The Prometheus operator's kinds that a stack makes objects of: which ones, and clusters that do not have them.

Without its CRD an object is refused when the provider comes to it, in a preview by nobody. By then nodes are made, and bill.
"""

from collections.abc import Iterator

from stacks.findings import ERROR, Finding, Rule, each
from stacks.kube.live import LiveCluster, live_check
from stacks.rules.facts import Facts
from stacks.spec.stack import StackSpec

GROUP = "monitoring.coreos.com"
API = f"/apis/{GROUP}/v1"
#: CoreWeave: "Prometheus Operator and Kubernetes Metrics Server are no longer installed in new clusters" (docs.coreweave.com,
#: changelog/release-notes/control-plane-node-pools, 2025-07-07). GKE: managed Prometheus has kinds of its own, such as
#: PodMonitoring of monitoring.googleapis.com (cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed).
SOURCE = "https://docs.coreweave.com/changelog/release-notes/control-plane-node-pools"


def operator_kinds(spec: StackSpec) -> dict[str, str]:
    """The kinds, each with the key of `monitoring` that asks for it.

    Behind some Gateways the router's chart makes an object of the cloud's own kind instead of a ServiceMonitor.
    """
    gateway = spec.router.gateway
    own_kind = gateway is not None and gateway.implementation.own_monitoring
    wanted = {
        "PodMonitor": ("podMonitors", spec.monitoring.pod_monitors),
        "ServiceMonitor": ("router", spec.monitoring.router and not own_kind),
    }
    return {kind: key for kind, (key, asked) in wanted.items() if asked}


def _in_a_new_cluster(facts: Facts) -> Iterator[Finding]:
    """MON-01: a cluster that the stack makes has no operator."""
    cluster = facts.spec.cluster
    for kind, key in operator_kinds(facts.spec).items() if facts.serving and cluster.is_new else ():
        what, why = (
            f"`{key}: true` in a cluster that the stack makes",
            f"a new one has no Prometheus operator, and so knows no {kind}",
        )
        yield Finding(at=("monitoring", key), what=what, why=why, fix=cluster.cloud.without_operator)


def _in_an_existing_cluster(facts: Facts, live: LiveCluster) -> Iterator[Finding]:
    """MON-01: a cluster that exists has the kinds, as far as it says what it has."""
    from kubernetes.client.exceptions import ApiException

    if not facts.serving or not (wanted := operator_kinds(facts.spec)):
        return
    try:
        served = {row["kind"] for row in (live.read(API) or {}).get("resources") or ()}
    except ApiException as error:
        if error.status == 403:
            return  # without the right to ask, the provider reports it
        raise
    for kind, key in wanted.items():
        if kind not in served:
            yield Finding(
                at=("monitoring", key), what=f"the cluster has no {kind}s",
                why=f"the CRD {kind.lower()}s.{GROUP} is missing, which the Prometheus operator brings",
                fix=f"leave `{key}` out, or install the operator first",
            )  # fmt: skip


MON_01 = Rule(
    "MON-01", ERROR,
    "monitors of the Prometheus operator in a cluster that the stack makes, on GKE, or on CoreWeave before it is "
    "there; when Pulumi runs, in a cluster without their CRDs",
    "they would be refused when nodes are made already, and bill",
    SOURCE, check=each(_in_a_new_cluster, live_check(_in_an_existing_cluster)), when_run=True,
)  # fmt: skip
