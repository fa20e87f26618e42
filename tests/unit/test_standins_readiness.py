"""When objects are ready, how a wait ends, retries, provider settings, and where the plugins are put."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rehearsal.plugins import install
from rehearsal.plugins.kube import apply, readiness, waiting
from rehearsal.plugins.kube.client import ApiError, Cluster, Kind, NoMatch
from rehearsal.plugins.kube.settings import Kubeconfig, KubeconfigError, Settings


class FakeCluster(Cluster):
    """Answers a GET with the next of `answers`, the last one for ever; remembers what was written."""

    def __init__(self, *answers: Any):
        self.answers = list(answers)
        self.written: list[tuple[str, str, dict[str, str]]] = []

    def kind(self, api_version: str, kind: str) -> Kind:
        return Kind(api_version, f"{kind.lower()}s", True)

    def request(self, method: str, path: str, body: Any = None, query: Any = None, content_type: str = "") -> Any:
        del body, content_type
        self.written.append((method, path, dict(query or {})))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def deployment(
    wanted: int, *, available: int, updated: int | None = None, generation: int = 1, **more: Any
) -> dict[str, Any]:
    status = {
        "observedGeneration": 1,
        "replicas": wanted,
        "availableReplicas": available,
        "updatedReplicas": wanted if updated is None else updated,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n", "generation": generation, **more},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": "d"}}},
        "status": status,
    }


def ready(live: dict[str, Any]) -> bool:
    check = readiness.check_for(live)
    assert check is not None
    return check(live, FakeCluster({})).ready


def test_a_deployment_is_ready_when_its_rollout_is_over() -> None:
    assert ready(deployment(2, available=2))
    assert ready(deployment(0, available=0))
    assert not ready(deployment(2, available=1))
    assert not ready(deployment(2, available=2, updated=1))
    assert not ready(deployment(2, available=2, generation=2))
    nulls = deployment(1, available=1)
    nulls["status"] |= {"availableReplicas": None, "conditions": None}
    assert not ready(nulls)


@pytest.mark.parametrize(
    ("expression", "condition", "expected"),
    [
        ("condition=Established", {"type": "Established", "status": "True"}, True),
        ("condition=Established", {"type": "Established", "status": "False"}, False),
        ("condition=Stalled=False", {"type": "Stalled", "status": "False"}, True),
        ('["condition=A", "condition=B"]', {"type": "A", "status": "True"}, False),
        ("jsonpath={.status.phase}=Up", {"type": "A", "status": "True"}, True),
        ("jsonpath={.status.phase}=Down", {"type": "A", "status": "True"}, False),
    ],
)
def test_wait_for_expressions(expression: str, condition: dict[str, str], expected: bool) -> None:
    obj: dict[str, Any] = {
        "apiVersion": "x.dev/v1",
        "kind": "X",
        "metadata": {"name": "x", "annotations": {readiness.WAIT_FOR: expression}},
        "status": {"conditions": [condition], "phase": "Up"},
    }
    assert ready(obj) is expected


ACCEPTED = 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True'


def judged(*statuses: str) -> list[dict[str, str]]:
    return [
        {"type": kind, "status": status} for kind, status in zip(("ResolvedRefs", "Accepted"), statuses, strict=False)
    ]


@pytest.mark.parametrize(
    ("expression", "status", "expected"),
    [
        (ACCEPTED, {"parents": [{"conditions": judged("False", "True")}]}, True),
        (ACCEPTED.replace('"', "'"), {"parents": [{"conditions": judged("False", "True")}]}, True),
        (ACCEPTED, {"parents": [{"conditions": judged("True", "False")}]}, False),
        (ACCEPTED, {"parents": [{"conditions": judged("True")}]}, False),
        (ACCEPTED, {"parents": []}, False),
        (ACCEPTED, {}, False),
        (ACCEPTED, None, False),
        # The official provider looks at the first of what it finds.
        (ACCEPTED, {"parents": [{"conditions": judged("", "False")}, {"conditions": judged("", "True")}]}, False),
        (ACCEPTED.replace("*", "1"), {"parents": [{}, {"conditions": judged("", "True")}]}, True),
        (ACCEPTED.replace("*", "1"), {"parents": [{"conditions": judged("", "True")}]}, False),
        ("jsonpath={.status.parents}", {"parents": []}, True),
    ],
)
def test_wait_for_lists(expression: str, status: Any, expected: bool) -> None:
    annotations = {readiness.WAIT_FOR: expression}
    assert (
        ready({"apiVersion": "x.dev/v1", "kind": "X", "metadata": {"annotations": annotations}, "status": status})
        is expected
    )


@pytest.mark.parametrize("path", ["{.a[1:2]}", "{.a[?(@.b>1)].c}", "{.a[?(@.b==1)]}", "{..a}", "{a}", "{}"])
def test_what_the_stand_in_does_not_understand_is_refused(path: str) -> None:
    annotations = {readiness.WAIT_FOR: f"jsonpath={path}=x"}
    with pytest.raises(readiness.BadExpression, match="the stand-in understands jsonpath="):
        readiness.check_for({"apiVersion": "v1", "kind": "X", "metadata": {"annotations": annotations}})


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(readiness.BadExpression, match='expected a "jsonpath=" or "condition=" prefix'):
        readiness.check_for(
            {"apiVersion": "v1", "kind": "X", "metadata": {"annotations": {readiness.WAIT_FOR: "Ready"}}}
        )


def test_skip_await_and_unknown_kinds_wait_for_nothing() -> None:
    assert readiness.check_for(deployment(1, available=0, annotations={readiness.SKIP_AWAIT: "true"})) is None
    assert readiness.check_for({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}) is None


def test_the_schedulers_words_are_said_once_for_all_its_pods() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node"}
    pods = [{"metadata": {"name": f"p{index}"}, "status": {"conditions": [condition]}} for index in range(5)]
    found = readiness.reasons(deployment(5, available=0), FakeCluster({"items": pods}))
    assert found == [
        "Minimum number of live Pods was not attained",
        "5 Pods (p0, p1, p2, …): [Unschedulable] no node",
    ]


def test_a_deployment_whose_old_pods_serve_misses_those_of_its_new_replica_set() -> None:
    live = deployment(1, available=1)
    live["status"]["conditions"] = [{"type": "Available", "status": "True"}]
    assert readiness.reasons(live, FakeCluster({"items": []})) == [
        "Minimum number of Pods to consider the application live was not attained"
    ]


def test_what_is_waited_for_by_annotation_times_out_in_other_words() -> None:
    live = {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "t", "annotations": {readiness.WAIT_FOR: "condition=Ready"}},
    }
    check = readiness.check_for(live)
    assert check is not None
    with pytest.raises(waiting.NotReady, match=r"^timed out waiting for the condition$"):
        waiting.until_ready(
            live, check, FakeCluster(live), timeout=0.2, cancelled=threading.Event(), tell=lambda _: None
        )


def wait(cluster: Cluster, *, timeout: float = 0.3, cancelled: bool = False) -> dict[str, Any]:
    event = threading.Event()
    if cancelled:
        event.set()
    live = deployment(1, available=0)
    check = readiness.check_for(live)
    assert check is not None
    return waiting.until_ready(live, check, cluster, timeout=timeout, cancelled=event, tell=lambda _: None)


def test_a_wait_ends_when_the_object_is_ready() -> None:
    assert wait(FakeCluster(deployment(1, available=0), deployment(1, available=1)))["status"]["availableReplicas"] == 1


def test_a_wait_ends_at_its_timeout_and_on_cancellation() -> None:
    with pytest.raises(waiting.NotReady, match="'d' timed out waiting to be Ready") as timed_out:
        wait(FakeCluster(deployment(1, available=0)))
    assert timed_out.value.details[0] == "Minimum number of live Pods was not attained"
    with pytest.raises(waiting.NotReady, match='Resource operation was cancelled for "d"'):
        wait(FakeCluster(deployment(1, available=0)), timeout=60, cancelled=True)


def test_timeouts_option_before_annotation_before_default() -> None:
    annotated = {"metadata": {"annotations": {waiting.TIMEOUT_ANNOTATION: "7"}}}
    assert waiting.timeout_of(3, annotated) == 3
    assert waiting.timeout_of(0, annotated) == 7
    assert waiting.timeout_of(0, {"metadata": {}}) == 600


def writer(cluster: Cluster, *, upsert: bool = False) -> apply.Writer:
    return apply.Writer(cluster, upsert, False, threading.Event())


def test_a_create_waits_a_minute_for_what_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(apply.RETRY_PAUSES) == pytest.approx(63)
    monkeypatch.setattr(apply, "RETRY_PAUSES", (0.0, 0.0))
    missing = ApiError(404, {"message": 'namespaces "n" not found', "reason": "NotFound"})
    told: list[str] = []
    obj = deployment(1, available=0)
    made = writer(FakeCluster(missing, NoMatch("v1", "X"), obj)).create(obj, "m", preview=False, tell=told.append)
    assert made == obj
    assert told == [
        'Retry #0; creation failed: namespaces "n" not found',
        'Retry #1; creation failed: no matches for kind "X" in version "v1"',
    ]
    with pytest.raises(apply.Refused, match="not found"):
        writer(FakeCluster(missing)).create(obj, "m", preview=False, tell=told.append)


def test_a_plain_create_and_an_upsert_differ() -> None:
    obj = deployment(1, available=0)
    plain, upsert = FakeCluster(obj), FakeCluster(obj)
    writer(plain).create(obj, "m", preview=False, tell=print)
    writer(upsert, upsert=True).create(obj, "m", preview=False, tell=print)
    assert plain.written == [("POST", "/apis/apps/v1/namespaces/n/deployments", {"fieldManager": "pulumi-kubernetes"})]
    assert upsert.written == [
        ("PATCH", "/apis/apps/v1/namespaces/n/deployments/d", {"fieldManager": "m", "force": "false"})
    ]


def test_an_update_beside_a_busy_controller_starts_again_from_what_is_there_now() -> None:
    """Its status changes all the time while pods start, and with it the version our patch of the managers names."""
    mine = [{"manager": "pulumi-kubernetes", "operation": "Update", "fieldsV1": {"f:spec": {}}}]
    live = deployment(1, available=0)
    live["metadata"] |= {"managedFields": mine, "resourceVersion": "1"}
    stale = ApiError(409, {"message": "the object has been modified", "reason": "Conflict"})
    busy = FakeCluster(live, stale, live, stale, live, live, live)
    assert writer(busy).update(live, "m", [], preview=False) == live
    assert [method for method, _, _ in busy.written] == ["GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "PATCH"]
    for_ever = FakeCluster(*[live, stale] * apply.ADOPT_TRIES)
    with pytest.raises(ApiError, match="has been modified"):
        writer(for_ever).update(live, "m", [], preview=False)


def test_settings_take_the_argument_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true")
    assert Settings({}).enabled("upsertExistingObjects")
    assert not Settings({"upsertExistingObjects": "false"}).enabled("upsertExistingObjects")
    assert not Settings({}).enabled("enableSecretMutable")
    assert Settings({"enableServerSideApply": "false"}).not_offered == "enableServerSideApply: false"
    assert Settings({"renderYamlToDirectory": "x"}).not_offered == "renderYamlToDirectory"
    assert Settings({"kubeconfig": "x"}).not_offered is None


KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "clusters": [{"name": "c", "cluster": {"server": "https://c", "certificate-authority": "pki/ca.crt"}}],
    "contexts": [
        {"name": "a", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
        {"name": "b", "context": {"cluster": "c", "user": "u"}},
    ],
    "users": [{"name": "u", "user": {"client-key": "/abs/key"}}],
}


def test_kubeconfig_by_path_and_by_content(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(json.dumps(KUBECONFIG))
    by_path = Kubeconfig(str(path), None, None)
    assert by_path.content["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "pki" / "ca.crt")
    assert by_path.content["users"][0]["user"]["client-key"] == "/abs/key"
    assert by_path.namespace == "team"
    assert Kubeconfig(json.dumps(KUBECONFIG), "b", None).namespace is None
    assert json.loads(by_path.file.read_text()) == by_path.content
    assert by_path.file.stat().st_mode & 0o777 == 0o600


def test_a_kubeconfig_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="no configuration has been provided"):
        _ = Kubeconfig(str(tmp_path / "missing"), None, None).content


def test_stand_ins_are_installed_but_for_official_plugins(tmp_path: Path) -> None:
    for _ in range(2):
        installed = install.install_plugins(
            tmp_path, Path(sys.executable), tmp_path / "it's here", without=["resource-pulumi-python"]
        )
        assert [row.key for row in installed if not row.pretend] == [
            "language-python",
            "resource-kubernetes",
        ]
    assert not [*(tmp_path / "plugins").glob("resource-pulumi-python-*")]
    program = next((tmp_path / "plugins").glob("resource-kubernetes-v*/pulumi-resource-kubernetes"))
    assert program.stat().st_mode & 0o111
