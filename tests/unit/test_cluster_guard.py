"""The guard of a cluster: whom it refuses for, what it waits for, and that state can keep it."""

import base64
import json
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.dynamic import dynamic

from components.cluster import guard
from components.cluster.guard import GONE, KINDS, SECONDS, ClusterInUseError, GuardProvider
from hardware.render.namespace import OWNER
from stacks.clouds.coreweave import pools
from tests.unit.api_server import ApiServer, kubeconfig, refusing

PROPS = {"cluster": "shared", "owner": "acme/llmd-pd/ground", "section": "cluster.gke", "deleteInUse": False}
NAMESPACES = "/api/v1/namespaces"
PATHS = {kind.name: kind.path for kind in KINDS}
GOING = {"deletionTimestamp": "2026-11-27T12:00:00Z"}
Delete = Callable[..., None]


def listed(*items: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"kind": "List", "items": [*items]}


def namespace(name: str, holder: str | None = None, **metadata: Any) -> dict[str, Any]:
    annotations = {"annotations": {OWNER: holder}} if holder else {}
    return {"metadata": {"name": name, **annotations, **metadata}}


def obj(place: str, spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **more: Any) -> Any:
    where, _, name = place.rpartition("/")
    metadata = {"name": name, **({"namespace": where} if where else {}), **more}
    return {"metadata": metadata, "spec": spec or {}, "status": status or {}}


def volume(phase: str, policy: str = "Delete", **metadata: Any) -> Any:
    return obj("pv-1", {"persistentVolumeReclaimPolicy": policy}, {"phase": phase}, **metadata)


@pytest.fixture
def delete(tmp_path: Any) -> Delete:
    """Deletes the guard, on the cluster of that address."""

    def delete(url: str, **more: Any) -> None:
        text = yaml.safe_load(kubeconfig(tmp_path / "kubeconfig", url).read_text()) | {"current-context": "prod"}
        GuardProvider().delete("shared", {**PROPS, "kubeconfig": json.dumps(text), **more})

    return delete


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only where somebody sleeps; how long each did."""
    slept: list[float] = []
    monkeypatch.setattr(guard.time, "sleep", slept.append)
    monkeypatch.setattr(guard.time, "monotonic", lambda: sum(slept))
    return slept


def refused(delete: Delete, url: str, **more: Any) -> str:
    with pytest.raises(ClusterInUseError) as refusal:
        delete(url, **more)
    text = str(refusal.value)
    assert text.startswith("cluster shared is not deleted, because ")
    assert text.endswith("It and its networks are still there.")
    assert "\n" not in text
    return text


def test_an_empty_cluster_may_go(delete: Delete, server: ApiServer, clock: list[float]) -> None:
    server.answers = {NAMESPACES: listed(namespace("default"), namespace("kube-system"))}
    delete(server.url)
    assert [path for path, *_ in server.asked] == [NAMESPACES, *PATHS.values()]
    assert clock == []


def test_other_stacks_keep_it_by_name(delete: Delete, server: ApiServer) -> None:
    server.answers = {
        NAMESPACES: listed(
            namespace("own", "acme/llmd-pd/ground"),
            namespace("chat", "acme/llmd-pd/chat"),
            namespace("gone", "acme/llmd-pd/gone", **GOING),
            namespace("search", "acme/llmd-pd/search"),
        )
    }
    text = refused(delete, server.url)
    assert (
        "other stacks serve on it: acme/llmd-pd/chat (namespace chat), acme/llmd-pd/search (namespace search);" in text
    )
    assert "`deleteInUse: true` under `llmd-pd:cluster.gke`" in text
    assert "gone" not in text.removesuffix("are still there.").split("because")[1]
    assert [path for path, *_ in server.asked] == [NAMESPACES]


def test_elsewhere_than_on_gke_it_is_reached_by_a_context_and_says_so_elsewhere(
    server: ApiServer, tmp_path: Path
) -> None:
    server.answers = {NAMESPACES: listed(namespace("chat", "acme/llmd-pd/chat"))}
    path = kubeconfig(tmp_path / "kubeconfig", server.url)
    with pytest.raises(ClusterInUseError, match=r"`deleteInUse: true` under `llmd-pd:cluster\.coreweave\.cluster`"):
        GuardProvider().delete(
            "shared",
            {**PROPS, "kubeconfig": str(path), "context": "prod", "section": "cluster.coreweave.cluster"},
        )
    with pytest.raises(ClusterInUseError, match="it does not say who lives in it"):
        GuardProvider().delete("shared", {**PROPS, "kubeconfig": str(path), "context": "another"})


def test_a_stack_may_say_that_it_goes_all_the_same(delete: Delete, server: ApiServer) -> None:
    server.answers = {NAMESPACES: listed(namespace("chat", "acme/llmd-pd/chat"))}
    delete(server.url, deleteInUse=True)
    assert server.asked == []


#: Kind, an object of it, and whether it holds the cluster: for good, for a while, or not.
OBJECTS = [
    ("Service", obj("team/web", {"type": "LoadBalancer"}), "stays"),
    ("Service", obj("team/web", {"type": "LoadBalancer"}, **GOING), "going"),
    ("Service", obj("team/web", {"type": "ClusterIP"}), None),
    ("Ingress", obj("team/web"), "stays"),
    ("Ingress", obj("team/web", **GOING), "going"),
    ("Gateway", obj("team/web"), "stays"),
    ("Gateway", obj("team/web", **GOING), "going"),
    ("ServiceNetworkEndpointGroup", obj("team/k8s1-1"), "going"),
    ("ServiceNetworkEndpointGroup", obj("kube-system/k8s1-1"), None),
    ("PersistentVolume", volume("Bound"), "stays"),
    ("PersistentVolume", volume("Available"), "stays"),
    ("PersistentVolume", volume("Released"), "going"),
    ("PersistentVolume", volume("Bound", **GOING), "going"),
    ("PersistentVolume", volume("Bound", "Retain"), None),
]


@pytest.mark.parametrize(("kind", "found", "so"), OBJECTS, ids=str)
def test_what_the_cloud_made_something_for(
    kind: str, found: dict[str, Any], so: str | None, delete: Delete, server: ApiServer, clock: list[float]
) -> None:
    server.answers = {PATHS[kind]: listed(found)}
    if so is None:
        delete(server.url)
        return
    text = refused(delete, server.url)
    name = "/".join(filter(None, (found["metadata"].get("namespace"), found["metadata"]["name"])))
    assert f"{kind} {name} (" in text
    if so == "stays":
        assert "it would leave what bills: " in text
        assert clock == [], "no wait would help"
    else:
        assert "after 10 minutes it still has " in text
        assert sum(clock) >= SECONDS


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("Service", obj("cw-metrics/web", {"type": "LoadBalancer"})),
        ("Ingress", obj("cw-metrics/web")),
        ("PersistentVolume", obj("pv-1", {"persistentVolumeReclaimPolicy": "Delete", "claimRef": {"namespace": "cw-metrics"}},
                                 {"phase": "Bound"})),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("value", "label", "coreweaves"),
    [
        ("control-plane", [*pools.NAMESPACES], True),
        ("org-1", [*pools.NAMESPACES], False),
        ("control-plane", ["another.cloud/label", "control-plane"], False),
        ("control-plane", None, False),
    ],
)
def test_what_coreweave_has_in_its_own_namespaces_is_coreweaves(
    kind: str, found: dict[str, Any], value: str, label: list[str] | None, coreweaves: bool, delete: Delete, server: ApiServer
) -> None:  # fmt: skip
    """It may be neither changed nor deleted by a user, and is not billed. Which namespaces these are, the guard is told."""
    own = namespace("cw-metrics", labels={"ns.coreweave.cloud/org": value})
    server.answers = {NAMESPACES: listed(own), PATHS[kind]: listed(found)}
    told = {"namespaces": label} if label else {}
    if coreweaves:
        delete(server.url, **told)
    else:
        assert f"it would leave what bills: {kind} " in refused(delete, server.url, **told)


def test_every_kind_has_a_case() -> None:
    assert {kind for kind, *_ in OBJECTS} == set(PATHS)


def test_what_goes_is_waited_for(
    delete: Delete, server: ApiServer, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = {PATHS["ServiceNetworkEndpointGroup"]: listed(obj("team/k8s1-1"))}

    def gone_after_a_minute(seconds: float) -> None:
        clock.append(seconds)
        if sum(clock) >= 60:
            server.answers.clear()

    monkeypatch.setattr(guard.time, "sleep", gone_after_a_minute)
    delete(server.url)
    assert sum(clock) == 60


def test_a_cluster_that_is_not_there_is_no_leave_unless_the_provider_is_told_so_too(
    delete: Delete, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = refused(delete, refusing())
    assert "Connection refused" in text
    assert f"if the cluster is gone for good, set {GONE}=true" in text
    monkeypatch.setenv(GONE, "True")
    delete(refusing())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, {"kind": "Status", "code": 403}), "who may list namespaces, Services and volumes"),
        ((401, {"kind": "Status", "code": 401}), "it answers 401"),
        ((500, {"kind": "Status", "code": 500}), "check the network and your credentials"),
        ((200, b"<html>sign in here</html>"), "does not speak JSON"),
        ((200, ["no", "object"]), "no API server"),
    ],
)
@pytest.mark.parametrize("path", [NAMESPACES, *PATHS.values()])
def test_an_answer_of_no_use_is_no_leave(
    path: str, answer: Any, words: str, delete: Delete, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GONE, "true")
    server.answers = {path: answer}
    assert words in refused(delete, server.url)


def test_another_way_to_the_cluster_is_an_update() -> None:
    olds = {**PROPS, "kubeconfig": "{}", "__provider": "pickled"}
    assert GuardProvider().create(olds).id == "shared"
    for change in ({"kubeconfig": "{1}"}, {"deleteInUse": True}, {"__provider": "pickled elsewhere"}):
        found = GuardProvider().diff("shared", olds, olds | change)
        assert (found.changes, found.replaces) == (True, [])
    assert GuardProvider().diff("shared", olds, dict(olds)).changes is False
    assert GuardProvider().update("shared", {}, dict(PROPS)).outs == PROPS


def test_state_keeps_the_providers_name_and_none_of_its_code() -> None:
    text = base64.b64decode(dynamic.serialize_provider(GuardProvider()))
    assert type(pickle.loads(text)) is GuardProvider
    words = [argument for _, argument, _ in pickletools.genops(text) if isinstance(argument, str)]
    assert words == ["components.cluster.guard", "GuardProvider"]
