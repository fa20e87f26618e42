"""The live check before node pools are made: CoreWeave, owners, replacements."""

from typing import Any

import pytest

from stacks.clouds.coreweave.pools import API
from stacks.findings import StackFileError
from tests import cks_plans
from tests.unit.api_server import OWNER, Answer, ApiServer, Look
from tests.unit.test_coreweave import stack

CLUSTER: dict[str, Any] = {"provider": "coreweave", "nodes": 2}
SERVING: dict[str, Any] = {"accelerator": "nvidia", "fabric": "coreweave"}
CPU, GPU = f"{API}/pd-disaggregation-cpu", f"{API}/pd-disaggregation-gpu"
NONE: Answer = (200, {"items": []})


def pool(instance_type: str, holder: str | None = OWNER) -> Answer:
    annotations = {"llmd-pd/stack": holder} if holder else {}
    return 200, {"metadata": {"annotations": annotations}, "spec": {"instanceType": instance_type}}


def problem(look: Look, url: str, **cluster: Any) -> str:
    with pytest.raises(StackFileError) as refusal:
        look(url, cluster={**CLUSTER, **cluster}, serving=SERVING)
    (found,) = refusal.value.problems
    return str(found)


def test_a_cluster_without_pools_yet_is_fine(look: Look, server: ApiServer) -> None:
    server.answers = {API: NONE}
    look(server.url, cluster=CLUSTER, serving=SERVING)


def test_pools_of_this_stacks_are_fine(look: Look, server: ApiServer) -> None:
    server.answers = {API: NONE, CPU: pool("cd-gp-i64-erapids"), GPU: pool("gd-8xh200ib-i128")}
    look(server.url, cluster=CLUSTER, serving=SERVING)


@pytest.mark.parametrize("status", [403, 404])
def test_no_coreweave(status: int, look: Look, server: ApiServer) -> None:
    server.answers = {API: (status, {})}
    text = problem(look, server.url)
    assert text.startswith("llmd-pd:cluster.provider: the cluster knows no NodePools, because it is no CKS cluster, or")


@pytest.mark.parametrize(("holder", "whose"), [(None, "another owner"), ("acme/llmd-pd/dev", "stack acme/llmd-pd/dev")])
def test_a_pool_of_somebody_elses_is_left_alone(holder: str | None, whose: str, look: Look, server: ApiServer) -> None:
    server.answers = {API: NONE, GPU: pool("gd-8xh200ib-i128", holder)}
    text = problem(look, server.url)
    assert text.startswith(
        "llmd-pd:cluster.coreweave.acceleratorPool.name: NodePool pd-disaggregation-gpu exists already, because it belongs to "
        f"{whose},"
    )
    assert f"kubectl annotate nodepool pd-disaggregation-gpu llmd-pd/stack={OWNER} --overwrite --kubeconfig" in text


@pytest.mark.parametrize(
    ("path", "there", "field", "key"),
    [
        (GPU, "gd-8xh100ib-i128", "cluster.machine", "acceleratorPool"),
        (CPU, "turin-gp", "cluster.coreweave.systemPool.instanceType", "systemPool"),
    ],
)
def test_a_pool_that_would_be_replaced_is_refused_by_its_field(
    path: str, there: str, field: str, key: str, look: Look, server: ApiServer
) -> None:
    """CW-03: `InstanceType cannot be changed`."""
    server.answers = {API: NONE, path: pool(there)}
    text = problem(look, server.url)
    assert text.startswith(f"llmd-pd:{field}: NodePool ")
    assert there in text
    assert f"`allowReplace: [{key}]`" in text
    assert "(CW-03) [https://docs.coreweave.com" in text
    look(server.url, cluster={**CLUSTER, "allowReplace": [key]}, serving=SERVING)
    other = "systemPool" if key == "acceleratorPool" else "acceleratorPool"
    assert "CW-03" in problem(look, server.url, allowReplace=[other])


NODES, PODS, NAMESPACES = "/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces"


def running(owner: str = "ReplicaSet", phase: str = "Running", namespace: str = "chat") -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "ownerReferences": [{"kind": owner}]}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("pods", "refused"),
    [
        ([running(), running(), running()], True),
        ([running(), running(), running("DaemonSet")], False),
        ([running(), running(), running(phase="Succeeded")], False),
        ([running(), running(), None], False),
        ([running(), running(), running("Workflow", namespace="cw-hpc-verification")], False),
        ([running(), running(), running("Workflow", namespace="hpc-verification-of-ours")], True),
    ],
)
def test_nodes_with_pods_are_not_taken_away_by_waiting_for_it(
    pods: list[Any], refused: bool, look: Look, server: ApiServer
) -> None:
    """CW-10: the pool would be waited for before a pod goes, and CoreWeave takes idle nodes only."""
    status, live = pool("gd-8xh200ib-i128")
    live["spec"]["targetNodes"] = len(pods)
    nodes = [{"metadata": {"name": f"n{index}"}} for index in range(len(pods))]
    label = "labelSelector=compute.coreweave.com/node-pool%3Dpd-disaggregation-gpu"
    server.answers = {API: NONE, GPU: (status, live)}
    server.queries = {(NODES, label): (200, {"items": nodes})} | {
        (PODS, f"fieldSelector=spec.nodeName%3Dn{index}"): (200, {"items": [pod] if pod else []})
        for index, pod in enumerate(pods)
    }
    own = (NAMESPACES, "labelSelector=ns.coreweave.cloud/org%3Dcontrol-plane")
    server.queries[own] = (200, {"items": [{"metadata": {"name": "cw-hpc-verification"}}]})
    if refused:
        text = problem(look, server.url)
        assert text.startswith(
            "llmd-pd:cluster.nodes: NodePool pd-disaggregation-gpu would have 2 nodes, and pods run on 3"
        )
        assert "(CW-10)" in text
    else:
        look(server.url, cluster=CLUSTER, serving=SERVING)


def test_who_may_not_see_namespaces_is_told_of_every_pod(look: Look, server: ApiServer) -> None:
    """CW-10: a shrink that waits for an hour is worse than one that is refused."""
    status, live = pool("gd-8xh200ib-i128")
    live["spec"]["targetNodes"] = 3
    server.answers = {
        API: NONE,
        GPU: (status, live),
        NODES: (200, {"items": [{"metadata": {"name": f"n{index}"}} for index in range(3)]}),
        PODS: (200, {"items": [running("Workflow", namespace="cw-hpc-verification")]}),
        NAMESPACES: (403, {}),
    }
    assert "(CW-10)" in problem(look, server.url)


def judged(status: str, reason: str, message: str, nodes: int = 0, **spec: Any) -> Answer:
    """The CPU pool as the stack makes it, or another, and what CoreWeave says of it."""
    made = cks_plans.pools(stack())[0].spec
    condition = {"type": "Validated", "status": status, "reason": reason, "message": message}
    return 200, {
        "metadata": {"annotations": {"llmd-pd/stack": OWNER}},
        "spec": {**made, **spec},
        "status": {"currentNodes": nodes, "conditions": [{"type": "Quota", "status": "True"}, condition]},
    }


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("instance type does not exist in zone", "instance type does not exist in zone (Validated: Invalid)"),
        ("", "it does not say why (Validated: Invalid)"),
    ],
)
def test_a_pool_that_coreweave_has_refused_is_not_waited_for(
    message: str, words: str, preview: bool, look: Look, server: ApiServer
) -> None:
    """CW-16: it would be waited for, for an hour, and no node will ever come."""
    server.answers = {API: NONE, CPU: judged("False", "Invalid", message)}
    with pytest.raises(StackFileError) as refusal:
        look(server.url, preview=preview, cluster=CLUSTER, serving=SERVING)
    text = str(refusal.value)
    assert text.startswith(
        "llmd-pd:cluster.coreweave.systemPool.instanceType: CoreWeave has refused NodePool pd-disaggregation-cpu: "
        f"{words}, because no node will ever come"
    )
    assert "kubectl describe nodepool pd-disaggregation-cpu --kubeconfig" in text
    assert "`allowReplace: [systemPool]`" in text
    assert "(CW-16) [https://docs.coreweave.com/platform/instances/availability-matrix]" in text


@pytest.mark.parametrize(
    "answer",
    [
        judged("True", "Valid", ""),
        # What the stack file changes of it may be what was wrong.
        judged("False", "Invalid", "no such label", nodeLabels={"a": "b"}),
        judged("False", "Invalid", "no such image", nodes=1),
    ],
)
def test_a_pool_that_is_valid_or_has_its_nodes_or_will_be_another_is_left_alone(
    answer: Answer, look: Look, server: ApiServer
) -> None:
    server.answers = {API: NONE, CPU: answer}
    look(server.url, cluster=CLUSTER, serving=SERVING)


def test_a_refused_pool_may_be_replaced_by_one_of_another_type(look: Look, server: ApiServer) -> None:
    server.answers = {API: NONE, CPU: judged("False", "Invalid", "instance type does not exist in zone")}
    other = {"allowReplace": ["systemPool"], "coreweave": {"systemPool": {"instanceType": "turin-gp"}}}
    look(server.url, cluster={**CLUSTER, **other}, serving=SERVING)
