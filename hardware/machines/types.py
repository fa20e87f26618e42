"""The types that describe a machine: frozen dataclasses, and the expansion of a slice's rows into devices.

A machine is a node shape of a provider as Kubernetes shows it. The figures are in the provider files beside this one.
Leaves out Kubernetes' field names, which `rehearsal.fleet.nodes` writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hardware.machines.device_classes import DEVICE_CLASSES


class Version(str):
    """A device attribute of Kubernetes' type `version` instead of `string`."""


class Cell(str):
    """A device attribute with the value and type of the row's cell in this column."""


Attribute = str | int | bool


@dataclass(frozen=True)
class SliceDevice:
    """One device of a ResourceSlice."""

    driver: str
    name: str
    attributes: Mapping[str, Attribute]
    capacity: Mapping[str, str]


@dataclass(frozen=True)
class DeviceSlice:
    """The devices that one DRA driver publishes for a node: a row per device with its differences, the rest once.

    In `name` and in attributes that are plain strings, `{column}` is the row's cell and `{index}` the row's number.
    """

    driver: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Attribute, ...], ...]
    attributes: Mapping[str, Attribute]
    capacity: Mapping[str, str] = field(default_factory=dict)

    def devices(self) -> tuple[SliceDevice, ...]:
        """Expands the rows. Raises ValueError for a row that is longer or shorter than the columns."""
        tables = [dict(zip(self.columns, row, strict=True)) | {"index": index} for index, row in enumerate(self.rows)]
        return tuple(
            SliceDevice(
                self.driver,
                self.name.format_map(cells),
                {name: _filled(value, cells) for name, value in self.attributes.items()},
                self.capacity,
            )
            for cells in tables
        )


def _filled(value: Attribute, cells: Mapping[str, Attribute]) -> Attribute:
    if isinstance(value, Cell):
        return cells[value]
    if isinstance(value, Version) or not isinstance(value, str):
        return value
    return value.format_map(cells)


@dataclass(frozen=True)
class Chip:
    """One accelerator device, independent of how Kubernetes hands it out."""

    product: str
    memory_gib: float
    memory_source: str
    #: The first CUDA version that compiles for it (NVIDIA's release notes): images built with an older one have no code for it.
    #: Empty for devices of other vendors.
    cuda: str = ""


@dataclass(frozen=True)
class Rdma:
    """The RDMA network of a machine."""

    link: str
    #: Extended resources or the DeviceClass that a pod requests. Empty: Kubernetes does not hand the interfaces out.
    asked_as: tuple[str, ...]
    #: Interfaces per node and Gbit/s of each; None: no source.
    interfaces: int | None
    gbit_per_interface: int | None
    note: str


@dataclass(frozen=True)
class Taint:
    """A node taint."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class Machine:
    """A node shape of a provider."""

    key: str
    title: str
    provider: str
    instance_type: str
    #: CPU, memory, ephemeral storage (and hugepages): of the node, and for pods. Kubernetes quantities.
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    #: The accelerator device; None: a machine without accelerator.
    chip: Chip | None = None
    #: The extended resource or the DeviceClass by which a pod requests one device.
    handed_out_as: str = ""
    #: Extended resources of device plugins, with their quantities.
    extended: Mapping[str, str] = field(default_factory=dict)
    #: Devices published by DRA drivers.
    slices: tuple[DeviceSlice, ...] = ()
    #: DeviceClasses of this machine's drivers.
    device_classes: tuple[str, ...] = ()
    #: Labels beside those of every node (architecture, host name, instance type).
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    rdma: Rdma | None = None
    #: (accelerator, fabric) pairs of stack files that this machine can serve.
    serves: tuple[tuple[str, str], ...] = ()
    #: The maximum number of pods per node: the default of Kubernetes and of GKE.
    pods: int = 110
    os_image: str = "Ubuntu 22.04"
    #: Figures above that were inferred, not read from a node or a provider's page.
    assumptions: tuple[str, ...] = ()

    @property
    def all_labels(self) -> dict[str, str]:
        """All labels of a node except its host name."""
        return {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": self.instance_type,
            **self.labels,
        }

    @property
    def devices_per_node(self) -> int:
        """The number of accelerator devices of one node."""
        if self.chip is None:
            return 0
        if self.handed_out_as in self.extended:
            return int(self.extended[self.handed_out_as])
        return len(self.devices_of(self.handed_out_as))

    def devices_of(self, device_class: str) -> tuple[SliceDevice, ...]:
        """Returns the node's devices in a DeviceClass: none if the machine's drivers do not bring the class."""
        return self._devices_by_class.get(device_class, ())

    @cached_property
    def _devices_by_class(self) -> Mapping[str, tuple[SliceDevice, ...]]:
        devices = [device for devices in self.slices for device in devices.devices()]
        return {
            name: tuple(device for device in devices if DEVICE_CLASSES[name].matches(device.driver, device.attributes))
            for name in self.device_classes
        }
