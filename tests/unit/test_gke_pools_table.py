"""How GKE makes nodes of a machine: rows for all of its machines, in agreement with what such a node shows."""

from math import prod

import pytest

from hardware.machines import GKE_POOLS, MACHINES, TPU_HOSTS, TPU_TOPOLOGIES, GkePool

ROWS = pytest.mark.parametrize("row", GKE_POOLS.values(), ids=GKE_POOLS)


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
        assert TPU_HOSTS[row.machine.instance_type] == row.chips_per_host == row.machine.devices_per_node
        assert prod(map(int, row.topology.split("x"))) == row.chips_per_host
    else:
        assert row.chips_per_host == 0


def test_every_shape_is_known_by_its_dimensions() -> None:
    """Two of TPU v6e, three of TPU7x."""
    assert {shape.count("x") for shape in TPU_TOPOLOGIES["ct6e"]} == {1}
    assert {shape.count("x") for shape in TPU_TOPOLOGIES["tpu7x"]} == {2}
    assert {host.split("-")[0] for host in TPU_HOSTS} == set(TPU_TOPOLOGIES)
