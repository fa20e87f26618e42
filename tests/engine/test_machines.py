"""Every combination of the guides on its machine, and the five pairs that do not fit: placed and refused by the real
scheduler, devices handed out by its own DRA plugin.

How a stack is removed is not tested here, and waiting for it is what would take the time: Kubernetes begins to empty a
namespace 5 s after it was deleted. So a test ends by deleting its Deployments, and the namespace is left to itself.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from hardware.fit.quantities import parse
from hardware.machines import MACHINES, SYSTEM, Machine, SliceDevice
from rehearsal.fleet import fleet
from rehearsal.fleet.nodes import device_class_objects
from rehearsal.verdict.verdict import Verdict, verdict_of
from rehearsal.verdict.watch import stuck
from stacks.file.load import load
from stacks.findings import StackFileError
from tests.engine.harness import Stack
from tests.engine.waiting import PATIENCE
from tests.parity.overlays import OVERLAYS

DRA = "/apis/resource.k8s.io/v1"
PCIE_ROOT = "resource.kubernetes.io/pcieRoot"

#: (accelerator, engine, fabric) -> machine, how many of it, and prefill and decode as (pods, devices of each).
PLACES: dict[tuple[str, str, str], tuple[str, int, tuple[int, int], tuple[int, int]]] = {
    ("nvidia", "vllm", "base"): ("nvidia-generic", 2, (8, 1), (2, 4)),
    ("nvidia", "vllm", "coreweave"): ("coreweave-h200", 2, (8, 1), (2, 4)),
    ("nvidia", "vllm", "gke"): ("gke-a3-ultragpu-8g-rdma", 2, (8, 1), (2, 4)),
    ("nvidia", "vllm", "gke-rdma"): ("gke-a3-ultragpu-8g-dra", 2, (8, 1), (2, 4)),
    ("nvidia", "vllm", "aws"): ("aws-p5en", 2, (8, 1), (2, 4)),
    ("nvidia", "sglang", "base"): ("nvidia-generic", 2, (8, 1), (2, 4)),
    ("nvidia", "sglang", "coreweave"): ("coreweave-h200", 2, (8, 1), (2, 4)),
    ("nvidia", "sglang", "gke"): ("gke-a3-ultragpu-8g-rdma", 2, (8, 1), (2, 4)),
    ("nvidia", "sglang", "gke-rdma"): ("gke-a3-ultragpu-8g-dra", 2, (8, 1), (2, 4)),
    ("nvidia", "sglang", "aws"): ("aws-p5en", 2, (2, 4), (2, 4)),
    ("tpu", "vllm", "base"): ("gke-tpu7x", 2, (1, 4), (1, 4)),
    ("tpu-v6e", "vllm", "base"): ("gke-ct6e", 2, (1, 8), (1, 8)),
    ("amd", "vllm", "base"): ("amd-mi300x", 1, (4, 1), (1, 4)),
    ("amd", "vllm", "oci"): ("amd-mi300x-oci", 1, (4, 1), (1, 4)),
    ("amd", "vllm", "tensorwave"): ("amd-mi300x", 1, (4, 1), (1, 4)),
    ("xpu", "vllm", "base"): ("intel-xpu-dra", 1, (3, 1), (1, 1)),
    ("xpu", "vllm", "rdma"): ("intel-xpu-rdma-dra", 1, (3, 1), (1, 1)),
    ("hpu", "vllm", "base"): ("gaudi-dra", 1, (4, 1), (1, 4)),
}


#: Rows with one node more than the pods need. On AWS pods take a large share of a node's memory, and the scheduler weighs that
#: more than even roles: prefill pods that come before the decode pods can leave no four devices on either of two nodes (seen in
#: 2 of 4 orders of arrival; on the other machines in none).
SPARE = {("nvidia", "vllm", "aws")}
#: The first release that has it: where pods go does not depend on it.
RELEASE = {row.choice: row.release for row in reversed(OVERLAYS)}


def test_every_overlay_has_its_place() -> None:
    assert RELEASE.keys() == PLACES.keys()


@pytest.mark.parametrize("choice", PLACES, ids="-".join)
def test_placed_on_its_machine(stack: Callable[..., Stack], choice: tuple[str, str, str]) -> None:
    accelerator, engine, fabric = choice
    key, count, *roles = PLACES[choice]
    count += choice in SPARE
    machine = MACHINES[key]
    deployed = stack(
        f"place-{list(PLACES).index(choice)}",
        serving={"accelerator": accelerator, "engine": engine, "fabric": fabric},
        release=RELEASE[choice],
        **({"cluster": {"nodes": count}} if choice in SPARE else {}),
    )
    assert fleet.machines_of(deployed.serving_blueprint) == {machine.key: count, SYSTEM.key: 1}
    if count > 1 and len({each for _, each in roles}) > 1:
        # On nodes that are exactly full, small pods may take a device too many of each for the last large one, for ever.
        deployed.config["cluster"] = {"nodes": count + 1}
    deployed.nodes()

    assert deployed.up().code == 0

    namespace = f"ns-{deployed.name}"
    verdict = verdict_of(deployed.api, namespace)
    assert verdict.passed, (verdict.refusals(), verdict.missing)
    pods = deployed.api.items(f"/api/v1/namespaces/{namespace}/pods?labelSelector=llm-d.ai/guide%3D{deployed.name}")
    assert len(pods) == len(verdict.pods) - 1  # the other is the router's
    assert Counter(pod["metadata"]["labels"]["llm-d.ai/role"] for pod in pods) == dict(
        zip(("prefill", "decode"), (number for number, _ in roles), strict=True)
    )
    assert (
        _labels(deployed.api.get(f"/api/v1/namespaces/{namespace}")).items()
        >= _labels(deployed.serving_blueprint.namespace()).items()
    )
    machines = {
        node["metadata"]["name"]: node["metadata"]["labels"]["node.kubernetes.io/instance-type"]
        for node in deployed.api.items("/api/v1/nodes")
    }
    assert {machines[pod["spec"]["nodeName"]] for pod in pods} == {machine.instance_type}

    devices = sum(number * each for number, each in roles)
    if machine.slices:
        claims = deployed.api.items(f"{DRA}/namespaces/{namespace}/resourceclaims")
        assert verdict.claims == len(claims) == (devices if fabric == "gke-rdma" else len(pods))
        assert _handed_out_by_claims(claims, pods, machine) == devices
    else:
        assert verdict.claims == 0
        assert sum(_handed_out_by_plugin(pods, machine).values()) == devices


def _labels(obj: dict[str, Any] | None) -> dict[str, str]:
    assert obj is not None
    labels: dict[str, str] = obj["metadata"].get("labels", {})
    return labels


def _handed_out_by_plugin(pods: list[Any], machine: Machine) -> Counter[str]:
    """Devices in use per node, by the pods' requests for the machine's extended resource."""
    used: Counter[str] = Counter()
    for pod in pods:
        for container in pod["spec"]["containers"]:
            asked = container.get("resources", {}).get("requests", {}).get(machine.handed_out_as, "0")
            used[pod["spec"]["nodeName"]] += int(parse(asked))
    assert all(number <= machine.devices_per_node for number in used.values()), used
    return used


def _handed_out_by_claims(claims: list[Any], pods: list[Any], machine: Machine) -> int:
    """Accelerator devices allocated, each seen to exist, to be where its pod runs, and to be nobody else's."""
    there = {(device.driver, device.name): device for part in machine.slices for device in part.devices()}
    accelerators = {(device.driver, device.name) for device in machine.devices_of(machine.handed_out_as)}
    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods}
    taken: list[tuple[str, str, str]] = []
    for claim in claims:
        user = claim["status"]["reservedFor"]
        assert [row["resource"] for row in user] == ["pods"]
        results = claim["status"]["allocation"]["devices"]["results"]
        assert {row["pool"] for row in results} == {nodes[user[0]["name"]]}
        taken += [(row["pool"], row["driver"], row["device"]) for row in results]
        _on_one_root([there[row["driver"], row["device"]] for row in results], machine)
    assert len(set(taken)) == len(taken), "a device was allocated twice"
    return sum((driver, name) in accelerators for _, driver, name in taken)


def _on_one_root(devices: list[SliceDevice], machine: Machine) -> None:
    """Where NICs are claimed too: one per accelerator, an RDMA one, on the accelerator's own PCIe root."""
    if machine.rdma is None:
        return
    drivers = Counter(device.driver for device in devices)
    assert drivers == {machine.devices_of(machine.handed_out_as)[0].driver: 1, "dra.net": 1}
    assert len({device.attributes[PCIE_ROOT] for device in devices}) == 1
    assert all(device.attributes["dra.net/rdma"] is True for device in devices if device.driver == "dra.net")


def test_gaudi_namespace_admits_its_privileged_pods(stack: Callable[..., Stack]) -> None:
    """Asked of Pod Security itself: on a cluster that enforces its baseline, the label is what lets the pods in."""
    deployed = stack("privileged", serving={"accelerator": "hpu"})
    deployed.nodes()
    pod = next(
        obj["spec"]["template"] for obj in deployed.serving_blueprint.model_server if obj["kind"] == "Deployment"
    )
    ours = deployed.serving_blueprint.namespace()
    baseline = {"metadata": {"name": "ns-baseline", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}
    for namespace in (baseline, ours):
        deployed.api.create("/api/v1/namespaces", namespace)
        place = f"/api/v1/namespaces/{namespace['metadata']['name']}"
        deployed.api.create(f"{place}/serviceaccounts", {"metadata": {"name": pod["spec"]["serviceAccountName"]}})

    named = {**pod, "metadata": {**pod["metadata"], "name": "one"}}
    assert deployed.api.create("/api/v1/namespaces/ns-privileged/pods?dryRun=All", named)
    with pytest.raises(ApiException, match="privileged"):
        deployed.api.create("/api/v1/namespaces/ns-baseline/pods?dryRun=All", named)
    deployed.api.delete("/api/v1/namespaces/ns-baseline")


@dataclass(frozen=True)
class Mismatch:
    """A combination on machines that cannot hold it: what `check` says of which keys, what the scheduler says, and what
    of it must be named in plain words."""

    accelerator: str
    fabric: str
    machine: str
    nodes: int
    pods: int
    keys: tuple[str, ...]
    finding: str
    scheduler: str
    named: str
    #: DeviceClasses somebody installed although no driver on these machines publishes devices for them.
    classes: tuple[str, ...] = ()
    #: How many of the pods run all the same, at least and at most.
    running: tuple[int, int] = (0, 0)


MISMATCHES = {
    "device plugin pods on DRA nodes": Mismatch(
        "nvidia", "gke", "gke-a3-ultragpu-8g-dra", 2, 10,
        ("serving.prefill.devices", "serving.decode.devices"), "nvidia.com/gpu: a pod asks for 1, a node has 0",
        "Insufficient nvidia.com/gpu", "nvidia.com/gpu",
    ),
    "InfiniBand on machines without": Mismatch(
        "nvidia", "coreweave", "nvidia-generic", 2, 10, ("serving.fabric",), "rdma/ib: a pod asks for 1, a node has 0",
        "Insufficient rdma/ib", "rdma/ib",
    ),
    "one node too few": Mismatch(
        # Two decode pods fill the node, or one and four prefill pods, or eight prefill pods: the first ones.
        "nvidia", "coreweave", "coreweave-h200", 1, 10, ("cluster.nodes",), "1 node of coreweave-h200",
        "Insufficient nvidia.com/gpu", "nvidia.com/gpu", running=(2, 8),
    ),
    "NICs on machines without": Mismatch(
        "xpu", "rdma", "intel-xpu-dra", 1, 4, ("serving.fabric",), "rdma-dranet: a pod asks for 1, a node has 0",
        "cannot allocate all claims", "no devices that satisfy the pod's claims", classes=("rdma-dranet",),
    ),
    "NICs on machines without, nor their driver": Mismatch(
        "xpu", "rdma", "intel-xpu-dra", 1, 4, ("serving.fabric",), "rdma-dranet: a pod asks for 1, a node has 0",
        "device class rdma-dranet does not exist", "rdma-dranet is not installed",
    ),
    "another generation of TPU": Mismatch(
        "tpu", "base", "gke-ct6e", 2, 2, ("cluster.machine",), "cloud.google.com/gke-tpu-accelerator: a pod asks for tpu7x",
        "didn't match Pod's node affinity/selector", "labels",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISMATCHES.values(), ids=MISMATCHES)
def test_refused_before_it_is_tried(tmp_path: Path, case: Mismatch) -> None:
    file = tmp_path / "Pulumi.mismatch.yaml"
    config = {
        "llmd-pd:cluster": {"machine": case.machine, "nodes": case.nodes},
        "llmd-pd:serving": {"accelerator": case.accelerator, "fabric": case.fabric},
    }
    file.write_text(yaml.safe_dump({"config": config}))
    with pytest.raises(StackFileError) as refused:
        load(file)
    problems = refused.value.problems
    assert {problem.rule for problem in problems} == {"FIT-01"}
    assert {f"llmd-pd:{key}" for key in case.keys} <= {problem.path for problem in problems}
    sentence = next(str(problem) for problem in problems if case.finding in problem.what)
    assert case.machine in sentence
    assert "Pending for ever" in sentence


@pytest.mark.parametrize("case", MISMATCHES.values(), ids=MISMATCHES)
def test_refused_by_the_scheduler(stack: Callable[..., Stack], case: Mismatch, request: pytest.FixtureRequest) -> None:
    # The machine is not in the stack file: its rules would refuse before the scheduler is asked.
    deployed = stack(
        f"mismatch-{list(MISMATCHES).index(request.node.callspec.id)}",
        serving={"accelerator": case.accelerator, "fabric": case.fabric, "wait": False},
        router={"wait": False},
    )
    fleet.fit_to(deployed.api, {case.machine: case.nodes, SYSTEM.key: 1})
    for device_class in device_class_objects(case.classes):
        deployed.api.create(f"{DRA}/deviceclasses", device_class)

    assert deployed.up().code == 0

    verdict = _settled(deployed, case.pods)
    assert not verdict.passed
    fewest, most = case.running
    assert fewest <= sum(pod.ready for pod in verdict.pods) - 1 <= most  # less the router
    refusals = verdict.refusals()
    assert refusals
    for refusal in refusals:
        assert case.scheduler in refusal.said
        assert case.named in refusal.why
        assert case.scheduler not in refusal.why
        assert "nodes are available" not in refusal.why
        assert "reemption" not in f"{refusal.why} {refusal.said}"  # there is nobody to preempt
        assert " pending" in refusal.what


def _settled(stack: Stack, pods: int) -> Verdict:
    """The verdict once the scheduler has had its say about every pod, the router's included."""
    deadline = time.monotonic() + PATIENCE
    while True:
        verdict = verdict_of(stack.api, f"ns-{stack.name}")
        if len(verdict.pods) == pods + 1 and stuck(verdict):
            return verdict
        assert time.monotonic() < deadline, verdict
        time.sleep(0.2)
