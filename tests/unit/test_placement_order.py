"""Pods that fit their nodes together and are pending all the same: told apart from pods that do not fit."""

from typing import Any

import pytest

from hardware.fit.requests import ClaimRequest, PodRequest, Toleration
from hardware.machines import MACHINES, SYSTEM
from rehearsal.fleet.nodes import node_objects
from rehearsal.verdict.mismatch import mismatches
from rehearsal.verdict.placement_order import STRANDED, can_strand, fit_together
from tests.unit.test_mismatch import Cluster

GPUS, BY_CLAIMS = MACHINES["nvidia-generic"], MACHINES["gke-a3-ultragpu-8g-dra"]
NO_GPU = "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient nvidia.com/gpu."


def gpus(count: int, each: int) -> PodRequest:
    return PodRequest(count, {"cpu": "8", "nvidia.com/gpu": str(each)})


@pytest.mark.parametrize(
    ("pods", "nodes", "fits", "luck"),
    [
        ([gpus(8, 1), gpus(2, 4)], 2, True, True),  # the guide on two nodes: five and three leave no four
        ([gpus(8, 1), gpus(2, 4)], 3, True, False),  # ten one-GPU pods would be needed to keep a four off three nodes
        ([gpus(8, 1), gpus(2, 4)], 1, False, False),  # that is no luck
        ([gpus(2, 4), gpus(2, 4)], 2, True, False),  # equal sizes leave no gaps
        ([gpus(4, 1), gpus(1, 4)], 1, True, False),
        ([gpus(3, 1), gpus(1, 8)], 2, True, True),
        ([gpus(16, 1)], 2, True, False),
    ],
)
def test_a_placement_can_be_unlucky_where_small_pods_can_take_a_part_of_every_node(
    pods: list[PodRequest], nodes: int, fits: bool, luck: bool
) -> None:
    assert fit_together(pods, [GPUS] * nodes) is fits
    assert can_strand(pods, GPUS, nodes) is luck


def test_nodes_of_several_machines_count_each_for_itself() -> None:
    router = PodRequest(1, {"cpu": "4"})
    assert fit_together([gpus(8, 1), gpus(2, 4), router], [SYSTEM, GPUS, GPUS])
    assert not fit_together([gpus(8, 1), gpus(2, 4), gpus(1, 1)], [SYSTEM, GPUS, GPUS])


def deployment(name: str, replicas: int, devices: int, **limits: str) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": str(devices), **limits}
    pod = {"containers": [{"name": "c", "resources": {"limits": limits}}]}
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"replicas": replicas, "template": {"spec": pod}}}


def cluster(count: int, *, cordoned: bool = False) -> Any:
    nodes = [node_objects(GPUS, f"gpu-{index}")[0] for index in range(count)]
    nodes[0]["spec"]["unschedulable"] = cordoned
    return Cluster(nodes=nodes)


GUIDE = [deployment("prefill", 8, 1), deployment("decode", 2, 4)]


def test_the_verdict_says_that_it_was_luck() -> None:
    assert mismatches(cluster(2), "ns", GUIDE, {"decode": NO_GPU}) == {"decode": STRANDED}


@pytest.mark.parametrize(
    ("nodes", "deployments", "said"),
    [
        (cluster(1), GUIDE, NO_GPU),  # they do not fit, in whatever order
        (cluster(2, cordoned=True), GUIDE, NO_GPU),
        (cluster(2), [*GUIDE, deployment("other", 1, 1)], NO_GPU),
        (cluster(2), GUIDE, "0/2 nodes are available: 2 Too many pods."),  # of that nothing is known here
    ],
    ids=["too few nodes", "a cordoned node", "too many pods", "another reason"],
)
def test_it_does_not_say_so_of_anything_else(nodes: Any, deployments: list[dict[str, Any]], said: str) -> None:
    assert mismatches(nodes, "ns", deployments, {"decode": said}) == {}


def test_devices_by_claims_are_counted_as_well() -> None:
    def claims(count: int, each: int) -> PodRequest:
        claim = ClaimRequest({"gpu.nvidia.com": 1})
        return PodRequest(count, claims=(claim,) * each, tolerations=(Toleration("nvidia.com/gpu"),))

    assert can_strand([claims(8, 1), claims(2, 4)], BY_CLAIMS, 2)
    assert not can_strand([claims(8, 1), claims(2, 4)], BY_CLAIMS, 3)
