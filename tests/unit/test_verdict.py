"""The verdict: the scheduler's words made plain, what is waited for, references to what is not there, the page."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from commands.rehearsal_report import Page
from rehearsal.verdict import watch
from rehearsal.verdict.gateway import Flaw
from rehearsal.verdict.reasons import plain_words
from rehearsal.verdict.references import Reference, device_classes, missing, references
from rehearsal.verdict.verdict import BLIND_SPOTS, PodState, Shortfall, Verdict, verdict_of
from rehearsal.verdict.watch import StallDetector, stuck

TAIL = ". no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
#: The scheduler's message (Kubernetes 1.36 unless it says otherwise) -> ours.
SAID = {
    f"0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 2 Insufficient rdma/ib{TAIL}": (
        "on all 2 nodes, the node has too little rdma/ib left (or none at all)"
    ),
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 cannot allocate all claims. still not schedulable, "
    "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.": (
        "on 2 of 3 nodes, the node has no devices that satisfy the pod's claims; "
        "on 1 of 3 nodes, the node has a taint that the pod does not tolerate"
    ),
    # Until 1.34 the taint was named.
    "0/1 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}. preemption: 0/1 nodes …": (
        "the node has the taint nvidia.com/gpu: present, which the pod does not tolerate"
    ),
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preem…": (
        "on all 3 nodes, the node's labels are not those the pod selects"
    ),
    "0/3 nodes are available: 1 Too many pods, 2 node(s) were unschedulable": (
        "on 2 of 3 nodes, the node is cordoned; on 1 of 3 nodes, the node runs as many pods as it may"
    ),
    "0/2 nodes are available: request nics: device class rdma-dranet does not exist. still not schedulable, preemption: …": (
        "on all 2 nodes, DeviceClass rdma-dranet is not installed: its driver is missing"
    ),
    '0/2 nodes are available: persistentvolumeclaim "weights" not found. not found': (
        "on all 2 nodes, volume claim weights does not exist"
    ),
    "no nodes available to schedule pods": "the cluster has no nodes",
    # What we have no words for is passed on.
    "0/2 nodes are available: 2 node(s) had a novel idea. preemption: none": "on all 2 nodes, node(s) had a novel idea",
    "something else entirely.": "something else entirely",
    "": "the scheduler has not said why yet",
}


@pytest.mark.parametrize(("message", "plain"), SAID.items())
def test_the_schedulers_words_in_plain_ones(message: str, plain: str) -> None:
    assert plain_words(message) == plain


def pod(name: str, node: str | None = "n", ready: bool = True, reason: str = "") -> PodState:
    return PodState(name, name.partition("-")[0], node, ready, reason)


PLACED, PENDING = pod("d-1"), pod("d-2", None, False, "0/1 nodes are available: 1 Insufficient cpu.")


@pytest.mark.parametrize(
    ("verdict", "serving", "passed"),
    [
        (Verdict([PLACED]), True, True),
        (Verdict([]), False, False),
        (Verdict([PLACED, PENDING]), False, False),
        (Verdict([PLACED, pod("d-2", ready=False)]), False, False),
        (Verdict([PLACED], missing=["Secret s does not exist"]), True, False),
        (Verdict([PLACED], shortfalls=[Shortfall("d", 1)]), False, False),
        (Verdict([PLACED], flaws=[Flaw("HTTPRoute n/r does not exist")]), True, False),
    ],
)
def test_passed_means_everything_is_there_and_serves(verdict: Verdict, serving: bool, passed: bool) -> None:
    assert (verdict.serving, verdict.passed) == (serving, passed)


def test_reasons_are_counted_by_owner() -> None:
    verdict = Verdict(
        [PLACED, PENDING, pod("d-3", None, False, PENDING.reason), pod("e-1", ready=False)],
        shortfalls=[Shortfall("f", 4, 'serviceaccount "sa" not found')],
    )
    assert verdict.expected == 8
    assert verdict.reasons() == [
        "2 of 3 pods of d pending: the node has too little cpu left (or none at all) "
        "(scheduler: 0/1 nodes are available: 1 Insufficient cpu)",
        "1 of 1 pods of e placed but not Ready: the containers have not started, or their probes fail",
        '4 of 4 pods of f never created: serviceaccount "sa" not found',
    ]


def test_what_the_scheduler_does_not_name_follows_its_words() -> None:
    words = {"d": "nearest comes node n: the pods do not tolerate its taint a=b:NoSchedule", "e": "of another"}
    (refusal,) = Verdict([PLACED, PENDING], mismatches=words).refusals()
    assert refusal.why == f"the node has too little cpu left (or none at all); {words['d']}"


@pytest.mark.parametrize(
    ("verdict", "hopeless"),
    [
        (Verdict([PLACED, PENDING]), True),
        (Verdict([PLACED, pod("d-2", None, False)]), False),  # the scheduler has not looked at it yet
        (Verdict([PENDING, pod("d-3", ready=False)]), False),  # it may still get ready
        (Verdict([PLACED]), False),
        (Verdict([]), False),
        (Verdict([PLACED], shortfalls=[Shortfall("d", 1)]), False),  # about to be created
        (Verdict([PLACED], shortfalls=[Shortfall("d", 1, "forbidden")]), True),
        (Verdict([PLACED], flaws=[Flaw("the Gateway is refused", awaited=True)]), True),
        (Verdict([PLACED], flaws=[Flaw("the Gateway does not exist")]), False),  # about to be created
        (Verdict([pod("d-2", ready=False)], flaws=[Flaw("the Gateway is refused", awaited=True)]), False),
    ],
)
def test_stuck_is_only_what_was_refused(verdict: Verdict, hopeless: bool) -> None:
    assert stuck(verdict) is hopeless


def test_a_stall_is_detected_when_nothing_changed_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(watch.time, "monotonic", lambda: now)
    stall = StallDetector()
    refused, moved = Verdict([PLACED, PENDING]), Verdict([pod("d-9"), PENDING])
    assert not stall.detected(refused)
    now += watch.SETTLED_SECONDS + 1
    assert not stall.detected(moved)  # another pod was placed meanwhile
    now += watch.SETTLED_SECONDS
    assert not stall.detected(moved)
    now += 1
    assert stall.detected(moved)


def test_pods_of_a_kept_rehearsal_are_given_time_until_something_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(watch.time, "monotonic", lambda: now)
    stall, refused = StallDetector(watch.UNMOVED_SECONDS), Verdict((pod("a", None, False, "no such label"),))
    stall.detected(refused)
    now += watch.SETTLED_SECONDS + 1
    assert not stall.detected(refused), "what mends it may come yet"
    now += watch.UNMOVED_SECONDS
    assert stall.detected(refused)
    other = Verdict((pod("a", None, False, "no such taint"),))
    assert not stall.detected(other)
    now += watch.SETTLED_SECONDS + 1
    assert stall.detected(other), "after that, as ever"


#: Where a pod can refer to something -> what it then needs.
PLACES: dict[str, tuple[dict[str, Any], list[Reference]]] = {
    "service account": ({"serviceAccountName": "sa"}, [Reference("ServiceAccount", "sa")]),
    "no service account named": ({}, [Reference("ServiceAccount", "default")]),
    "pull secret": ({"imagePullSecrets": [{"name": "s"}]}, [Reference("Secret", "s")]),
    "secret volume": ({"volumes": [{"secret": {"secretName": "s"}}]}, [Reference("Secret", "s")]),
    "optional secret volume": ({"volumes": [{"secret": {"secretName": "s", "optional": True}}]}, []),
    "secret volume of some keys": (
        {"volumes": [{"secret": {"secretName": "s", "items": [{"key": "a", "path": "x"}, {"key": "b", "path": "y"}]}}]},
        [Reference("Secret", "s", "a"), Reference("Secret", "s", "b")],
    ),
    "config volume": ({"volumes": [{"configMap": {"name": "c"}}]}, [Reference("ConfigMap", "c")]),
    "optional config volume": ({"volumes": [{"configMap": {"name": "c", "optional": True}}]}, []),
    "projected": (
        {"volumes": [{"projected": {"sources": [
            {"serviceAccountToken": {"path": "t"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"secret": {"name": "s"}}, {"secret": {"name": "unneeded", "optional": True}},
        ]}}]},
        [Reference("ConfigMap", "kube-root-ca.crt", "ca.crt"), Reference("Secret", "s")],
    ),
    "claim": ({"volumes": [{"persistentVolumeClaim": {"claimName": "p"}}]}, [Reference("PersistentVolumeClaim", "p")]),
    "ephemeral volume": (
        {"volumes": [{"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}}]},
        [Reference("StorageClass", "fast")],
    ),
    "volume driver's secret": (
        {"volumes": [{"csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]}, [Reference("Secret", "s")],
    ),
    "variables": (
        {"initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}],
         "containers": [{"env": [
             {"name": "B", "value": "plain"},
             {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
             {"name": "D", "valueFrom": {"secretKeyRef": {"name": "o", "key": "k", "optional": True}}},
             {"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
         ]}]},
        [Reference("Secret", "s", "k"), Reference("ConfigMap", "c", "k")],
    ),
    "whole environments": (
        {"containers": [{"envFrom": [
            {"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}, {"configMapRef": {"name": "o", "optional": True}},
        ]}]},
        [Reference("Secret", "s"), Reference("ConfigMap", "c")],
    ),
    "device claims": (
        {"resourceClaims": [{"name": "a", "resourceClaimName": "mine"},
                            {"name": "b", "resourceClaimTemplateName": "each"}]},
        [Reference("ResourceClaim", "mine"), Reference("ResourceClaimTemplate", "each")],
    ),
    "volumes that need nothing": (
        {"volumes": [{"emptyDir": {"medium": "Memory"}}, {"hostPath": {"path": "/dev"}}, {"downwardAPI": {"items": []}}]}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "needed"), PLACES.values(), ids=PLACES)
def test_what_a_pod_refers_to(spec: dict[str, Any], needed: list[Reference]) -> None:
    found = list(references(spec))
    if "serviceAccountName" not in spec and needed != found:
        found.remove(Reference("ServiceAccount", "default"))
    assert found == needed


def test_device_classes_of_claims_and_of_templates() -> None:
    exactly = {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com"}}]}
    either = {"requests": [{"name": "any", "firstAvailable": [{"deviceClassName": "a"}, {"deviceClassName": "b"}]}]}
    assert list(device_classes({"spec": {"devices": exactly}})) == [Reference("DeviceClass", "gpu.nvidia.com")]
    assert list(device_classes({"spec": {"spec": {"devices": exactly}}})) == [
        Reference("DeviceClass", "gpu.nvidia.com")
    ]
    assert list(device_classes({"spec": {"devices": either}})) == []
    assert list(device_classes({})) == []


class Cluster:
    """Lists of an API server, by the last word of the path."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = {"serviceaccounts": [named("default")], **lists}

    def items(self, path: str) -> list[dict[str, Any]]:
        return self.lists.get(path.rpartition("/")[2], [])


def named(name: str, **fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **fields}


def test_what_does_not_exist_is_named_once_with_its_owner_and_its_key() -> None:
    token = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "HF_TOKEN"}}}
    level = {"name": "L", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "level"}}}
    spec = {
        "serviceAccountName": "gone",
        "containers": [{"env": [token, level]}, {"envFrom": [{"configMapRef": {"name": "absent"}}]}],
        "resourceClaims": [{"name": "gpus", "resourceClaimTemplateName": "gpus"}],
    }
    template = {"devices": {"requests": [{"exactly": {"deviceClassName": "gpu.intel.com"}}]}}
    cluster: Any = Cluster(
        secrets=[named("hf-token", data={"OTHER": "eA=="})],
        configmaps=[named("settings", binaryData={"level": "MQ=="})],
        resourceclaimtemplates=[named("gpus", spec={"spec": template})],
    )
    assert missing(cluster, "ns", [("decode", spec), ("decode", spec)]) == [
        "ConfigMap absent does not exist; decode refers to it",
        "DeviceClass gpu.intel.com does not exist; decode refers to it",
        "Secret hf-token has no key HF_TOKEN; decode refers to it",
        "ServiceAccount gone does not exist; decode refers to it",
    ]
    assert missing(cluster, "ns", [("other", {})]) == []


def replica(name: str, **status: Any) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "name": "decode-5d4"}
    return {
        "metadata": {"name": name, "ownerReferences": [owner]},
        "spec": {"nodeName": "sim-0", "containers": []},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], **status},
    }


def deployment(replicas: int, *conditions: dict[str, str]) -> dict[str, Any]:
    spec = {"replicas": replicas, "template": {"spec": {"containers": [], "serviceAccountName": "sa"}}}
    return named("decode", spec=spec, status={"conditions": [*conditions]})


def lists(replicas: int, refused: str = "") -> Iterator[dict[str, Any]]:
    if refused:
        yield {"type": "ReplicaFailure", "status": "True", "message": refused}
    yield {"type": "Available", "status": "False", "message": f"not {replicas} yet"}


def test_pods_that_were_never_created_are_not_overlooked() -> None:
    words = 'pods "decode-5d4-" is forbidden: error looking up service account ns/sa: serviceaccount "sa" not found'
    cluster: Any = Cluster(deployments=[deployment(2, *lists(2, words))])
    verdict = verdict_of(cluster, "ns")
    assert not verdict.passed
    assert verdict.shortfalls == [Shortfall("decode", 2, words)]
    assert verdict.missing == ["ServiceAccount sa does not exist; decode refers to it"]


def test_pods_that_are_done_or_going_do_not_count() -> None:
    going = replica("decode-5d4-a")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    done = replica("decode-5d4-b", phase="Succeeded", conditions=[])
    here = replica("decode-5d4-c")
    cluster: Any = Cluster(
        pods=[going, done, here], deployments=[deployment(1)], serviceaccounts=[named("sa"), named("default")]
    )
    verdict = verdict_of(cluster, "ns")
    assert [state.name for state in verdict.pods] == ["decode-5d4-c"]
    assert verdict.pods[0].owner == "decode"
    assert verdict.passed


def test_on_a_narrow_terminal_text_is_wrapped_under_its_label_and_names_are_whole() -> None:
    out = io.StringIO()
    page = Page(Console(file=out, width=40, highlight=False, markup=False))
    name = "pd-disaggregation-nvidia-gpu-vllm-prefill-647f78f576-xjx8z"
    page.verbatim(f"  {name}  Ready")
    page.line(f"1 of 1 pods of {name} are [pending] for good", "FAILED")
    assert out.getvalue().splitlines() == [
        f"  {name}  Ready",
        "FAILED    1 of 1 pods of",
        f"          {name}",
        "          are [pending] for good",
    ]


def test_in_a_pipe_a_fact_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Page().line("word " * 100 + "end", "official")
    assert capsys.readouterr().out == "official  " + "word " * 100 + "end\n"


def test_what_a_rehearsal_cannot_see_promises_no_command_that_does_not_exist() -> None:
    assert "`" not in BLIND_SPOTS
    assert "docs/rehearse.md" in BLIND_SPOTS
