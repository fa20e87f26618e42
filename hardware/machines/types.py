"""The words a machine is described in: frozen dataclasses, and the expansion of a slice's rows into its devices.

A machine is a node shape of a provider as Kubernetes shows it. Owns no figures: those are in the provider files beside
this one. Leaves out Kubernetes' own field names, which `rehearsal.fleet.nodes` writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from hardware.machines.device_classes import DEVICE_CLASSES


class Version(str):
    """A device attribute of Kubernetes' type `version`, not `string`."""


class Cell(str):
    """A device attribute that takes the row's cell of this column as it is, keeping its type."""


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
    """The devices one DRA driver publishes of a node, as rows: what differs between them; the rest is said once.

    In `name` and in attributes that are plain strings, `{column}` is the row's cell and `{index}` the row's number.
    """

    driver: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Attribute, ...], ...]
    attributes: Mapping[str, Attribute]
    capacity: Mapping[str, str] = field(default_factory=dict)

    def devices(self) -> tuple[SliceDevice, ...]:
        """The rows, expanded. Raises ValueError for a row that is longer or shorter than the columns."""
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
class Silicon:
    """What one device is, whichever way Kubernetes hands it out."""

    product: str
    memory_gib: float
    memory_source: str
    #: The first CUDA whose compiler makes code for it (NVIDIA's release notes): images built with an older one have none that
    #: would run. Empty for what is not NVIDIA's.
    cuda: str = ""


@dataclass(frozen=True)
class Rdma:
    """How KV cache can leave this machine without the kernel's TCP."""

    link: str
    #: Extended resources or DeviceClass a pod asks for. Empty: nothing to ask, the link is not handed out.
    asked_as: tuple[str, ...]
    #: Interfaces per node and Gbit/s of each; None where no source says.
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
    #: CPU, memory, ephemeral storage (and hugepages) the node has, and what of it pods may use: Kubernetes quantities.
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]
    #: What one accelerator device is; None for a machine without accelerator.
    silicon: Silicon | None = None
    #: The extended resource or the DeviceClass by which a pod asks for one device.
    handed_out_as: str = ""
    #: Extended resources (device plugins), a quantity each.
    extended: Mapping[str, str] = field(default_factory=dict)
    #: What DRA drivers publish.
    slices: tuple[DeviceSlice, ...] = ()
    #: DeviceClasses that come with this machine's drivers.
    device_classes: tuple[str, ...] = ()
    #: Labels beyond those every node has (architecture, host name, instance type).
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    rdma: Rdma | None = None
    #: (accelerator, fabric) pairs of stack files this machine can serve.
    serves: tuple[tuple[str, str], ...] = ()
    #: How many pods a kubelet takes, whatever their size: Kubernetes' default and GKE's.
    pods: int = 110
    os_image: str = "Ubuntu 22.04"
    #: Figures above that were inferred and not read from a node or a provider's page.
    assumptions: tuple[str, ...] = ()

    @property
    def all_labels(self) -> dict[str, str]:
        """Every label of such a node but its host name."""
        return {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": self.instance_type,
            **self.labels,
        }

    @property
    def devices_per_node(self) -> int:
        """Accelerator devices of one node."""
        if self.silicon is None:
            return 0
        if self.handed_out_as in self.extended:
            return int(self.extended[self.handed_out_as])
        return len(self.devices_of(self.handed_out_as))

    def devices_of(self, device_class: str) -> tuple[SliceDevice, ...]:
        """This node's devices a claim for this class can get: none if the machine's drivers don't bring the class."""
        return self._devices_by_class.get(device_class, ())

    @cached_property
    def _devices_by_class(self) -> Mapping[str, tuple[SliceDevice, ...]]:
        devices = [device for devices in self.slices for device in devices.devices()]
        return {
            name: tuple(device for device in devices if DEVICE_CLASSES[name].matches(device.driver, device.attributes))
            for name in self.device_classes
        }
