"""`cluster.gke` of a stack file: which GKE cluster the stack makes, in whose project, and by which kind of capacity.

Names, not mechanics: what follows from the machine (accelerators, local SSDs, topology) is in `hardware.machines`, what a
network or a pool has to be told for it in `stacks.clouds.gke.plan`. Rules that need more than one field are in
`stacks.clouds.gke.rules`.
"""

from typing import Annotated, Literal

from pydantic import Field

from hardware.machines import RdmaMode
from stacks.clouds.pools import AcceleratorPool
from stacks.schema import (
    Chart,
    GcpProject,
    GcpRegion,
    GcpZone,
    NonEmpty,
    Positive,
    Section,
    TimeOfDay,
)

#: Days of the week as RFC 5545 spells them, which Google's recurrences are written in.
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
#: The length of GKE's daily window in hours. GKE counts no shorter time as availability (GKE docs, maintenance windows).
DAILY_HOURS = 4


class MaintenanceWindow(Section):
    """The time in which GKE may patch the control plane: from `start` (UTC) for `hours`, on `days` of the week or every day.

    Minor versions and nodes change with `version` only.
    """

    # cluster-toolkit's default: night in America, before noon in Europe.
    start: TimeOfDay = "09:00"
    days: tuple[Weekday, ...] = ()
    hours: Annotated[int, Field(ge=DAILY_HOURS, le=24)] = DAILY_HOURS


class FlexStart(Section):
    """Nodes that come when there is capacity, and go after `maxRunDuration` seconds."""

    # The longest that GKE gives: 7 days.
    max_run_duration: Positive = 604_800


class Capacity(Section):
    """Where the accelerator nodes come from, exactly one of these.

    `reservation`: `projects/P/reservations/NAME`, maybe with a block of it. `onDemand` is usually not to be had of machines
    with 8 GPUs, and so has to be said as the others have.
    """

    reservation: NonEmpty | None = None
    spot: bool = False
    flex_start: FlexStart | None = None
    on_demand: bool = False


class Network(Section):
    """All addresses of the cluster are cut from `base`. None overlaps `peers`, the networks it is connected to."""

    # Enough for 2,048 nodes with 110 pods each.
    base: NonEmpty = "10.0.0.0/12"
    peers: tuple[NonEmpty, ...] = ()


class GkeSystemPool(Section):
    """The nodes of everything that needs no accelerator: GKE's own pods, and the router. `min` and `max` are its autoscaler's."""

    # The standalone router asks for 12 cores at most (llm-d's GKE guide).
    machine_type: NonEmpty = "e2-standard-16"
    min: Positive = 1
    max: Positive = 3


class GkeAcceleratorPool(AcceleratorPool):
    """The accelerator nodes on GKE. `name` left out: `gpu` or `tpu`.

    `bootDiskGb` left out: 200, and 1,000 on TPU hosts, which have no other disk for the model.
    """

    # GKE makes no smaller boot disk, Google no larger one of this kind.
    boot_disk_gb: Annotated[int, Field(ge=10, le=65_536)] | None = None


class GpuDriver(Section):
    """Where what installs the GPUs' driver and hands GPUs out comes from, instead of its publisher: with `rdma: dranet` only.

    `installer` is a file of Kubernetes objects, `chart` the DRA driver's chart.
    """

    installer: NonEmpty | None = None
    chart: Chart | None = None


class Gke(Section):
    """A GKE cluster with everything under it: service accounts, networks, node pools.

    `version` is what the control plane and the nodes start with, and a change of it an upgrade. `rdma` left out is `dranet` on
    machines with GPUs and `none` on TPU hosts. On GPUs, `none` means that KV cache travels over TCP.

    `gateways`: whether there can be Gateways of GKE's, which have a subnet of their own. Left out: where the stack's router is
    behind one; and in a platform stack, whose serving stacks are not known.

    `deleteInUse`: a destroy takes the cluster with what others run in it, and leaves what Google made for them.
    """

    project: GcpProject
    region: GcpRegion
    zone: GcpZone
    version: NonEmpty
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    maintenance_window: MaintenanceWindow = MaintenanceWindow()
    rdma: RdmaMode | None = None
    gateways: bool | None = None
    delete_in_use: bool = False
    capacity: Capacity = Capacity()
    network: Network = Network()
    system_pool: GkeSystemPool = GkeSystemPool()
    accelerator_pool: GkeAcceleratorPool = GkeAcceleratorPool()
    gpu_driver: GpuDriver = GpuDriver()
