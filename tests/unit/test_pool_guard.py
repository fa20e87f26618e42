"""The guard of node pools in a cluster that stays: whose pods it refuses for, and that state can keep it."""

import base64
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import dynamic

from components.cluster.guard import GONE, ClusterInUseError, PoolGuardProvider
from hardware.render.namespace import OWNER
from stacks.clouds.coreweave import pools
from tests.unit.api_server import ApiServer, kubeconfig, refusing

PROPS = {
    "pools": ["shared-cpu", "shared-gpu"],
    "label": pools.POOL,
    "owner": "acme/llmd-pd/ground",
    "section": "cluster.coreweave",
    "deleteInUse": False,
    "context": "prod",
}
NODES = ("/api/v1/nodes", "labelSelector=compute.coreweave.com/node-pool%20in%20%28shared-cpu%2Cshared-gpu%29")
NAMESPACES = "/api/v1/namespaces"
Delete = Callable[..., None]


def listed(*items: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"kind": "List", "items": [*items]}


def namespace(name: str, holder: str | None) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": {OWNER: holder} if holder else {}}}


def pod(node: str | None, phase: str = "Running") -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"nodeName": node} if node else {}, "status": {"phase": phase}}


@pytest.fixture
def delete(tmp_path: Path) -> Delete:
    """Deletes the guard, on the cluster of that address."""

    def delete(url: str, **more: Any) -> None:
        place = str(kubeconfig(tmp_path / "kubeconfig", url))
        PoolGuardProvider().delete("shared-cpu, shared-gpu", {**PROPS, "kubeconfig": place, **more})

    return delete


@pytest.fixture
def cluster(server: ApiServer) -> ApiServer:
    """Two nodes of the pools' and one of others', and three stacks."""
    server.queries = {NODES: listed({"metadata": {"name": "ours-1"}}, {"metadata": {"name": "ours-2"}})}
    server.answers = {
        NAMESPACES: listed(
            namespace("kube-system", None),
            namespace("own", "acme/llmd-pd/ground"),
            namespace("chat", "acme/llmd-pd/chat"),
            namespace("search", "acme/llmd-pd/search"),
        ),
        f"{NAMESPACES}/own/pods": listed(pod("ours-1")),
        f"{NAMESPACES}/chat/pods": listed(pod("theirs"), pod(None, "Pending"), pod("ours-1", "Succeeded")),
    }
    return server


def refused(delete: Delete, url: str, **more: Any) -> str:
    with pytest.raises(ClusterInUseError) as refusal:
        delete(url, **more)
    text = str(refusal.value)
    assert text.startswith("node pools shared-cpu and shared-gpu are not deleted, because ")
    assert text.endswith("Nothing of this stack was deleted.")
    assert "\n" not in text
    return text


def test_nodes_without_pods_of_other_stacks_may_go(delete: Delete, cluster: ApiServer) -> None:
    delete(cluster.url)
    asked = {path for path, *_ in cluster.asked}
    assert f"{NAMESPACES}/own/pods" not in asked, "what is the stack's own goes with it"


def test_pods_of_other_stacks_keep_them_by_name(delete: Delete, cluster: ApiServer) -> None:
    cluster.answers[f"{NAMESPACES}/search/pods"] = listed(pod("ours-1"), pod("ours-2"), pod("theirs"))
    text = refused(delete, cluster.url)
    assert "because pods of other stacks run on their nodes: 2 of acme/llmd-pd/search (namespace search); " in text
    assert "`deleteInUse: true` under `llmd-pd:cluster.coreweave`" in text
    assert "chat" not in text


def test_coreweaves_own_pods_keep_no_nodes(delete: Delete, cluster: ApiServer) -> None:
    """Its HPC verification runs on idle nodes, hourly."""
    own = {**namespace("cw-hpc-verification", None)}
    own["metadata"]["labels"] = dict([pools.NAMESPACES])
    _, found = cluster.answers[NAMESPACES]
    found["items"].append(own)
    cluster.answers[f"{NAMESPACES}/cw-hpc-verification/pods"] = listed(pod("ours-1"), pod("ours-2"))
    delete(cluster.url)
    assert f"{NAMESPACES}/cw-hpc-verification/pods" not in {path for path, *_ in cluster.asked}


def test_a_stack_may_say_that_they_go_all_the_same(delete: Delete, cluster: ApiServer) -> None:
    delete(cluster.url, deleteInUse=True)
    assert cluster.asked == []


def test_without_nodes_nobody_is_asked_about(delete: Delete, cluster: ApiServer) -> None:
    cluster.queries = {NODES: listed()}
    delete(cluster.url)
    assert [path for path, *_ in cluster.asked] == ["/api/v1/nodes"]


@pytest.mark.parametrize("path", [NAMESPACES, f"{NAMESPACES}/chat/pods"])
def test_an_answer_of_no_use_is_no_leave(path: str, delete: Delete, cluster: ApiServer) -> None:
    cluster.answers[path] = (403, {"kind": "Status", "code": 403})
    assert "who may list nodes, and the pods of all namespaces" in refused(delete, cluster.url)
    cluster.answers[path] = (500, {"kind": "Status", "code": 500})
    assert "the cluster does not say whose pods run on their nodes (it answers 500" in refused(delete, cluster.url)


def test_a_cluster_that_is_not_there_is_no_leave_unless_the_provider_is_told_so_too(
    delete: Delete, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Connection refused" in refused(delete, refusing())
    monkeypatch.setenv(GONE, "true")
    delete(refusing())


def test_state_keeps_the_providers_name_and_none_of_its_code() -> None:
    text = base64.b64decode(dynamic.serialize_provider(PoolGuardProvider()))
    assert type(pickle.loads(text)) is PoolGuardProvider
    words = [argument for _, argument, _ in pickletools.genops(text) if isinstance(argument, str)]
    assert words == ["components.cluster.guard", "PoolGuardProvider"]
    assert PoolGuardProvider().create(dict(PROPS)).id == "shared-cpu, shared-gpu"
