"""Laws of a GKE plan's node pools: versions, the ways to RDMA, GPUs and places."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hardware.machines import GKE_POOLS, GkePool, RdmaMode
from stacks.clouds.gke.laws.view import Pool, clusters, look_up, name_of, pools
from stacks.clouds.gke.pools import DRANET_LABELS
from stacks.clouds.gke.versions import at_least, parse
from stacks.clouds.laws import broken
from stacks.clouds.resource import Resource
from stacks.findings import Finding

#: Machines whose NICs managed DRANET can hand out (cluster-toolkit).
DRANET_MACHINES = ("a3-", "a4-", "a4x-", "ct6e-", "tpu7x-")
#: Machines of A3 without RDMA: their NICs speak GPUDirect-TCPX.
TCPX_MACHINES = ("a3-highgpu-", "a3-megagpu-")
#: Drivers that GKE installs when a pool says so.
GKES_DRIVERS = ("DEFAULT", "LATEST")
_DRANET_SINCE = "1.34.1-gke.1829001"
_PROFILE, _NICS = "network_config.accelerator_network_profile", "network_config.additional_node_network_configs"


def new_enough_for_gpus(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-01: the first version that has managed DRANET, or the machine set up without it."""
    for pool in pools(resources):
        version = _version(pool)
        if version and pool.dranet and not at_least(version, _DRANET_SINCE):
            yield pool.broken("version", f"managed DRANET needs {_DRANET_SINCE}")
        if not pool.is_tpu:
            yield from _too_old(pool)


def new_enough_for_tpus(resources: Sequence[Resource]) -> Iterator[Finding]:
    """TPU-04: the first version that has the machine."""
    for pool in pools(resources):
        if pool.is_tpu:
            yield from _too_old(pool)


def _too_old(pool: Pool) -> Iterator[Finding]:
    version, since = _version(pool), _since(pool)
    if version and since and not pool.dranet and not at_least(version, since):
        yield pool.broken("version", f"{pool.machine_type} needs {since}")


def _version(pool: Pool) -> str | None:
    """Returns the pool's version if it is a whole one."""
    found: str | None = pool.get("version")
    return found if found is not None and parse(found) else None


def whole_versions(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-17: whole versions, and upgrades as channels want them."""
    channel = any(look_up(cluster.args, "release_channel.channel") for cluster in clusters(resources))
    for pool in pools(resources):
        version = pool.get("version")
        if version is not None and parse(version) is None:
            yield pool.broken("version", f"`{version}` is not a whole version, and would differ for ever")
        if channel and pool.get("management.auto_upgrade") is False:
            yield pool.broken("management.auto_upgrade", "a cluster in a release channel upgrades its nodes")


def _rows(pool: Pool) -> list[GkePool]:
    """Returns the table's rows for the pool's machine."""
    return [row for row in GKE_POOLS.values() if row.machine.instance_type == pool.machine_type]


def _since(pool: Pool) -> str | None:
    """The first version that has the pool's machine, set up without DRANET."""
    way: RdmaMode = "multinet" if pool.nics else "none"
    return next((row.since[way] for row in _rows(pool) if way in row.since), None)


def dataplane(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-02: RDMA needs Dataplane V2."""
    for cluster in clusters(resources) if any(_with_rdma(resources)) else ():
        if cluster.args.get("datapath_provider") != "ADVANCED_DATAPATH":
            yield broken(cluster.name, "datapath_provider", "RDMA needs Dataplane V2, which only a new cluster gets")


def dranet_machines(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-03: machines whose NICs managed DRANET can hand out."""
    for pool in pools(resources):
        if pool.dranet and not pool.machine_type.startswith(DRANET_MACHINES):
            yield pool.broken("node_config.machine_type", f"{pool.machine_type} has no DRANET")


def one_manager_of_nics(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-04: DRANET, or networks of the stack's own."""
    for pool in pools(resources):
        if pool.dranet and pool.nics:
            yield pool.broken(_NICS, f"DRANET ({_PROFILE}) and these networks would manage the same NICs")


def further_networks(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-05: multi-networking in the cluster, and a pool's further networks in order."""
    for pool in pools(resources):
        switched = [bool(cluster.args.get("enable_multi_networking")) for cluster in clusters(resources)]
        if pool.gpus and not pool.dranet and not pool.nics and any(switched):
            yield pool.broken(_NICS, "it has none, in a cluster with enable_multi_networking")
        for cluster, on in zip(clusters(resources), switched, strict=True):
            if pool.nics and not on:
                yield broken(cluster.name, "enable_multi_networking", "the pool has further networks")
            if pool.nics and not _one_and_eight(pool):
                what = "not one gVNIC network and then eight subnets of the RDMA network, in the order of their names"
                yield pool.broken(_NICS, what)


def no_tcpx(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-13: machines of A3 that have RDMA."""
    for pool in _with_rdma(resources):
        if pool.machine_type.startswith(TCPX_MACHINES):
            yield pool.broken("node_config.machine_type", f"{pool.machine_type} has no RDMA")


def dranet_profile(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-25: the one profile of DRANET."""
    for pool in pools(resources):
        if pool.dranet and pool.get(_PROFILE) != "auto":
            yield pool.broken(_PROFILE, f"`{pool.get(_PROFILE)}` is no profile of DRANET's; it is `auto`")


def _with_rdma(resources: Sequence[Resource]) -> Iterator[Pool]:
    """Yields the pools with a way to RDMA."""
    return (pool for pool in pools(resources) if pool.dranet or pool.nics)


def _one_and_eight(pool: Pool) -> bool:
    if not all(nic.get("network") and nic.get("subnetwork") for nic in pool.nics):
        return False
    networks = [name_of(nic["network"]) for nic in pool.nics]
    subnets = [name_of(nic["subnetwork"]) for nic in pool.nics]
    # In this order they are `eth2` to `eth9` on every node.
    in_order = subnets[1:] == sorted(set(subnets[1:]) - {subnets[0]})
    return len(networks) == 9 and networks[0] != networks[1] and len(set(networks[1:])) == 1 and in_order


def labels(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-08: the labels by which DRANET is turned on are all there, or none of them."""
    for pool in pools(resources):
        missing = [key for key, value in DRANET_LABELS.items() if pool.labels.get(key) != value]
        if pool.gpus and pool.dranet and missing:
            what = f"with {_PROFILE}, claims stay Pending without {', '.join(missing)}"
            yield pool.broken("node_config.labels", what)
        idle = [key for key in DRANET_LABELS if key in pool.labels]
        if not pool.dranet and idle:
            yield pool.broken("node_config.labels", f"{', '.join(idle)} on a pool without {_PROFILE}")


def driver(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-07: one installer of the GPUs' driver."""
    field = "node_config.guest_accelerators.gpu_driver_installation_config.gpu_driver_version"
    for pool in pools(resources):
        installed = look_up(pool.gpus, "gpu_driver_installation_config.gpu_driver_version")
        if pool.gpus and pool.dranet and installed != "INSTALLATION_DISABLED":
            yield pool.broken(field, f"with {_PROFILE} the stack's own installer brings it")
        if pool.gpus and not pool.dranet and installed not in GKES_DRIVERS:
            yield pool.broken(field, f"without {_PROFILE} nothing brings it but GKE, by {' or '.join(GKES_DRIVERS)}")


def image_of_gpu_nodes(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-09: the image that has the GPUs' drivers."""
    for pool in pools(resources):
        if pool.gpus and pool.get("node_config.image_type") != "COS_CONTAINERD":
            what = "driver installer and RDMA are of Container-Optimized OS only"
            yield pool.broken("node_config.image_type", what)


def roce_profiles(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-11: a network's RoCE profile of a zone, and one for a pool's RDMA NICs."""
    rdma = {name_of(pool.nics[1]["network"]) for pool in pools(resources) if pool.nics and _one_and_eight(pool)}
    for network in resources:
        if network.type != "compute.Network":
            continue
        profile = network.args.get("network_profile")
        if profile and _zone(profile) is None:
            yield broken(network.name, "network_profile", f"`{profile}` is no RoCE profile of a zone")
        if not profile and network.name in rdma:
            yield broken(network.name, "network_profile", "without one, none of a pool's NICs in it has RDMA")


def _zone(profile: Any) -> str | None:
    """Returns the zone of a RoCE profile."""
    named = re.fullmatch(r"projects/[^/]+/global/networkProfiles/([a-z0-9-]+)-vpc-roce(-metal)?", str(profile))
    return named[1] if named else None


def one_zone(resources: Sequence[Resource]) -> Iterator[Finding]:
    """GKE-10: one zone, in the cluster's region, and the RoCE network's."""
    networks = (found.args.get("network_profile") for found in resources if found.type == "compute.Network")
    roce = [zone for profile in networks if profile and (zone := _zone(profile))]
    for pool in pools(resources):
        zones: Sequence[str] = pool.get("node_locations") or ()
        if not pool.has_accelerators:
            continue
        if len(zones) != 1:
            yield pool.broken("node_locations", f"{len(zones)} zones, and the accelerators' network is in one")
            continue
        if not zones[0].startswith(str(pool.get("location"))):
            yield pool.broken("node_locations", f"{zones[0]} is not in {pool.get('location')}")
        for zone in roce:
            if pool.nics and zone != zones[0]:
                what = f"{zones[0]} is not {zone}, which the RDMA network is in by its network_profile"
                yield pool.broken("node_locations", what)
