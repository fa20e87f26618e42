"""Laws of a GKE plan: what the plan makes impossible, checked over its arguments by the ids of the rules.

What a stack file alone can get wrong is in `stacks.gke_rules`. These are for whoever changes the plan, and for a pretend cloud
that judges what a program registered: every check is a function of resources, whatever made them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from hardware.machines import GKE_POOLS, GkePool, RdmaMode
from releases.gke import DRA_DRIVER, DRIVER_ROOT
from stacks.cloud import Resource
from stacks.gke import GkePlan
from stacks.gke_capacity_checks import CAPACITY_CHECKS
from stacks.gke_network_checks import NETWORK_CHECKS, inside, overlaps
from stacks.gke_pools import DRANET_LABELS
from stacks.gke_versions import at_least, parse
from stacks.gke_view import Broken, Pool, clusters, look_up, pools
from stacks.router import HelmRelease

Check = Callable[[Sequence[Resource]], Iterator[Broken]]

#: Machines whose NICs managed DRANET can hand out (cluster-toolkit).
DRANET_MACHINES = ("a3-", "a4-", "a4x-", "ct6e-", "tpu7x-")
#: Machines of A3 without RDMA: their NICs speak GPUDirect-TCPX.
TCPX_MACHINES = ("a3-highgpu-", "a3-megagpu-")
_DRANET_SINCE = "1.34.1-gke.1829001"
_SWITCH = "cloud.google.com/gke-networking-dra-driver"


def plan_problems(plan: GkePlan) -> list[Broken]:
    """Every law that a plan breaks."""
    network = plan.site.gke.network
    found = [
        *resource_problems(plan.resources),
        *overlaps(plan.resources, network.peers),
        *inside(plan.resources, network.base),
    ]
    if plan.objects and any(pool.dranet for pool in pools(plan.resources)):
        found.append(Broken("GKE-04", "objects", "kind", "Network objects beside a pool whose NICs DRANET manages"))
    return found + [problem for chart in plan.charts for problem in chart_problems(chart)]


def resource_problems(resources: Sequence[Resource]) -> list[Broken]:
    """Every law that resources break, whatever made them."""
    return list(chain.from_iterable(check(resources) for check in CHECKS))


def crd_problems(plan: GkePlan, installed: Iterable[str]) -> Iterator[Broken]:
    """GKE-16: CRDs that a stack would install and the cluster brings, two owners of one."""
    for name in sorted(plan.brought_crds.intersection(installed)):
        yield Broken("GKE-16", name, "metadata.name", f"GKE {plan.site.gke.version} keeps it itself")


def chart_problems(chart: HelmRelease) -> Iterator[Broken]:
    """GKE-14: what the GPU's DRA driver needs on Container-Optimized OS."""
    if chart.name != DRA_DRIVER:
        return
    if look_up(chart.values, "nvidiaDriverRoot") != DRIVER_ROOT:
        yield Broken("GKE-14", chart.name, "nvidiaDriverRoot", f"the driver is in {DRIVER_ROOT}")
    if look_up(chart.values, "kubeletPlugin.priorityClassName") != "":
        what = "a priority class that is refused outside kube-system, where no ResourceQuota allows it"
        yield Broken("GKE-14", chart.name, "kubeletPlugin.priorityClassName", what)


def _versions(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-01, TPU-04: the first version that has a machine so. GKE-17: whole versions, and upgrades as channels want them."""
    channel = any(look_up(cluster.args, "release_channel.channel") for cluster in clusters(resources))
    for pool in pools(resources):
        version = pool.get("version")
        if version is not None and parse(version) is None:
            yield pool.broken("GKE-17", "version", f"`{version}` is not a whole version, and would differ for ever")
        elif version is not None:
            if pool.dranet and not at_least(version, _DRANET_SINCE):
                yield pool.broken("GKE-01", "version", f"managed DRANET needs {_DRANET_SINCE}")
            since = _since(pool)
            if since and not pool.dranet and not at_least(version, since):
                yield pool.broken(
                    "TPU-04" if pool.is_tpu else "GKE-01", "version", f"{pool.machine_type} needs {since}"
                )
        if channel and pool.get("management.auto_upgrade") is False:
            yield pool.broken("GKE-17", "management.auto_upgrade", "a cluster in a release channel upgrades its nodes")


def _rows(pool: Pool) -> list[GkePool]:
    """What the table knows of the pool's machine."""
    return [row for row in GKE_POOLS.values() if row.machine.instance_type == pool.machine_type]


def _since(pool: Pool) -> str | None:
    """The first version that has the pool's machine, set up without DRANET."""
    way: RdmaMode = "multinet" if pool.nics else "none"
    return next((row.since[way] for row in _rows(pool) if way in row.since), None)


def _rdma(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-02, GKE-03, GKE-04, GKE-05, GKE-06, GKE-13: what the ways to RDMA need and where they cannot be."""
    for pool in pools(resources):
        if not pool.dranet and not pool.nics:
            continue
        if pool.machine_type.startswith(TCPX_MACHINES):
            yield pool.broken("GKE-13", "node_config.machine_type", f"{pool.machine_type} has no RDMA")
        if pool.dranet and pool.nics:
            field = "network_config.additional_node_network_configs"
            yield pool.broken("GKE-04", field, "DRANET and these networks would manage the same NICs")
        if pool.dranet and not pool.machine_type.startswith(DRANET_MACHINES):
            yield pool.broken("GKE-03", "node_config.machine_type", f"{pool.machine_type} has no DRANET")
        for cluster in clusters(resources):
            yield from _rdma_in(cluster, pool)


def _rdma_in(cluster: Resource, pool: Pool) -> Iterator[Broken]:
    args = cluster.args
    if args.get("datapath_provider") != "ADVANCED_DATAPATH":
        yield Broken(
            "GKE-02", cluster.name, "datapath_provider", "RDMA needs Dataplane V2, which only a new cluster gets"
        )
    if pool.nics and not args.get("enable_multi_networking"):
        yield Broken("GKE-05", cluster.name, "enable_multi_networking", "the pool has further networks")
    if pool.nics and not _one_and_eight(pool):
        field = "network_config.additional_node_network_configs"
        yield pool.broken("GKE-05", field, "not one gVNIC network and then eight subnets of the RDMA network")
    if not pool.dranet:
        return
    for field in ("enable_autopilot", "cluster_autoscaling"):
        if args.get(field):
            yield Broken("GKE-06", cluster.name, field, "GPUs are not handed out by DRA there")
    for field in ("gpu_partition_size", "gpu_sharing_config"):
        if pool.gpus.get(field):
            what = "GPUs handed out by DRA are whole ones"
            yield pool.broken("GKE-06", f"node_config.guest_accelerators.{field}", what)


def _one_and_eight(pool: Pool) -> bool:
    networks = [str(nic.get("network")) for nic in pool.nics]
    subnets = {str(nic.get("subnetwork")) for nic in pool.nics}
    return len(networks) == 9 == len(subnets) and networks[0] != networks[1] and len(set(networks[1:])) == 1


def _gpu_nodes(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-07, GKE-08, GKE-09: driver, labels and image of nodes with GPUs."""
    for pool in pools(resources):
        if not pool.gpus:
            continue
        disabled = look_up(pool.gpus, "gpu_driver_installation_config.gpu_driver_version") == "INSTALLATION_DISABLED"
        field = "node_config.guest_accelerators.gpu_driver_installation_config.gpu_driver_version"
        if disabled != pool.dranet:
            what = (
                "the stack's own installer brings the driver" if pool.dranet else "nothing else would bring the driver"
            )
            yield pool.broken("GKE-07", field, what)
        missing = [key for key, value in DRANET_LABELS.items() if pool.labels.get(key) != value]
        if pool.dranet and missing:
            yield pool.broken("GKE-08", "node_config.labels", f"claims stay Pending without {', '.join(missing)}")
        if not pool.dranet and _SWITCH in pool.labels:
            yield pool.broken("GKE-08", "node_config.labels", f"{_SWITCH} on a pool without an accelerator profile")
        if pool.get("node_config.image_type") != "COS_CONTAINERD":
            what = "driver installer and RDMA are of Container-Optimized OS only"
            yield pool.broken("GKE-09", "node_config.image_type", what)


def _own_gpus(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-23: a machine type comes with GPUs of one kind, and with all of them."""
    for pool in pools(resources):
        row = next((row for row in _rows(pool) if row.gpu and pool.gpus), None)
        if row is None:
            continue
        whole = {"type": row.gpu, "count": row.machine.devices_per_node}
        for key in (key for key, value in whole.items() if pool.gpus.get(key) != value):
            what = f"{pool.machine_type} has {whole['count']} {row.gpu}"
            yield pool.broken("GKE-23", f"node_config.guest_accelerators.{key}", what)


def _places(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-10: one zone, in the cluster's region, and the RoCE network's. GKE-11: the name of that network's profile."""
    roce: list[str] = []
    for network in resources:
        profile = network.args.get("network_profile") if network.type == "compute.Network" else None
        if not profile:
            continue
        if named := re.fullmatch(r"projects/[^/]+/global/networkProfiles/([a-z0-9-]+)-vpc-roce(-metal)?", str(profile)):
            roce.append(named[1])
        else:
            yield Broken("GKE-11", network.name, "network_profile", f"`{profile}` is no RoCE profile of a zone")
    for pool in pools(resources):
        zones: Sequence[str] = pool.get("node_locations") or ()
        if not pool.has_accelerators:
            continue
        if len(zones) != 1:
            yield pool.broken(
                "GKE-10", "node_locations", f"{len(zones)} zones, and the accelerators' network is in one"
            )
            continue
        if not zones[0].startswith(str(pool.get("location"))):
            yield pool.broken("GKE-10", "node_locations", f"{zones[0]} is not in {pool.get('location')}")
        for zone in roce:
            if pool.nics and zone != zones[0]:
                yield pool.broken("GKE-10", "node_locations", f"the RDMA network is in {zone}, and not in {zones[0]}")


CHECKS: tuple[Check, ...] = (_versions, _rdma, _gpu_nodes, _own_gpus, _places, *CAPACITY_CHECKS, *NETWORK_CHECKS)
