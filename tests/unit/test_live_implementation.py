"""A gateway's implementation whose installation was interrupted: taken up by the next `up`, where it is the stack's own."""

from typing import Any

import pytest

from releases.gateways import IMPLEMENTATIONS
from stacks.findings import StackFileError
from stacks.kube.repair import repair_helm_records
from tests.unit.api_server import NAMESPACE, OWNER, SECRETS, Answer, ApiServer, Look, namespace, releases

AGENTGATEWAY = "/api/v1/namespaces/agentgateway-system/secrets"
ROUTER: dict[str, Any] = {"mode": "gateway", "gateway": {"provider": "agentgateway", "install": True}}
#: Helm's record of the second of its two releases, as the stack installs it, except for a `v` before the version.
RELEASE = IMPLEMENTATIONS["agentgateway"].releases[1]
OURS: dict[str, Any] = {"config": RELEASE.values, "chart": {"metadata": {"name": "agentgateway", "version": "1.1.0"}}}


@pytest.fixture
def cluster(server: ApiServer) -> ApiServer:
    """One with the Gateway API and the stack's namespace."""
    server.answers = {"/apis/gateway.networking.k8s.io/v1": (200, {}), NAMESPACE: namespace(OWNER)}
    return server


def revisions(*descriptions: str, status: str, **record: Any) -> Answer:
    return releases(*descriptions, status=status, name="agentgateway", **record)


def unblocked(look: Look, cluster: ApiServer) -> None:
    planned, found = look(cluster.url, router=ROUTER, crds={"manage": False, "gatewayApi": False})
    repair_helm_records(planned.spec.cluster.at, found.revisions)


def only_the_second(cluster: ApiServer, answer: Answer) -> None:
    """Answers for the second of its releases; the first is not there."""
    cluster.queries = {(AGENTGATEWAY, "labelSelector=owner%3Dhelm%2Cname%3Dagentgateway"): answer}


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
def test_a_release_helm_was_cut_off_at_work_on_becomes_a_failed_one(
    status: str, look: Look, cluster: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    only_the_second(cluster, revisions("Initial install underway", status=status, **OURS))
    unblocked(look, cluster)
    ((path, _, change),) = cluster.patched
    assert path == f"{AGENTGATEWAY}/sh.helm.release.v1.agentgateway.v1"
    assert change["metadata"]["labels"] == {"status": "failed"}
    assert f"interrupted at work on release agentgateway in namespace agentgateway-system ({status})" in caplog.text


def test_the_routers_is_mended_beside_it(look: Look, cluster: ApiServer) -> None:
    only_the_second(cluster, revisions("Initial install underway", status="pending-install", **OURS))
    cluster.answers[SECRETS] = releases("one", status="pending-upgrade")
    unblocked(look, cluster)
    assert {path.rpartition("/")[2] for path, *_ in cluster.patched} == {
        "sh.helm.release.v1.pd-disaggregation.v1",
        "sh.helm.release.v1.agentgateway.v1",
    }


@pytest.mark.parametrize("record", [OURS, {**OURS, "config": {"image": {"registry": "not.there"}}}], ids=str)
def test_a_first_install_of_ours_that_failed_is_left_to_helm(
    record: dict[str, Any], look: Look, cluster: ApiServer
) -> None:
    only_the_second(cluster, revisions("context deadline exceeded", status="failed", **record))
    unblocked(look, cluster)
    assert cluster.patched == []


@pytest.mark.parametrize(
    ("status", "other"),
    [
        ("pending-install", {"config": None}),
        ("pending-install", {"config": {"a": 1}}),
        ("pending-install", {"chart": {"metadata": {"version": "v1.2.0"}}}),
        ("failed", {"chart": {"metadata": {"version": "v1.2.0"}}}),
    ],
    ids=str,
)
def test_somebody_elses_unfinished_one_is_left_alone(
    status: str, other: dict[str, Any], look: Look, cluster: ApiServer
) -> None:
    """Its namespace is nobody's, and Helm's own words are all that an unfinished revision says of its maker."""
    only_the_second(cluster, revisions("Initial install underway", status=status, **{**OURS, **other}))
    with pytest.raises(StackFileError, match="Helm release agentgateway is in agentgateway-system already") as refusal:
        unblocked(look, cluster)
    assert "because it is an unfinished one of another version or with other values" in str(refusal.value)
    assert cluster.patched == []


def test_an_upgrade_of_ours_may_have_other_values(look: Look, cluster: ApiServer) -> None:
    """An earlier, finished revision names its owner."""
    answer = revisions(OWNER, "Preparing upgrade", status="pending-upgrade", **{**OURS, "config": {}})
    first = next(item for item in answer[1]["items"] if item["metadata"]["labels"]["version"] == "1")
    first["metadata"]["labels"]["status"] = "superseded"
    only_the_second(cluster, answer)
    unblocked(look, cluster)
    ((path, *_),) = cluster.patched
    assert path.endswith("agentgateway.v2")
