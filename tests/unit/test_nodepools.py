"""CoreWeave's side of NodePools in a rehearsal: nodes as the object says, and a status as CoreWeave writes it."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from kubernetes.client.exceptions import ApiException

from hardware.machines import MACHINES
from rehearsal.fleet.live import GIVEN_LABELS, OF_A_POOL, SLICES
from rehearsal.fleet.node_pools import FINALIZER, SLOW_SECONDS, TYPES, Controller
from rehearsal.verdict.node_pools import Pools
from rehearsal.verdict.verdict import Flaw
from releases.values import merge
from stacks.clouds.coreweave.pools import API, POOL
from stacks.clouds.coreweave.pools import NAMESPACES as COREWEAVES
from tests import cks_plans
from tests.unit.test_coreweave import stack

NODES, PODS, NAMESPACES = "/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces"


def _labels(obj: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = obj["metadata"].get("labels", {})
    return found


class Store:
    """Objects by collection and name, as an API server keeps them; a node is Ready once it is there."""

    def __init__(self, *pools: dict[str, Any]) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {API: {}, NODES: {}, SLICES: {}, PODS: {}, NAMESPACES: {}}
        for pool in pools:
            self.objects[API][pool["metadata"]["name"]] = pool

    def get(self, path: str) -> dict[str, Any] | None:
        collection, _, name = path.rpartition("/")
        return copy.deepcopy(self.objects[collection].get(name))

    def items(self, path: str) -> list[dict[str, Any]]:
        collection, _, query = path.partition("?")
        if query.startswith("fieldSelector"):
            return []  # nothing on CoreWeave is handed out by DRA
        label, _, value = unquote(query).partition("=")[2].partition("=")
        found = [one for one in self.objects[collection].values() if not label or label in _labels(one)]
        return copy.deepcopy([one for one in found if not value or _labels(one)[label] == value])

    def create(self, path: str, obj: dict[str, Any]) -> bool:
        made = copy.deepcopy(obj)
        made["metadata"].setdefault("creationTimestamp", datetime.now(UTC).isoformat())
        self.objects[path][obj["metadata"]["name"]] = made
        return True

    def merge(self, path: str, change: dict[str, Any]) -> bool:
        collection, _, name = path.removesuffix("/status").rpartition("/")
        self.objects[collection][name] = merge(self.objects[collection][name], change)
        return True

    def delete(self, path: str) -> None:
        collection, _, name = path.rpartition("/")
        self.objects[collection].pop(name, None)

    @property
    def nodes(self) -> dict[str, dict[str, Any]]:
        return self.objects[NODES]

    def pool(self, name: str = "gpu") -> dict[str, Any]:
        return self.objects[API][name]


def pool(name: str = "gpu", *, nodes: int = 2, kind: str = "gd-8xh200ib-i128", age: float = 0, **spec: Any) -> Any:
    born = (datetime.now(UTC) - timedelta(seconds=age)).isoformat(timespec="seconds").replace("+00:00", "Z")
    metadata = {"name": name, "creationTimestamp": born, "resourceVersion": "1"}
    return {"metadata": metadata, "spec": {"instanceType": kind, "targetNodes": nodes, **spec}}


def served(store: Store, fault: str | None = None, looks: int = 4) -> Store:
    for _ in range(looks):
        Controller(store, fault).reconcile()  # type: ignore[arg-type]
    return store


def conditions(store: Store, name: str = "gpu") -> dict[str, tuple[str, str]]:
    return {row["type"]: (row["status"], row["reason"]) for row in store.pool(name)["status"]["conditions"]}


SYSTEM = {"nodeLabels": {"cks.coreweave.cloud/system-critical": "true"}}
FINE = {
    "Validated": ("True", "Valid"),
    "Quota": ("True", "Under"),
    "Capacity": ("True", "Sufficient"),
    "AtTarget": ("True", "AtTarget"),
}


def test_a_pool_gets_its_nodes_and_says_so() -> None:
    store = served(
        Store(pool(nodeLabels={"team": "chat"}, nodeTaints=[{"key": "a", "value": "b", "effect": "NoSchedule"}]))
    )
    assert sorted(store.nodes) == ["gpu-0", "gpu-1"]
    node, machine = store.nodes["gpu-0"], MACHINES["coreweave-h200"]
    assert node["metadata"]["labels"].items() >= {**machine.all_labels, "team": "chat", POOL: "gpu"}.items()
    assert [row["key"] for row in node["spec"]["taints"]] == ["is_gpu", "a"]
    assert node["metadata"]["annotations"][OF_A_POOL] == "gpu"
    assert "team" in node["metadata"]["annotations"][GIVEN_LABELS].split()
    status = store.pool()["status"]
    assert (status["currentNodes"], status["queuedNodes"], status["inProgress"]) == (2, 0, 0)
    assert conditions(store) == FINE


def test_it_grows_and_gives_back_only_idle_nodes() -> None:
    store = served(Store(pool(nodes=1)))
    store.pool()["spec"]["targetNodes"] = 3
    assert sorted(served(store).nodes) == ["gpu-0", "gpu-1", "gpu-2"]
    store.objects[PODS] = {"busy": {"metadata": {"name": "busy"}, "spec": {"nodeName": "gpu-2"}}}
    store.pool()["spec"]["targetNodes"] = 0
    assert sorted(served(store).nodes) == ["gpu-2"]
    store.objects[PODS].clear()
    assert sorted(served(store).nodes) == []


@pytest.mark.parametrize(
    ("metadata", "status", "idle"),
    [
        ({"namespace": "chat"}, {"phase": "Running"}, False),
        ({"namespace": "cw-hpc-verification"}, {"phase": "Running"}, True),
        ({"namespace": "chat", "ownerReferences": [{"kind": "DaemonSet"}]}, {"phase": "Running"}, True),
        ({"namespace": "chat"}, {"phase": "Succeeded"}, True),
    ],
)
def test_a_node_is_idle_with_pods_of_coreweave_of_daemonsets_or_that_are_over(
    metadata: dict[str, Any], status: dict[str, Any], idle: bool
) -> None:
    store = served(Store(pool(nodes=1)))
    store.objects[NAMESPACES] = {
        "cw-hpc-verification": {"metadata": {"name": "cw-hpc-verification", "labels": dict([COREWEAVES])}},
        "chat": {"metadata": {"name": "chat", "labels": {COREWEAVES[0]: "org-1"}}},
    }
    store.objects[PODS] = {
        "p": {"metadata": {"name": "p", **metadata}, "spec": {"nodeName": "gpu-0"}, "status": status}
    }
    store.pool()["spec"]["targetNodes"] = 0
    assert (sorted(served(store).nodes) == []) is idle


def test_a_number_that_is_free_is_used_again() -> None:
    store = served(Store(pool(nodes=3)))
    store.delete(f"{NODES}/gpu-1")
    assert sorted(served(store).nodes) == ["gpu-0", "gpu-1", "gpu-2"]


def test_changed_labels_and_taints_reach_the_nodes() -> None:
    store = served(Store(pool(nodes=1)))
    store.nodes["gpu-0"]["spec"]["taints"].append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    store.pool()["spec"] |= {
        "nodeLabels": {"team": "x"},
        "nodeTaints": [{"key": "t", "value": "", "effect": "NoExecute"}],
    }
    served(store)
    assert store.nodes["gpu-0"]["metadata"]["labels"]["team"] == "x"
    keys = [row["key"] for row in store.nodes["gpu-0"]["spec"]["taints"]]
    assert keys == ["is_gpu", "t", "node.kubernetes.io/not-ready"]


def test_a_pool_that_goes_takes_its_nodes_along_before_it_is_gone() -> None:
    store = served(Store(pool(), pool("other", nodes=1)))
    assert store.pool()["metadata"]["finalizers"] == [FINALIZER]
    store.pool()["metadata"]["deletionTimestamp"] = "now"
    served(store, looks=1)
    assert sorted(store.nodes) == ["other-0"]
    assert store.pool()["metadata"]["finalizers"] == [FINALIZER], "it is there for as long as a node is"
    served(store, looks=1)
    assert store.pool()["metadata"]["finalizers"] == []


@pytest.mark.parametrize(
    ("fault", "condition", "words"),
    [
        (
            "quota",
            ("Quota", ("False", "NotSet")),
            "quota limit is 0 for instance type gd-8xh200ib-i128 (Quota: NotSet)",
        ),
        (
            "stockout",
            ("Capacity", ("False", "QueuedAwaitingCapacity")),
            "2 nodes wait for capacity of the zone (Capacity: QueuedAwaitingCapacity)",
        ),
    ],
)
def test_capacity_that_does_not_come(fault: str, condition: tuple[str, Any], words: str) -> None:
    given = stack(acceleratorPool={"name": "gpu"}, systemPool={"name": "cpu"})
    pools = Pools(cks_plans.pools(given))
    store = served(Store(pool(), pool("cpu", nodes=1, kind="cd-gp-i64-erapids", **SYSTEM)), fault)
    assert sorted(store.nodes) == ["cpu-0"], "a fault is about accelerators"
    assert conditions(store).items() >= {condition}
    (flaw,) = pools.flaws(store)  # type: ignore[arg-type]
    assert flaw.text == f"NodePool gpu has 0 of 2 nodes (gd-8xh200ib-i128): {words}"
    assert flaw.awaited
    assert conditions(store, "cpu") == FINE
    assert [*pools.flaws(served(store))] == [], "a zone can have capacity again"  # type: ignore[arg-type]


def test_an_instance_type_that_the_zone_does_not_have() -> None:
    """As `kubectl get nodepool` shows it: VALIDATED is Invalid. CPU nodes come first, and it is them that a zone may lack."""
    given = stack(acceleratorPool={"name": "gpu"}, systemPool={"name": "cpu"})
    pools = Pools(cks_plans.pools(given))
    store = served(Store(pool(), pool("cpu", nodes=1, kind="cd-gp-i64-erapids", **SYSTEM)), "not-in-zone")
    assert store.nodes == {}
    for name in ("cpu", "gpu"):
        assert conditions(store, name) == {
            **FINE,
            "Validated": ("False", "Invalid"),
            "AtTarget": ("False", "NotAtTarget"),
        }
        assert store.pool(name)["status"]["inProgress"] == 0
    flaws = [*pools.flaws(store)]  # type: ignore[arg-type]
    words = "instance type does not exist in zone (Validated: Invalid)"
    assert [flaw.text for flaw in flaws] == [
        f"NodePool cpu has 0 of 1 nodes (cd-gp-i64-erapids): {words}",
        f"NodePool gpu has 0 of 2 nodes (gd-8xh200ib-i128): {words}",
    ]
    assert all(flaw.awaited and not flaw.underway for flaw in flaws), "no wait can help"


def test_it_befalls_what_is_yet_to_be_made() -> None:
    store = served(served(Store(pool())), "not-in-zone")
    assert sorted(store.nodes) == ["gpu-0", "gpu-1"]
    assert conditions(store) == FINE


def test_a_slow_pool_is_on_its_way() -> None:
    given = stack(systemPool={"manage": False}, acceleratorPool={"name": "gpu"})
    pools = Pools(cks_plans.pools(given))
    (gone,) = pools.flaws(Store())  # type: ignore[arg-type]
    assert gone == Flaw("NodePool gpu does not exist")
    store = served(Store(pool(age=SLOW_SECONDS * 1.5)), "slow-pool")
    assert sorted(store.nodes) == ["gpu-0"]
    assert store.pool()["status"]["inProgress"] == 1
    (flaw,) = pools.flaws(store)  # type: ignore[arg-type]
    assert flaw == Flaw("NodePool gpu has 1 of 2 nodes (gd-8xh200ib-i128): they are underway", underway=True)
    store.nodes["gpu-0"]["metadata"]["creationTimestamp"] = pool(age=SLOW_SECONDS * 1.5)["metadata"][
        "creationTimestamp"
    ]
    assert sorted(served(store, "slow-pool").nodes) == ["gpu-0", "gpu-1"]
    store.pool()["spec"]["targetNodes"] = 0
    assert sorted(served(store, "slow-pool").nodes) == [], "nodes go as fast as ever"


def test_a_label_that_is_taken_out_of_the_pool_is_gone_from_its_nodes() -> None:
    store = served(Store(pool(nodes=1, nodeLabels={"team": "chat", "tier": "1"})))
    store.pool()["spec"]["nodeLabels"] = {"tier": "2"}
    labels = served(store).nodes["gpu-0"]["metadata"]["labels"]
    assert (labels.get("team"), labels["tier"], labels[POOL]) == (None, "2", "gpu")


def test_an_autoscaler_adds_a_node_for_a_pod_without_room_and_no_more_than_there_may_be() -> None:
    store = served(Store(pool(nodes=1, autoscaling=True, minNodes=0, maxNodes=2)))
    assert sorted(store.nodes) == ["gpu-0"]
    waiting = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    store.objects[PODS] = {"p": {"metadata": {"name": "p"}, "spec": {}, "status": {"conditions": waiting}}}
    assert sorted(served(store, looks=8).nodes) == ["gpu-0", "gpu-1"]
    assert store.pool()["spec"]["targetNodes"] == 2


def test_nodes_too_many_are_a_flaw_while_pods_hold_them() -> None:
    given = stack({"nodes": 2}, systemPool={"manage": False}, acceleratorPool={"name": "gpu"})
    pools = Pools(cks_plans.pools(given))
    store = served(Store(pool(nodes=3)))
    store.objects[PODS] = {
        name: {"metadata": {"name": name}, "spec": {"nodeName": f"gpu-{name}"}} for name in ("0", "1", "2")
    }
    store.pool()["spec"]["targetNodes"] = 2
    (flaw,) = pools.flaws(served(store))  # type: ignore[arg-type]
    assert flaw == Flaw("NodePool gpu has 3 nodes and should have 2: only those without pods go", awaited=True)


def test_a_type_that_is_not_sold_is_one_without_quota() -> None:
    store = served(Store(pool(kind="gd-8xh999")))
    assert store.nodes == {}
    assert conditions(store)["Quota"] == ("False", "NotSet")


def test_every_type_has_a_machine() -> None:
    assert {"gd-8xh200ib-i128", "cd-gp-i64-erapids"} <= TYPES.keys()
    assert all(TYPES[key].instance_type == key for key in TYPES)


def test_a_pool_whose_nodes_are_refused_says_what_the_api_server_said() -> None:
    class Refusing(Store):
        def create(self, *_: Any) -> bool:
            refused = ApiException(status=422)
            refused.body = '{"message": "Node \\"gpu-0\\" is invalid: spec.taints[1]: Duplicate value"}'
            raise refused

    store = served(Refusing(pool()))
    assert conditions(store)["Validated"] == ("False", "Invalid")
    assert store.pool()["status"]["inProgress"] == 0
    given = stack(systemPool={"manage": False}, acceleratorPool={"name": "gpu"})
    (flaw,) = Pools(cks_plans.pools(given)).flaws(store)  # type: ignore[arg-type]
    assert flaw.text.endswith('Node "gpu-0" is invalid: spec.taints[1]: Duplicate value (Validated: Invalid)')
    assert flaw.awaited


def test_other_troubles_with_the_api_server_are_not_the_pools() -> None:
    class Away(Store):
        def create(self, *_: Any) -> bool:
            raise ApiException(status=503)

    with pytest.raises(ApiException):
        served(Away(pool()))
