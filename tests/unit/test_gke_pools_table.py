"""How GKE makes nodes of a machine: rows for all of its machines, in agreement with what such a node shows."""

import re
from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from hardware.machines import GKE_POOLS, MACHINES, TPU_HOSTS, GkePool, machine_for

DOCS = (Path(__file__).parents[2] / "docs" / "gke.md").read_text()
ROWS = pytest.mark.parametrize("row", GKE_POOLS.values(), ids=GKE_POOLS)

#: Topologies of a slice by machine family. TPU7x has more, with multiples of 4 in every dimension (cluster-toolkit).
TPU_TOPOLOGIES = {
    "tpu7x": ("2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4", "4x4x8", "4x8x8", "8x8x8", "8x8x16", "8x16x16"),
    "ct6e": ("1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"),
}


def test_every_machine_of_gke_has_a_row() -> None:
    assert set(GKE_POOLS) == {key for key, machine in MACHINES.items() if machine.provider == "gke"}


@ROWS
def test_a_row_is_of_a_gpu_or_of_a_tpu_and_says_what_the_node_shows(row: GkePool) -> None:
    labels = row.machine.labels
    assert bool(row.gpu) != bool(row.topology)
    assert row.gpu == labels.get("cloud.google.com/gke-accelerator", "")
    assert row.topology == labels.get("cloud.google.com/gke-tpu-topology", "")
    assert labels["cloud.google.com/gke-accelerator-count"] == str(row.machine.devices_per_node)
    assert (row.local_ssds > 0) == ("cloud.google.com/gke-ephemeral-storage-local-ssd" in labels)


def test_nothing_but_the_gpu_and_what_follows_from_it_tells_a4_from_a3_ultra() -> None:
    for way in ("dra", "rdma"):
        a3, a4 = (GKE_POOLS[f"gke-{kind}-8g-{way}"] for kind in ("a3-ultragpu", "a4-highgpu"))
        theirs = {"machine": a4.machine, "gpu": a4.gpu, "quota": a4.quota, "spot_quota": a4.spot_quota}
        assert replace(a3, **theirs, since=a4.since) == a4
        assert (a3.gpu, a4.gpu) == ("nvidia-h200-141gb", "nvidia-b200")
        assert [*a3.since] == [*a4.since]


@ROWS
def test_the_quota_of_a_pool_is_that_of_its_devices(row: GkePool) -> None:
    kind, _, family = row.quota.partition(" of ")
    if row.gpu:
        model = row.gpu.removeprefix("nvidia-").partition("-")[0].upper()
        assert (kind, family) == ("GPUS_PER_GPU_FAMILY", f"NVIDIA_{model}")
        assert row.spot_quota == f"PREEMPTIBLE_NVIDIA_{model}_GPUS"
    else:
        assert (kind, family.lower()) == ("TPUS_PER_TPU_FAMILY", row.machine.instance_type.split("-")[0])


@ROWS
def test_the_ways_to_the_nics_are_those_the_node_shows(row: GkePool) -> None:
    dranet = "cloud.google.com/gke-networking-dra-driver" in row.machine.labels
    networks = any(name.startswith("networking.gke.io") for name in row.machine.extended)
    assert [*row.since] == (["dranet"] if dranet else ["multinet", "none"] if networks else ["none"])
    assert row.rdma == ("dranet" if row.gpu else "none")


@ROWS
def test_a_tpu_host_is_a_slice_of_its_own(row: GkePool) -> None:
    if row.topology:
        family = row.machine.instance_type.split("-")[0]
        assert row.topology in TPU_TOPOLOGIES[family]
        chips = prod(map(int, row.topology.split("x")))
        assert TPU_HOSTS[row.machine.instance_type] == row.machine.devices_per_node == chips
    else:
        assert row.machine.instance_type not in TPU_HOSTS


def test_every_shape_is_known_by_its_dimensions() -> None:
    """Two of TPU v6e, three of TPU7x."""
    assert {shape.count("x") for shape in TPU_TOPOLOGIES["ct6e"]} == {1}
    assert {shape.count("x") for shape in TPU_TOPOLOGIES["tpu7x"]} == {2}
    assert {host.split("-")[0] for host in TPU_HOSTS} == set(TPU_TOPOLOGIES)


@ROWS
def test_the_docs_say_what_the_table_says(row: GkePool) -> None:
    (line,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{row.machine.key}` |")]
    _, _, node, purpose, ways, since, flex, quota, _ = line.split("|")
    assert node.strip().startswith(f"`{row.machine.instance_type}`, {row.machine.devices_per_node} ")
    assert row.topology in node
    assert re.findall(r"`(\w+)`", ways) == [*row.since]
    assert {since.strip()} == {*row.since.values()}
    assert flex.strip() == row.flex_since
    plain = quota.replace("`", "").strip()
    assert plain == row.quota + (f"; spot: {row.spot_quota}" if row.spot_quota else "")
    accelerators = {accelerator for accelerator, _ in row.machine.serves}
    fabrics = [fabric for _, fabric in row.machine.serves]
    said = [word.rpartition(" ")[2] for word in re.findall(r"`([^`]+)`", purpose)]
    assert said == fabrics if accelerators == {"nvidia"} else said[0] in accelerators


def test_the_docs_list_the_machines_in_the_order_they_are_chosen_in() -> None:
    listed = re.findall(r"^\| `(gke-[\w-]+)` \|", DOCS, re.MULTILINE)
    assert set(listed) == set(GKE_POOLS)
    for pair in {pair for row in GKE_POOLS.values() for pair in row.machine.serves}:
        assert next(key for key in listed if pair in MACHINES[key].serves) == machine_for(*pair, "gke").key
