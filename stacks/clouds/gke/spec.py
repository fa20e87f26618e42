"""Section `cluster.gke` of a stack file: the GKE cluster that the stack makes, its project, and the kind of capacity.

Facts that follow from the machine (accelerators, local SSDs, topology) are in `hardware.machines`, the arguments of networks and
pools in `stacks.clouds.gke.plan`. Rules that need more than one field are in `stacks.clouds.gke.rules`.
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
    LocalFile,
    NonEmpty,
    Positive,
    Section,
    TimeOfDay,
)

#: Days of the week as RFC 5545 spells them, which Google's recurrences are written in.
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
#: The length of GKE's daily window in hours. GKE does not count a shorter window (GKE docs, maintenance windows).
DAILY_HOURS = 4


class MaintenanceWindow(Section):
    """The time in which GKE may patch the control plane: from `start` (UTC) for `hours`, on `days` of the week or every day.

    Minor versions, and the nodes' versions, change with `version` only.
    """

    # cluster-toolkit's default: night in America, morning in Europe.
    start: TimeOfDay = "09:00"
    days: tuple[Weekday, ...] = ()
    hours: Annotated[int, Field(ge=DAILY_HOURS, le=24)] = DAILY_HOURS


class FlexStart(Section):
    """Flex-start nodes: created when there is capacity, deleted after `maxRunDuration` seconds."""

    # GKE's maximum: 7 days.
    max_run_duration: Positive = 604_800


class Capacity(Section):
    """The source of the accelerator nodes: exactly one of these.

    `reservation`: `projects/P/reservations/NAME`, optionally with a block of it. `onDemand` is usually not available for machines
    with 8 GPUs, so it is not the default and must be stated like the others.
    """

    reservation: NonEmpty | None = None
    spot: bool = False
    flex_start: FlexStart | None = None
    on_demand: bool = False


class Network(Section):
    """The network: `base` holds all addresses of the cluster and must not overlap `peers`, the networks it is connected to."""

    # Enough for 2,048 nodes with 110 pods each.
    base: NonEmpty = "10.0.0.0/12"
    peers: tuple[NonEmpty, ...] = ()


class GkeSystemPool(Section):
    """The CPU nodes, for GKE's own pods and the router. `min` and `max` are the bounds of the autoscaler."""

    # The standalone router requests 12 cores at most (llm-d's GKE guide).
    machine_type: NonEmpty = "e2-standard-16"
    min: Positive = 1
    max: Positive = 3


class GkeAcceleratorPool(AcceleratorPool):
    """The accelerator nodes on GKE. Default of `name`: `gpu` or `tpu`.

    Default of `bootDiskGb`: 200, or 1,000 on TPU hosts, which have no other disk for the model.
    """

    # GKE's smallest boot disk; Google's largest disk of this kind.
    boot_disk_gb: Annotated[int, Field(ge=10, le=65_536)] | None = None


class GpuDriver(Section):
    """Sources of the GPU driver's installer and of the DRA driver in place of their publishers, with `rdma: dranet` only.

    `installer` is a file of Kubernetes objects, `chart` the DRA driver's chart.
    """

    installer: LocalFile | None = None
    chart: Chart | None = None


class Gke(Section):
    """A GKE cluster with its service accounts, networks and node pools.

    `version` is the initial version of the control plane and the nodes; a change of it is an upgrade. Default of `rdma`: `dranet`
    on machines with GPUs, `none` on TPU hosts. On GPUs, `none` means that KV cache travels over TCP.

    `gateways`: whether the cluster can have Gateways of GKE, which have a subnet of their own. Default: true if the stack's
    router is behind one, and in a platform stack, because the stacks that will serve on its nodes are not known.

    `deleteInUse`: a destroy deletes the cluster though others run things in it, and leaves what Google made for them.
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
