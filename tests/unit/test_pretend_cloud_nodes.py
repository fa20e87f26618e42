"""Node pools of the pretend cloud as simulated nodes: what GKE would make of what the pool says, and not of what was meant."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from kubernetes.client.exceptions import ApiException

from hardware.machines import MACHINES, SYSTEM
from rehearsal.clouds.gke import nodes
from rehearsal.clouds.gke.nodes import CLASSES, CRDS, GKES_CLASSES
from rehearsal.clouds.gke.pool_machine import machine_of, node_count
from rehearsal.fleet.live import NODES, OF_A_POOL, SLICES
from rehearsal.fleet.nodes import node_objects
from rehearsal.plugins.plugin import Failure
from releases.values import merge
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.pools import DRANET_LABELS
from stacks.clouds.resource import Resource
from tests.gke_plans import planned, stack, variant
from tests.pretend_cloud import Program
from tests.unit.test_gke_checks import GONE, put_in

DRA, RDMA = MACHINES["gke-a3-ultragpu-8g-dra"], MACHINES["gke-a3-ultragpu-8g-rdma"]
BY_DRA = {"dranet": DRA, "a4 dranet": MACHINES["gke-a4-highgpu-8g-dra"]}
BY_PLUGIN = {"multinet": RDMA, "a4 multinet": MACHINES["gke-a4-highgpu-8g-rdma"]}
POOL, SYSTEM_POOL, CLUSTER = (f"pd-disaggregation-{part}" for part in ("accelerators", "system", "cluster"))
DRIVER = "node_config.guest_accelerators.0.gpu_driver_installation_config.gpu_driver_version"


class Store:
    """Objects by collection and name, as an API server keeps them; a node is Ready once it is there."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {NODES: {}, SLICES: {}, CLASSES: {}, CRDS: {}}
        self.ready, self.gone = True, False

    def items(self, path: str) -> list[dict[str, Any]]:
        if self.gone:
            raise ApiException(500, "the API server is away")
        collection, _, query = path.partition("?")
        kind, _, wanted = query.partition("=")
        key, _, value = unquote(wanted).partition("=")
        found = copy.deepcopy([*self.objects[collection].values()])
        if not query:
            return found
        if kind == "labelSelector":
            return [one for one in found if one["metadata"].get("labels", {}).get(key) == value]
        assert (kind, key) == ("fieldSelector", "spec.nodeName")
        return [one for one in found if one["spec"].get("nodeName") == value]

    def create(self, path: str, obj: dict[str, Any]) -> bool:
        if obj["metadata"]["name"] in self.objects[path]:
            return False
        self.objects[path][obj["metadata"]["name"]] = kept = copy.deepcopy(obj)
        if path == NODES and not self.ready:
            kept["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
        return True

    def merge(self, path: str, change: dict[str, Any]) -> bool:
        collection, _, name = path.rpartition("/")
        merged = merge(self.objects[collection][name], change)
        labels = merged["metadata"]["labels"]
        merged["metadata"]["labels"] = {key: value for key, value in labels.items() if value is not None}
        self.objects[collection][name] = merged
        return True

    def delete(self, path: str) -> None:
        collection, _, name = path.rpartition("/")
        self.objects[collection].pop(name, None)

    def nodes(self, pool: str = "gpu") -> list[dict[str, Any]]:
        return self.items(f"{NODES}?labelSelector=cloud.google.com/gke-nodepool%3D{pool}")

    def slices(self, node: dict[str, Any]) -> dict[str, Any]:
        found = self.items(f"{SLICES}?fieldSelector=spec.nodeName%3D{node['metadata']['name']}")
        return {one["spec"]["driver"]: one["spec"]["devices"] for one in found}


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def program(store: Store, tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json", fleet=store)


def unlocked(plan: GkePlan) -> list[Resource]:
    """As after an `up` with `protect: false`."""
    return [
        replace(one, args={**one.args, "deletion_protection": False}) if one is plan.cluster else one
        for one in plan.resources
    ]


def made(program: Program, name: str = "dranet") -> list[Resource]:
    resources = unlocked(planned(variant(name)))
    program.create_all(resources)
    return resources


def extended(node: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in node["status"]["allocatable"].items() if "/" in key}


def labels(node: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = node["metadata"]["labels"]
    return found


# --- what a pool becomes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_DRA)
def test_managed_dranet_makes_nodes_whose_devices_are_claimed(name: str, program: Program, store: Store) -> None:
    made(program, name)
    row = BY_DRA[name]
    assert len(store.nodes()) == 2
    for node in store.nodes():
        _, *wanted = node_objects(row, node["metadata"]["name"])
        assert store.slices(node) == {one["spec"]["driver"]: one["spec"]["devices"] for one in wanted}
        assert extended(node) == {}
        own = {*row.labels} - {"goog-gke-accelerator-type", "cloud.google.com/gke-nodepool"}
        assert {key: labels(node).get(key) for key in own} == {key: row.labels[key] for key in own}
        assert node["status"]["allocatable"]["memory"] == row.allocatable["memory"]
        assert labels(node)["cloud.google.com/gke-nodepool"] == "gpu"
        assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
        assert OF_A_POOL in node["metadata"]["annotations"]
    assert set(store.objects[CLASSES]) == set(GKES_CLASSES)


@pytest.mark.parametrize("name", BY_PLUGIN)
def test_multi_networking_makes_nodes_with_a_device_plugin_and_networks(
    name: str, program: Program, store: Store
) -> None:
    made(program, name)
    row = BY_PLUGIN[name]
    for node in store.nodes():
        assert extended(node) == row.extended
        assert labels(node)["node.kubernetes.io/instance-type"] == row.instance_type
        assert labels(node)["cloud.google.com/gke-accelerator"] == row.labels["cloud.google.com/gke-accelerator"]
        assert store.slices(node) == {}
        assert not set(DRANET_LABELS) & set(labels(node))
        assert labels(node)["cloud.google.com/gke-gpu-driver-version"] == "latest"


def test_a_cluster_with_multi_networking_brings_the_kinds_of_its_networks(program: Program, store: Store) -> None:
    plan = planned(variant("multinet"))
    program.create_all(unlocked(plan))
    brought = {(crd["spec"]["names"]["kind"], crd["spec"]["group"]) for crd in store.objects[CRDS].values()}
    assert {(obj["kind"], obj["apiVersion"].partition("/")[0]) for obj in plan.objects} == brought
    program.delete(CLUSTER)
    assert store.objects[CRDS] == {}


def test_without_rdma_there_are_gpus_and_nothing_else(program: Program, store: Store) -> None:
    made(program, "none")
    (one, _) = store.nodes()
    assert extended(one) == {"nvidia.com/gpu": "8"}
    assert store.slices(one) == {}


@pytest.mark.parametrize(("name", "machine"), [("tpu7x", "gke-tpu7x"), ("tpu-v6e", "gke-ct6e")])
def test_a_tpu_host_is_a_slice_of_its_own(name: str, machine: str, program: Program, store: Store) -> None:
    made(program, name)
    row = MACHINES[machine]
    for node in store.nodes("tpu"):
        assert extended(node) == row.extended
        # The zone is the pool's, not that of the table's example.
        own = {key: value for key, value in row.labels.items() if "topology." not in key and "nodepool" not in key}
        assert labels(node).items() >= own.items()
        assert labels(node)["topology.kubernetes.io/zone"] == "us-south1-b"
        assert labels(node)["topology.kubernetes.io/region"] == "us-south1"
        assert [taint["key"] for taint in node["spec"]["taints"]] == ["google.com/tpu"]


def test_the_system_pool_is_one_node_of_its_machine_type(program: Program, store: Store) -> None:
    made(program)
    (node,) = store.nodes("system")
    assert labels(node)["node.kubernetes.io/instance-type"] == "e2-standard-16"
    assert node["status"]["allocatable"].items() >= SYSTEM.allocatable.items()
    assert "taints" not in node["spec"]


def test_what_a_pool_is_told_reaches_its_nodes(program: Program, store: Store) -> None:
    made(program, "told everything")
    node = store.nodes("h200")[0]
    assert labels(node)["team"] == "chat"
    assert [taint["key"] for taint in node["spec"]["taints"]] == ["nvidia.com/gpu", "team"]
    assert len(store.nodes("system")) == 2


def test_an_autoscaled_pool_is_as_large_as_it_may_be(program: Program, store: Store) -> None:
    made(program, "autoscaled")
    assert len(store.nodes()) == 4


@pytest.mark.parametrize(("name", "count"), [("flex-start", 2), ("flex-start of TPUs", 2), ("autoscaled TPUs", 4)])
def test_whatever_bounds_say_it(name: str, count: int) -> None:
    assert node_count(planned(variant(name)).resource(POOL).args) == count


def test_spot_is_said_on_the_node(program: Program, store: Store) -> None:
    made(program, "spot")
    assert labels(store.nodes()[0])["cloud.google.com/gke-spot"] == "true"


# --- what is wrong about a pool is wrong about its nodes -------------------------------------------------------------------

ROW = tuple[str, str, Any, tuple[str, ...], tuple[str, ...]]
#: Variant, the argument, its value, the drivers that are left and the extended resources.
WRONG: list[ROW] = [
    ("dranet", "node_config.labels", {**DRANET_LABELS, "cloud.google.com/gke-networking-dra-driver": "false"},
     ("gpu.nvidia.com",), ()),
    ("dranet", "network_config.accelerator_network_profile", GONE, (), ()),
    ("dranet", "node_config.labels", {k: v for k, v in DRANET_LABELS.items() if k != "nvidia.com/gpu.present"},
     ("dra.net",), ()),
    ("dranet", "node_config.labels", {k: v for k, v in DRANET_LABELS.items() if "nvidia-gpu-dra" not in k}, ("dra.net",), ()),
    ("dranet", "node_config.labels", {k: v for k, v in DRANET_LABELS.items() if "no-default" not in k},
     ("dra.net", "gpu.nvidia.com"), ("nvidia.com/gpu",)),
    ("dranet", "node_config.labels", GONE, (), ("nvidia.com/gpu",)),
    ("dranet", "node_config.guest_accelerators", GONE, ("dra.net",), ()),
    ("none", DRIVER, "INSTALLATION_DISABLED", (), ()),
    ("multinet", DRIVER, "INSTALLATION_DISABLED", (), tuple(sorted(key for key in RDMA.extended if "nvidia" not in key))),
    ("multinet", "network_config.additional_node_network_configs", GONE, (), ("nvidia.com/gpu",)),
    ("none", "node_config.labels", {"gke-no-default-nvidia-gpu-device-plugin": "true"}, (), ()),
]  # fmt: skip


@pytest.mark.parametrize("row", WRONG, ids=lambda row: f"{row[0]} {row[1]} {row[3]} {row[4]}")
def test_a_pool_that_lacks_something_has_nodes_that_lack_it(row: ROW) -> None:
    name, path, value, drivers, resources = row
    plan = planned(variant(name))
    pool = put_in(plan.resource(POOL).args, path.split("."), value)
    machine = machine_of(pool, plan.cluster.args)
    assert tuple(sorted(one.driver for one in machine.slices)) == drivers
    assert tuple(sorted(machine.extended)) == resources


def test_networks_are_nothing_to_a_cluster_without_multi_networking() -> None:
    plan = planned(variant("multinet"))
    cluster = {**plan.cluster.args, "enable_multi_networking": False}
    assert machine_of(plan.resource(POOL).args, cluster).extended == {"nvidia.com/gpu": "8"}


def test_gkes_own_taint_is_there_though_nobody_says_so() -> None:
    for name, key in (("dranet", "nvidia.com/gpu"), ("tpu7x", "google.com/tpu")):
        plan = planned(variant(name))
        pool = put_in(plan.resource(POOL).args, ["node_config", "taints"], GONE)
        assert [taint.key for taint in machine_of(pool, plan.cluster.args).taints] == [key]


@pytest.mark.parametrize("machine_type", ["a4x-highgpu-4g", "tpu7x-standard-9t"])
def test_a_machine_that_is_not_in_the_table_is_not_made_up(machine_type: str, program: Program, store: Store) -> None:
    plan = planned(stack())
    *others, pool = plan.resources
    program.create_all(others)
    other = replace(pool, args=put_in(pool.args, ["node_config", "machine_type"], machine_type))
    with pytest.raises(Failure, match=f'Machine type with name "{machine_type}" does not exist in zone "us-south1-b"'):
        program.create(other)
    assert store.nodes() == []
    assert not any(record.name == POOL for record in program.cloud.records())


def test_nodes_that_never_get_ready_are_not_left_behind(
    program: Program, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "READY_SECONDS", 0)
    *others, pool = planned(stack()).resources
    program.create_all(others)
    store.ready = False
    with pytest.raises(Failure, match="are not Ready after 0 s"):
        program.create(pool)
    assert store.nodes() == []
    assert program.cloud.records()[-1].name == SYSTEM_POOL


def test_a_fleet_that_is_gone_is_said_to_be(program: Program, store: Store) -> None:
    resources = made(program)
    store.gone = True
    with pytest.raises(Failure, match=r"the fleet of the rehearsal failed: .*the API server is away"):
        program.delete(POOL)
    assert len(program.cloud.records()) == len(resources)


# --- changes -------------------------------------------------------------------------------------------------------------


def test_a_pool_grows_and_shrinks(program: Program, store: Store) -> None:
    resources = made(program)
    pool = resources[-1]
    for count in (3, 1, 0, 2):
        program.update(replace(pool, args={**pool.args, "node_count": count}))
        assert len(store.nodes()) == count
        assert len(store.objects[SLICES]) == 2 * count


def test_labels_and_taints_change_on_the_nodes_that_are_there(program: Program, store: Store) -> None:
    pool = made(program)[-1]
    before = {node["metadata"]["name"] for node in store.nodes()}
    for node in store.objects[NODES].values():
        node["metadata"]["uid"] = "kept"
        node["spec"].setdefault("taints", []).append({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"})
    told = put_in(pool.args, ["node_config", "labels"], {**DRANET_LABELS, "team": "chat"})
    told = put_in(told, ["node_config", "taints"], [{"key": "team", "value": "a", "effect": "NO_EXECUTE"}])
    program.update(replace(pool, args=told))
    for node in store.nodes():
        assert labels(node)["team"] == "chat"
        assert [row["key"] for row in node["spec"]["taints"]] == [
            "nvidia.com/gpu",
            "team",
            "node.kubernetes.io/unreachable",
        ]
        assert node["metadata"]["uid"] == "kept"
    assert {node["metadata"]["name"] for node in store.nodes()} == before
    program.update(pool)
    assert not any("team" in labels(node) for node in store.nodes())


def test_another_machine_type_makes_the_nodes_anew(program: Program, store: Store) -> None:
    made(program)
    for node in store.objects[NODES].values():
        node["metadata"]["uid"] = "old"
    system = planned(stack()).resource(SYSTEM_POOL)
    program.update(replace(system, args=put_in(system.args, ["node_config", "machine_type"], "n2-standard-32")))
    (node,) = store.nodes("system")
    assert labels(node)["node.kubernetes.io/instance-type"] == "n2-standard-32"
    assert "uid" not in node["metadata"]


def test_everything_goes_with_what_it_came_with(program: Program, store: Store) -> None:
    resources = made(program)
    program.delete(POOL)
    assert store.nodes() == []
    assert store.objects[SLICES] == {}
    assert len(store.nodes("system")) == 1
    program.delete(CLUSTER)
    assert store.objects == {NODES: {}, SLICES: {}, CLASSES: {}, CRDS: {}}
    for one in reversed(resources):
        program.delete(one.name)
    assert program.cloud.records() == []


def test_what_nobody_made_here_is_left_alone(program: Program, store: Store) -> None:
    (other,) = node_objects(replace(RDMA, labels={"cloud.google.com/gke-nodepool": "gpu"}), "somebodys")
    store.create(NODES, other)
    made(program)
    program.delete(POOL)
    assert next(iter(store.objects[NODES])) == "somebodys"


def test_an_older_cluster_brings_no_classes(program: Program, store: Store) -> None:
    plan = planned(variant("none"))
    older = replace(plan.cluster, args={**plan.cluster.args, "min_master_version": "1.33.5-gke.1000000"})
    program.create_all([older if one is plan.cluster else one for one in plan.resources])
    assert store.objects[CLASSES] == {}


def test_names_of_nodes_are_names(program: Program, store: Store) -> None:
    made(program, "told everything")
    long = planned(stack(gke={"acceleratorPool": {"name": "g" * 40}}, name="n" * 23))
    other = Program(program.cloud.path.with_name("other.json"), fleet=program.world.fleet)
    other.create_all(long.resources)
    assert all(len(name) <= 63 for name in store.objects[NODES])
    assert len({name[:-4] for name in store.objects[NODES]}) == 4
