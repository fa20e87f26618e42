"""The live check before anything is applied, against a loopback server that answers as an API server does."""

import base64
import gzip
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from hardware.render.namespace import OWNER as OWNER_KEY
from stacks.findings import StackFileError
from stacks.kube.repair import repair_helm_records
from stacks.rules.live import kept_by_the_cluster
from tests.crd_files import write
from tests.unit.api_server import NAMESPACE, OWNER, SECRETS, Answer, ApiServer, Look, namespace, refusing, releases


def problem(look: Look, url: str, **more: Any) -> str:
    with pytest.raises(StackFileError) as refusal:
        look(url, **more)
    (found,) = refusal.value.problems
    return str(found)


def unblocked(look: Look, url: str) -> None:
    planned, found = look(url)
    repair_helm_records(planned.spec.cluster.at, found.revisions)


def test_an_empty_cluster_is_fine(look: Look, server: ApiServer) -> None:
    look(server.url)
    assert server.asked == [(NAMESPACE, "", "Bearer t0ken")]


def test_what_is_this_stacks_is_fine(look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER)}
    look(server.url)
    path, query, _ = server.asked[1]
    assert (path, query) == (SECRETS, "labelSelector=owner%3Dhelm%2Cname%3Dpd-disaggregation")


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POOLS = "inferencepools.inference.networking.k8s.io"


def crd_of(bundle: str) -> Answer:
    annotations = {"inference.networking.k8s.io/bundle-version": bundle}
    return 200, {"kind": "CustomResourceDefinition", "metadata": {"name": POOLS, "annotations": annotations}}


def test_a_newer_crd_is_not_taken_back(look: Look, server: ApiServer, tmp_path: Path) -> None:
    directory = str(write(tmp_path / "crds"))
    server.answers = {f"{CRDS}/{POOLS}": crd_of("v1.10.0")}
    text = problem(look, server.url, crds={"directory": directory})
    assert text.startswith(
        f"llmd-pd:crds: CRD {POOLS} is there in version v1.10.0, because this stack would take it back to v1.5.0"
    )
    assert "`llmd-pd:crds: {manage: false}`" in text
    look(server.url)  # not ours to manage, so nothing is taken back


@pytest.mark.parametrize("bundle", ["v1.5.0", "v1.4.9", "v0.9"])
def test_a_crd_of_the_same_or_an_older_version_is_adopted(
    bundle: str, look: Look, server: ApiServer, tmp_path: Path
) -> None:
    directory = str(write(tmp_path / "crds"))
    server.answers = {f"{CRDS}/{POOLS}": crd_of(bundle)}
    look(server.url, crds={"directory": directory})


@pytest.mark.parametrize(
    ("annotations", "conditions", "established"),
    [
        ({}, [{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}], True),
        ({}, [{"type": "Established", "status": "False"}], False),
        ({}, [], False),
        ({}, None, False),
        # A stack made it, or waits for it: a stack that takes it over has the same inputs, and no preview shows a difference.
        ({"pulumi.com/waitFor": "condition=Established"}, [{"type": "Established", "status": "True"}], False),
    ],
)
def test_a_crd_that_is_established_needs_no_waiting_for(
    annotations: dict[str, str], conditions: Any, established: bool, look: Look, server: ApiServer, tmp_path: Path
) -> None:
    crd = {"metadata": {"name": POOLS, "annotations": annotations}, "status": {"conditions": conditions}}
    server.answers = {f"{CRDS}/{POOLS}": (200, crd)}
    _, found = look(server.url, crds={"directory": str(write(tmp_path / "crds"))})
    assert found.established == frozenset({POOLS} if established else ())
    assert [path for path, *_ in server.asked].count(f"{CRDS}/{POOLS}") == 1


@pytest.mark.parametrize(
    ("version", "brings"),
    [
        ("v1.34.0-gke.1626000", True),
        ("v1.34.0-gke.1625999", False),
        ("v1.34.0-gke.999999", False),
        ("v1.34.1-gke.1", True),
        ("v1.33.9-gke.2000000", False),
        ("v1.35.0-gke.1", True),
        ("v1.36.1", False),
        ("v1.34.2-eks-abc", False),
        (None, False),
    ],
)
def test_the_pools_crd_of_gke(version: str | None, brings: bool, look: Look, server: ApiServer, tmp_path: Path) -> None:
    server.answers["/version"] = (200, {"gitVersion": version}) if version else (404, {})
    wanted = frozenset({POOLS} if brings else ())
    assert kept_by_the_cluster({"gitVersion": version} if version else None) == wanted
    # A newer one than ours is refused, unless it is the cluster's own.
    crds = {"directory": str(write(tmp_path / "crds"))}
    assert look(server.url, crds=crds)[1].preinstalled == wanted
    server.answers[f"{CRDS}/{POOLS}"] = crd_of("v9")
    if brings:
        look(server.url, crds=crds)
    else:
        with pytest.raises(StackFileError, match=f"CRD {POOLS} is there in version v9"):
            look(server.url, crds=crds)


def test_a_stack_without_crds_does_not_ask_for_the_version(look: Look, server: ApiServer) -> None:
    look(server.url)
    assert "/version" not in [path for path, *_ in server.asked]


@pytest.mark.parametrize(("holder", "whose"), [(None, "another owner"), ("acme/llmd-pd/dev", "stack acme/llmd-pd/dev")])
@pytest.mark.parametrize("preview", [True, False])
def test_a_foreign_namespace_is_refused_and_told_how_to_take_over(
    holder: str | None, whose: str, preview: bool, look: Look, server: ApiServer
) -> None:
    server.answers = {NAMESPACE: namespace(holder)}
    text = problem(look, server.url, preview=preview)
    assert text.startswith(f"llmd-pd:namespace: namespace team-a exists already, because it belongs to {whose}, and ")
    assert f"kubectl annotate namespace team-a {OWNER_KEY}={OWNER} --overwrite" in text
    assert "the next `pulumi up` takes it over" in text


def test_a_foreign_release_is_refused_and_told_how_to_take_over(look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases("Install complete")}
    text = problem(look, server.url)
    assert text.startswith(
        "llmd-pd:name: a Helm release pd-disaggregation exists already in namespace team-a, because "
    )
    assert "'Install complete'" in text
    assert "`kubectl delete secrets -n team-a -l owner=helm,name=pd-disaggregation" in text
    assert "leaves its objects" in text


def test_both_are_told_at_once(look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(None), SECRETS: releases("Install complete")}
    with pytest.raises(StackFileError) as refusal:
        look(server.url)
    assert [found.path for found in refusal.value.problems] == ["llmd-pd:namespace", "llmd-pd:name"]


def test_the_commands_lead_to_the_stacks_cluster(look: Look, server: ApiServer, tmp_path: Path) -> None:
    server.answers = {NAMESPACE: namespace(None), SECRETS: releases("Install complete")}
    with pytest.raises(StackFileError) as refusal:
        look(server.url)
    commands = [problem.fix.split("`")[1] for problem in refusal.value.problems]
    assert len(commands) == 2
    assert all(command.endswith(f"--kubeconfig {tmp_path / 'kubeconfig'} --context prod") for command in commands)


def test_a_foreign_release_is_told_by_its_newest_revision(look: Look, server: ApiServer) -> None:
    """The tenth, which is not the last by name."""
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(*["Upgrade complete"] * 9, "Rollback to 3")}
    assert "'Rollback to 3'" in problem(look, server.url)


@pytest.mark.parametrize("by_hand", ["Rollback to 1", ""])
def test_a_release_of_ours_stays_ours_when_somebody_upgrades_it(by_hand: str, look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER, by_hand)}
    look(server.url)


@pytest.mark.parametrize("status", ["failed", "pending-install", "pending-upgrade"])
def test_a_release_that_got_nowhere_is_left_to_helm(status: str, look: Look, server: ApiServer) -> None:
    """It may be our own first try, whose description is helm's reason for the failure."""
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases("context deadline exceeded", status=status)}
    look(server.url)


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
def test_a_release_helm_was_cut_off_at_work_on_becomes_a_failed_one(
    status: str, look: Look, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases("one", "two", status=status)}
    unblocked(look, server.url)
    ((path, content_type, change),) = server.patched
    assert path == f"{SECRETS}/sh.helm.release.v1.pd-disaggregation.v2"
    assert content_type == "application/merge-patch+json"
    assert change["metadata"] == {"resourceVersion": "102", "labels": {"status": "failed"}}
    record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(change["data"]["release"]))))
    assert record["info"]["status"] == "failed"
    assert status in record["info"]["description"]
    assert record["manifest"] == "…"
    assert f"interrupted at work on release pd-disaggregation in namespace team-a ({status})" in caplog.text


@pytest.mark.parametrize("status", ["deployed", "failed", "superseded"])
def test_a_release_helm_is_done_with_is_left_alone(
    status: str, look: Look, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER, status=status)}
    unblocked(look, server.url)
    assert server.patched == []
    assert caplog.text == ""


def test_a_helm_that_is_at_work_after_all_wins(look: Look, server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases("one", status="pending-upgrade")}
    server.patch_answer = 409
    unblocked(look, server.url)
    assert len(server.patched) == 1
    assert caplog.text == ""


def test_who_may_not_mend_a_release_is_told(look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases("one", status="pending-upgrade")}
    server.patch_answer = 403
    with pytest.raises(StackFileError, match="it answers 403"):
        unblocked(look, server.url)


@pytest.mark.parametrize("path", [NAMESPACE, SECRETS])
def test_who_may_not_look_goes_on(path: str, look: Look, server: ApiServer) -> None:
    server.answers = {NAMESPACE: namespace(OWNER), SECRETS: releases(OWNER)}
    server.answers[path] = (403, {"kind": "Status", "code": 403, "message": "forbidden"})
    look(server.url)
    assert path in [asked for asked, *_ in server.asked]


def test_an_up_needs_the_cluster(look: Look) -> None:
    text = problem(look, refusing())
    assert text.startswith("llmd-pd:cluster: the cluster's API server cannot be reached, because ")
    assert "onnection refused" in text
    assert "object at 0x" not in text


def test_a_preview_goes_on_without_the_cluster_and_says_so(look: Look, caplog: pytest.LogCaptureFixture) -> None:
    look(refusing(), preview=True)
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "cannot be reached" in warning.message
    assert "does not know what exists there" in warning.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {"kind": "Status", "code": 401, "message": "Unauthorized"}), "401"),
        ((500, {"kind": "Status", "code": 500, "message": "etcd is gone"}), "500"),
        ((503, b"no healthy upstream"), "503"),
        ((200, b"<html>sign in here</html>"), "JSON"),
    ],
)
def test_an_answer_that_says_nothing_is_like_none(
    answer: Answer, words: str, look: Look, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    """An expired token, an API server without its etcd, a proxy's sign-in page."""
    server.answers = {NAMESPACE: answer}
    text = problem(look, server.url)
    assert text.startswith("llmd-pd:cluster: ")
    assert words in text
    assert "\n" not in text
    look(server.url, preview=True)
    assert words in caplog.text


def test_a_context_that_is_not_there(look: Look, server: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    said = "llmd-pd:cluster: context `staging` cannot be used, because the kubeconfig does not give it"
    text = problem(look, server.url, context="staging")
    assert text.startswith(said)
    assert "kubectl config get-contexts" in text
    # In a pull request there may be no kubeconfig at all.
    look(server.url, context="staging", preview=True)
    assert said in caplog.text


@pytest.mark.parametrize("content", ["", "a: [", "- list\n", "\x00", "apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_is_none(content: str, look: Look, server: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    text = problem(look, server.url)
    assert text.startswith("llmd-pd:cluster: ")
    assert "kubeconfig" in text
    assert "\n" not in text
