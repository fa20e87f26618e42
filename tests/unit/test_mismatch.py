"""Reasons for pending pods: nodes are read back as the machines they are, and the nearest one says what to change."""

from dataclasses import replace
from typing import Any

import pytest

from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import DEVICE_CLASSES, MACHINES, SYSTEM, Machine, Taint
from rehearsal.fleet.nodes import device_class_objects, machine_of_node, node_objects
from rehearsal.verdict.mismatch import machines_of, mismatches, nearest

GPUS = MACHINES["nvidia-generic"]
FLAVOR = "backend.coreweave.cloud/flavor"


@pytest.mark.parametrize("key", MACHINES)
def test_a_node_is_read_back_as_its_machine(key: str) -> None:
    machine = MACHINES[key]
    node, *slices = node_objects(machine, "n")
    read = machine_of_node(node, slices, machine.device_classes)
    assert read.all_labels.items() >= machine.all_labels.items()
    assert (read.instance_type, read.taints, read.pods) == (machine.instance_type, machine.taints, machine.pods)
    assert (read.allocatable, read.extended) == (machine.allocatable, machine.extended)
    for name in machine.device_classes:
        theirs = {(device.driver, device.name): dict(device.attributes) for device in machine.devices_of(name)}
        assert {(device.driver, device.name): dict(device.attributes) for device in read.devices_of(name)} == theirs


def test_braces_in_a_devices_words_are_words() -> None:
    node, *slices = node_objects(MACHINES["gke-a3-ultragpu-8g-dra"], "n")
    slices[0]["spec"]["devices"][0]["attributes"]["brand"] = {"string": "{index} }{"}
    read = machine_of_node(node, slices, ["gpu.nvidia.com", "theirs.example.com"])
    assert read.devices_of("gpu.nvidia.com")[0].attributes["brand"] == "{index} }{"
    assert read.device_classes == ("gpu.nvidia.com",)


def live(*machines: tuple[str, Machine]) -> list[Machine]:
    objects = [obj for name, machine in machines for obj in node_objects(machine, name)]
    return machines_of(
        [obj for obj in objects if obj["kind"] == "Node"],
        [obj for obj in objects if obj["kind"] == "ResourceSlice"],
        device_class_objects(DEVICE_CLASSES),
    )


def test_the_nearest_node_is_that_with_the_hardware() -> None:
    pod = PodRequest(1, resources={"nvidia.com/gpu": 4}, node_selector={"team": "chat"})
    tainted = replace(GPUS, taints=(Taint("team", "chat", "NoExecute"),), labels={**GPUS.labels, "team": ""})
    assert nearest(pod, live(("system", SYSTEM), ("gpu-0", tainted), ("gpu-1", tainted))) == (
        f"nearest comes node gpu-0 and 1 more (machine type {GPUS.instance_type}): its label team is empty, and the pods select "
        "chat; the pods do not tolerate its taint team=chat:NoExecute"
    )
    assert "it has no label team, and the pods select chat" in nearest(pod, live(("gpu-0", GPUS)))


def test_nodes_that_are_as_near_are_all_named() -> None:
    found = nearest(PodRequest(1, resources={"rdma/ib": 1}), live(("system", SYSTEM), ("gpu-0", GPUS)))
    assert found.split("; ") == [
        "nearest comes node system (machine type system): of rdma/ib it has 0, and a pod asks for 1".replace(
            "type system", f"type {SYSTEM.instance_type}"
        ),
        f"nearest comes node gpu-0 (machine type {GPUS.instance_type}): of rdma/ib it has 0, and a pod asks for 1",
    ]


def test_nothing_is_said_where_a_node_would_do_or_there_is_none() -> None:
    pod = PodRequest(1, resources={"nvidia.com/gpu": 4})
    assert nearest(pod, live(("system", SYSTEM), ("gpu-0", GPUS))) == ""
    assert nearest(pod, ()) == ""


def deployment(**pod: Any) -> dict[str, Any]:
    container = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    return {
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": {"spec": {"containers": [container], **pod}}},
    }


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    rows = [{"matchExpressions": [term]} for term in terms]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": rows}}}


def test_required_affinity_is_a_label_too() -> None:
    wanted = {"key": FLAVOR, "operator": "In", "values": ["infiniband", "roce"]}
    (pod,) = pod_requests([deployment(affinity=affinity(wanted)) | {"kind": "Deployment"}])
    machine = MACHINES["coreweave-h200"]
    assert nearest(pod, live(("a", machine))) == ""
    ethernet = replace(machine, labels={**machine.labels, FLAVOR: "ethernet"})
    assert f"its label {FLAVOR} is ethernet, and the pods select infiniband or roce" in nearest(
        pod, live(("a", ethernet))
    )


def test_affinity_that_leaves_a_choice_is_the_schedulers() -> None:
    one, other = {"key": "a", "operator": "In", "values": ["1"]}, {"key": "b", "operator": "In", "values": ["1"]}
    for terms in ([one, other], [{"key": "a", "operator": "Exists"}]):
        (pod,) = pod_requests([deployment(affinity=affinity(*terms)) | {"kind": "Deployment"}])
        assert pod.node_affinity == {}


class Cluster:
    """Answers with lists, as an API server: without the kind of what is in them."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists, self.asked = lists, 0

    def items(self, path: str) -> list[dict[str, Any]]:
        self.asked += 1
        found = self.lists.get(path.rpartition("/")[2], [])
        return [{key: value for key, value in item.items() if key != "kind"} for item in found]


REFUSED = {"d": "0/1 nodes are available: 1 node(s) had a novel idea."}


def test_a_cluster_is_asked_only_about_pods_that_were_refused() -> None:
    node, *_ = node_objects(GPUS, "gpu-0")
    cluster = Cluster(nodes=[node])
    assert mismatches(cluster, "ns", [deployment()], {}) == {}  # type: ignore[arg-type]
    assert cluster.asked == 0
    found = mismatches(cluster, "ns", [deployment(nodeSelector={"a": "b"})], REFUSED)  # type: ignore[arg-type]
    assert found == {"d": nearest(PodRequest(1, node_selector={"a": "b"}), live(("gpu-0", GPUS)))}
    assert mismatches(cluster, "ns", [deployment()], REFUSED) == {}  # type: ignore[arg-type]
    uncounted = deployment(resourceClaims=[{"name": "c", "resourceClaimName": "somebodys"}])
    assert mismatches(cluster, "ns", [uncounted], REFUSED) == {}  # type: ignore[arg-type]
