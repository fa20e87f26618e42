"""Laws of a GKE plan's node pools: versions, the ways to RDMA, GPUs and places."""

import re
from collections.abc import Callable, Iterator, Sequence

from hardware.machines import GKE_POOLS, GkePool, RdmaMode
from stacks.clouds.gke.laws.view import Broken, Pool, clusters, look_up, name_of, pools
from stacks.clouds.gke.pools import DRANET_LABELS
from stacks.clouds.gke.versions import at_least, parse
from stacks.clouds.resource import Resource

Check = Callable[[Sequence[Resource]], Iterator[Broken]]

#: Machines whose NICs managed DRANET can hand out (cluster-toolkit).
DRANET_MACHINES = ("a3-", "a4-", "a4x-", "ct6e-", "tpu7x-")
#: Machines of A3 without RDMA: their NICs speak GPUDirect-TCPX.
TCPX_MACHINES = ("a3-highgpu-", "a3-megagpu-")
#: Drivers that GKE installs when a pool says so.
GKES_DRIVERS = ("DEFAULT", "LATEST")
_DRANET_SINCE = "1.34.1-gke.1829001"
_PROFILE, _NICS = "network_config.accelerator_network_profile", "network_config.additional_node_network_configs"


def versions(resources: Sequence[Resource]) -> Iterator[Broken]:
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
    """Returns the table's rows for the pool's machine."""
    return [row for row in GKE_POOLS.values() if row.machine.instance_type == pool.machine_type]


def _since(pool: Pool) -> str | None:
    """The first version that has the pool's machine, set up without DRANET."""
    way: RdmaMode = "multinet" if pool.nics else "none"
    return next((row.since[way] for row in _rows(pool) if way in row.since), None)


def rdma(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-02, GKE-03, GKE-04, GKE-05, GKE-13, GKE-25: what the ways to RDMA need and where they cannot be."""
    for pool in pools(resources):
        if not pool.dranet and not pool.nics:
            if pool.gpus and any(cluster.args.get("enable_multi_networking") for cluster in clusters(resources)):
                yield pool.broken("GKE-05", _NICS, "it has none, in a cluster with enable_multi_networking")
            continue
        if pool.machine_type.startswith(TCPX_MACHINES):
            yield pool.broken("GKE-13", "node_config.machine_type", f"{pool.machine_type} has no RDMA")
        if pool.dranet and pool.nics:
            yield pool.broken("GKE-04", _NICS, f"DRANET ({_PROFILE}) and these networks would manage the same NICs")
        if pool.dranet and pool.get(_PROFILE) != "auto":
            yield pool.broken("GKE-25", _PROFILE, f"`{pool.get(_PROFILE)}` is no profile of DRANET's; it is `auto`")
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
        what = "not one gVNIC network and then eight subnets of the RDMA network, in the order of their names"
        yield pool.broken("GKE-05", _NICS, what)


def _one_and_eight(pool: Pool) -> bool:
    if not all(nic.get("network") and nic.get("subnetwork") for nic in pool.nics):
        return False
    networks = [name_of(nic["network"]) for nic in pool.nics]
    subnets = [name_of(nic["subnetwork"]) for nic in pool.nics]
    # In this order they are `eth2` to `eth9` on every node.
    in_order = subnets[1:] == sorted(set(subnets[1:]) - {subnets[0]})
    return len(networks) == 9 and networks[0] != networks[1] and len(set(networks[1:])) == 1 and in_order


def labels(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-08: the labels by which DRANET is turned on are all there, or none of them."""
    for pool in pools(resources):
        missing = [key for key, value in DRANET_LABELS.items() if pool.labels.get(key) != value]
        if pool.gpus and pool.dranet and missing:
            what = f"with {_PROFILE}, claims stay Pending without {', '.join(missing)}"
            yield pool.broken("GKE-08", "node_config.labels", what)
        idle = [key for key in DRANET_LABELS if key in pool.labels]
        if not pool.dranet and idle:
            yield pool.broken("GKE-08", "node_config.labels", f"{', '.join(idle)} on a pool without {_PROFILE}")


def gpu_nodes(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-07, GKE-09: the driver of GPUs, and the image of their nodes."""
    for pool in pools(resources):
        if not pool.gpus:
            continue
        driver = look_up(pool.gpus, "gpu_driver_installation_config.gpu_driver_version")
        field = "node_config.guest_accelerators.gpu_driver_installation_config.gpu_driver_version"
        if pool.dranet and driver != "INSTALLATION_DISABLED":
            yield pool.broken("GKE-07", field, f"with {_PROFILE} the stack's own installer brings it")
        if not pool.dranet and driver not in GKES_DRIVERS:
            what = f"without {_PROFILE} nothing brings it but GKE, by {' or '.join(GKES_DRIVERS)}"
            yield pool.broken("GKE-07", field, what)
        if pool.get("node_config.image_type") != "COS_CONTAINERD":
            what = "driver installer and RDMA are of Container-Optimized OS only"
            yield pool.broken("GKE-09", "node_config.image_type", what)


def places(resources: Sequence[Resource]) -> Iterator[Broken]:
    """GKE-10: one zone, in the cluster's region, and the RoCE network's. GKE-11: that network's profile, and its name."""
    roce: list[str] = []
    for network in resources:
        profile = network.args.get("network_profile") if network.type == "compute.Network" else None
        if not profile:
            continue
        if named := re.fullmatch(r"projects/[^/]+/global/networkProfiles/([a-z0-9-]+)-vpc-roce(-metal)?", str(profile)):
            roce.append(named[1])
        else:
            yield Broken("GKE-11", network.name, "network_profile", f"`{profile}` is no RoCE profile of a zone")
    rdma = {name_of(pool.nics[1]["network"]) for pool in pools(resources) if pool.nics and _one_and_eight(pool)}
    for network in resources:
        if network.type == "compute.Network" and network.name in rdma and not network.args.get("network_profile"):
            yield Broken("GKE-11", network.name, "network_profile", "without one, none of a pool's NICs in it has RDMA")
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
                yield pool.broken(
                    "GKE-10",
                    "node_locations",
                    f"{zones[0]} is not {zone}, which the RDMA network is in by its network_profile",
                )
