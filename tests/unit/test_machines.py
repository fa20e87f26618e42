"""The machines table: look-ups, and facts that must agree with each other."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import hardware.machines
from hardware.fit.quantities import parse
from hardware.machines import (
    DEVICE_CLASSES,
    MACHINES,
    SYSTEM,
    DeviceSlice,
    Machine,
    UnknownMachineError,
    machine,
    machine_for,
    machines_for,
)
from rehearsal.fleet.nodes import device_class_objects, node_name, node_objects

ACCELERATORS = [row for row in MACHINES.values() if row is not SYSTEM]
DEFAULTS = {
    ("nvidia", "base"): "nvidia-generic",
    ("nvidia", "coreweave"): "coreweave-h200",
    ("nvidia", "gke"): "gke-a3-ultragpu-8g-rdma",
    ("nvidia", "gke-rdma"): "gke-a3-ultragpu-8g-dra",
    ("nvidia", "aws"): "aws-p5en",
    ("tpu", "base"): "gke-tpu7x",
    ("tpu-v6e", "base"): "gke-ct6e",
    ("amd", "base"): "amd-mi300x",
    ("amd", "oci"): "amd-mi300x-oci",
    ("amd", "tensorwave"): "amd-mi300x",
    ("xpu", "base"): "intel-xpu-dra",
    ("xpu", "rdma"): "intel-xpu-rdma-dra",
    ("hpu", "base"): "gaudi-dra",
}


@pytest.mark.parametrize(
    ("pair", "key"), DEFAULTS.items(), ids=lambda value: "/".join(value) if isinstance(value, tuple) else value
)
def test_default_machine_of_a_pair(pair: tuple[str, str], key: str) -> None:
    assert machine_for(*pair).key == key
    assert machines_for(*pair)[0].key == key


def test_only_the_pairs_of_stack_files_are_served() -> None:
    assert {pair for row in MACHINES.values() for pair in row.serves} == set(DEFAULTS)


def test_other_machines_that_serve_a_pair() -> None:
    assert [row.key for row in machines_for("nvidia", "base")] == [
        "nvidia-generic",
        "coreweave-h200",
        "gke-a3-ultragpu-8g-rdma",
        "gke-a4-highgpu-8g-rdma",
        "aws-p5en",
    ]
    assert [row.key for row in machines_for("nvidia", "gke")] == ["gke-a3-ultragpu-8g-rdma", "gke-a4-highgpu-8g-rdma"]
    assert [row.key for row in machines_for("nvidia", "gke-rdma")] == [
        "gke-a3-ultragpu-8g-dra",
        "gke-a4-highgpu-8g-dra",
    ]
    assert [row.key for row in machines_for("amd", "base")] == ["amd-mi300x", "amd-mi300x-oci"]
    assert [row.key for row in machines_for("xpu", "base")] == ["intel-xpu-dra", "intel-xpu-rdma-dra"]
    assert machines_for("tpu", "rdma") == ()


def test_unknown_keys_name_the_known_ones() -> None:
    with pytest.raises(UnknownMachineError, match=r"no machine 'h200'; known: nvidia-generic, .*, system"):
        machine("h200")
    with pytest.raises(UnknownMachineError, match=r"no machine serves tpu/rdma .*tpu/base"):
        machine_for("tpu", "rdma")


def test_every_machine_of_a_provider_file_is_in_the_table() -> None:
    folder = Path(hardware.machines.__file__).parent
    modules = [import_module(f"hardware.machines.{path.stem}") for path in folder.glob("[!_]*.py")]
    rows = [value for module in modules for value in vars(module).values() if isinstance(value, Machine)]
    assert {id(row) for row in rows} == {id(row) for row in MACHINES.values()}
    assert len({row.key for row in rows}) == len({id(row) for row in rows})


@pytest.mark.parametrize(
    ("key", "devices", "memory_gib"),
    [
        ("nvidia-generic", 8, 141),
        ("coreweave-h200", 8, 141),
        ("gke-a3-ultragpu-8g-rdma", 8, 141),
        ("gke-a3-ultragpu-8g-dra", 8, 141),
        ("gke-a4-highgpu-8g-rdma", 8, 179),
        ("gke-a4-highgpu-8g-dra", 8, 179),
        ("aws-p5en", 8, 141),
        ("gke-tpu7x", 4, 192),
        ("gke-ct6e", 8, 32),
        ("amd-mi300x", 8, 192),
        ("amd-mi300x-oci", 8, 192),
        ("intel-xpu-dra", 4, 24),
        ("intel-xpu-rdma-dra", 4, 24),
        ("gaudi-dra", 8, 96),
    ],
)
def test_devices_of_a_node(key: str, devices: int, memory_gib: int) -> None:
    row = machine(key)
    assert row.devices_per_node == devices
    assert row.chip is not None
    assert row.chip.memory_gib == memory_gib
    assert row.chip.memory_source


def test_the_cuda_that_makes_code_for_a_gpu_is_said_of_every_one_of_nvidias() -> None:
    """A GPU's compute capability and the first CUDA that knows it, as NVIDIA's release notes have them."""
    known = {"NVIDIA H200": ("9.0.0", "11.8"), "NVIDIA B200": ("10.0.0", "12.8")}
    for row in ACCELERATORS:
        assert row.chip is not None
        assert row.chip.cuda == known.get(row.chip.product, ("", ""))[1]
        assert bool(row.chip.cuda) == row.chip.product.startswith("NVIDIA")
        for device in row.devices_of("gpu.nvidia.com"):
            assert (device.attributes["cudaComputeCapability"], row.chip.cuda) == known[row.chip.product]
            assert device.attributes["productName"] == row.chip.product


def test_the_memory_that_a_device_publishes_is_its_silicons() -> None:
    """Less what the driver keeps."""
    for row in ACCELERATORS:
        for device in row.devices_of(row.handed_out_as):
            if "memory" in device.capacity:
                assert row.chip is not None
                shown = float(parse(device.capacity["memory"]) / 2**30)
                assert shown == pytest.approx(row.chip.memory_gib, rel=0.01)


def test_the_system_machine_has_no_devices() -> None:
    assert SYSTEM.devices_per_node == 0
    assert (SYSTEM.chip, SYSTEM.serves, SYSTEM.taints) == (None, (), ())


@pytest.mark.parametrize("row", ACCELERATORS, ids=lambda row: row.key)
def test_what_is_handed_out_and_asked_for_exists(row: Machine) -> None:
    named = set(row.extended) | set(row.device_classes)
    assert row.handed_out_as in named
    assert set(row.rdma.asked_as if row.rdma else ()) <= named
    # A DeviceClass nobody publishes devices for is a claim that stays Pending for ever.
    assert all(row.devices_of(name) for name in row.device_classes)


@pytest.mark.parametrize("row", ACCELERATORS, ids=lambda row: row.key)
def test_stated_interfaces_agree_with_what_the_node_publishes(row: Machine) -> None:
    if row.rdma is None or row.rdma.interfaces is None:
        return
    classes = [name for name in row.rdma.asked_as if name in row.device_classes]
    published = [
        device for name in classes for device in row.devices_of(name) if device.attributes["dra.net/rdma"] is True
    ]
    assert row.rdma.interfaces == len(published) + sum(
        int(row.extended[name]) for name in row.rdma.asked_as if name in row.extended
    )


def test_device_classes_match_as_their_cel_says() -> None:
    row = machine("gke-a3-ultragpu-8g-dra")
    assert len(row.devices_of("gpu.nvidia.com")) == 8
    assert [device.attributes["dra.net/ifName"] for device in row.devices_of("netdev.google.com")] == ["eth1"]
    assert len(row.devices_of("mrdma.google.com")) == 8
    assert len(machine("intel-xpu-rdma-dra").devices_of("rdma-dranet")) == 5  # the class alone also selects eno1
    assert row.devices_of("gpu.intel.com") == ()
    assert (
        DEVICE_CLASSES["mrdma.google.com"].expression
        == "device.driver == 'dra.net' && device.attributes['dra.net'].rdma == true"
    )
    assert DEVICE_CLASSES["gpu.nvidia.com"].expression == (
        "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'"
    )


def test_every_device_class_comes_with_some_machine() -> None:
    assert {name for row in MACHINES.values() for name in row.device_classes} == set(DEVICE_CLASSES)


def test_a_row_that_misses_a_column_is_refused() -> None:
    short = DeviceSlice("d", "{bus}", columns=("bus", "root"), rows=(("17",),), attributes={})
    with pytest.raises(ValueError, match="shorter"):
        short.devices()


@pytest.mark.parametrize("row", MACHINES.values(), ids=lambda row: row.key)
def test_names_and_labels_are_legal(row: Machine) -> None:
    name = node_name(row, 99)
    assert name == f"sim-{row.key}-99"
    assert len(name) <= 63  # it is also the value of the hostname label
    assert all(len(value) <= 63 for value in row.all_labels.values())
    assert all(len(device.name) <= 63 for devices in row.slices for device in devices.devices())


def test_rendered_objects_are_not_shared() -> None:
    first, second = (node_objects(SYSTEM, name) for name in ("a", "b"))
    first[0]["metadata"]["labels"]["x"] = "y"
    first[0]["status"]["allocatable"]["cpu"] = "0"
    assert "x" not in second[0]["metadata"]["labels"]
    assert SYSTEM.allocatable["cpu"] == "15890m"


def test_an_unknown_device_class_is_refused() -> None:
    with pytest.raises(KeyError, match=r"gpu\.example\.com"):
        device_class_objects(["gpu.example.com"])


def test_hardware_facts_import_nothing_heavy() -> None:
    """`check` has half a second for everything: the facts must come with the standard library alone."""
    code = (
        "import sys, hardware.fit.fit, rehearsal.fleet.nodes; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert not {"pulumi", "kubernetes", "yaml", "pydantic"} & set(loaded.stdout.split())
