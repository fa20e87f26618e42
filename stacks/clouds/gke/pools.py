"""The node pools of a GKE cluster: CPU nodes first, then the accelerators, all in one zone.

Differences between machines are rows of `hardware.machines.gke_pools`; differences between the ways to RDMA, and between kinds of
capacity, are tables here. Every TPU host is a slice of its own; slices of several hosts are not made.
"""

from collections.abc import Mapping
from typing import Any

from hardware.machines import RdmaMode
from stacks.clouds.gke.access import ACCOUNT
from stacks.clouds.gke.cluster import CLUSTER, SCOPES
from stacks.clouds.gke.networks import GVNIC, RDMA, rdma_parts
from stacks.clouds.gke.settings import Settings
from stacks.clouds.gke.spec import Capacity
from stacks.clouds.pools import PoolKey
from stacks.clouds.resource import Ref, Resource, Timeouts

SYSTEM = "system"
#: Labels that turn on managed DRANET, hand out GPUs by DRA alone, and admit the GPU's DRA driver to the nodes (llm-d's GKE
#: guide, a run on A3 Ultra).
DRANET_LABELS = {
    "cloud.google.com/gke-networking-dra-driver": "true",
    "cloud.google.com/gke-nvidia-gpu-dra-driver": "true",
    "gke-no-default-nvidia-gpu-device-plugin": "true",
    "nvidia.com/gpu.present": "true",
}
LABELS: Mapping[RdmaMode, Mapping[str, str]] = {"dranet": DRANET_LABELS, "multinet": {}, "none": {}}
#: With DRA the stack installs the driver (`stacks.clouds.gke.addons`), else GKE does.
DRIVER: Mapping[RdmaMode, str] = {"dranet": "INSTALLATION_DISABLED", "multinet": "LATEST", "none": "LATEST"}
RESERVATION_KEY = "compute.googleapis.com/reservation-name"
#: The effects of a taint: Kubernetes' names, and GKE's.
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
#: GKE needs this long to create many large machines, and to release their NICs.
_PATIENCE = Timeouts(create="120m", update="120m", delete="120m")
#: Blocks that the plan never sets and that GKE may return for accelerators: the placement of TPU hosts, the maintenance of
#: reserved hosts. The provider's schema has them as Optional, not Computed, ForceNew: a later preview would replace the pool.
UNSAID = ("placementPolicy", "nodeConfig.hostMaintenancePolicy")


def system_pool(settings: Settings) -> Resource:
    """Returns the pool of CPU nodes; GKE's autoscaler sets their number."""
    stated = settings.gke.system_pool
    args = {
        "autoscaling": {"total_min_node_count": stated.min, "total_max_node_count": stated.max},
        "management": {"auto_repair": True, "auto_upgrade": True},
        "node_config": {"machine_type": stated.machine_type, "image_type": "COS_CONTAINERD", **_every_node(settings)},
        "network_config": {"enable_private_nodes": True},
    }
    title = "Nodes of everything that needs no accelerator"
    return _pool(settings, SYSTEM, "systemPool", SYSTEM, title, args, ignore_changes=("nodeCount",))


def accelerator_pool(settings: Settings) -> Resource:
    """Returns the pool of the model servers' nodes. An upgrade adds no surge nodes, because there is no spare capacity."""
    sized, flex = _size(settings), settings.gke.capacity.flex_start
    args = {
        **sized,
        # Nodes that exist for days only need no repair, and flex-start does not allow it.
        "management": {"auto_repair": flex is None, "auto_upgrade": True},
        "upgrade_settings": {"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1},
        "node_drain_configs": [{"respect_pdb_during_node_pool_deletion": False}],
        "node_config": _accelerator_node(settings),
        "network_config": {"enable_private_nodes": True, **_nics(settings)},
    }
    name = settings.gke.accelerator_pool.name or settings.pool.name
    title = f"Nodes of the model servers: {settings.machine.title}"
    ignored = (*UNSAID, *(("nodeCount",) if "autoscaling" in sized else ()))
    return _pool(settings, "accelerators", "acceleratorPool", name, title, args, (settings.named(SYSTEM),), ignored)


def _size(settings: Settings) -> dict[str, Any]:
    """Returns the number of nodes, or the bounds of an autoscaler; with flex-start it starts at none."""
    bounds, flex = settings.gke.accelerator_pool.autoscaling, settings.gke.capacity.flex_start
    if bounds is None and flex is None:
        return {"node_count": settings.nodes}  # per zone, of which there is one
    numbers = (bounds.min, bounds.max) if bounds else (0, settings.nodes)
    return {"autoscaling": {**dict(zip(settings.pool.bounds, numbers, strict=True)), "location_policy": "ANY"}}


def _accelerator_node(settings: Settings) -> dict[str, Any]:
    pool, stated = settings.pool, settings.gke.accelerator_pool
    driver = {"gpu_driver_version": DRIVER[settings.rdma]}
    gpus = {"type": pool.gpu, "count": pool.machine.devices_per_node, "gpu_driver_installation_config": driver}
    labels = {**stated.labels, **LABELS[settings.rdma]}
    return {
        "machine_type": pool.machine.instance_type,
        # Only this image has the RDMA drivers and the preinstalled GPU driver.
        "image_type": "COS_CONTAINERD",
        "boot_disk": {"disk_type": "hyperdisk-balanced", "size_gb": stated.boot_disk_gb or pool.boot_disk_gb},
        "taints": [
            {"key": taint.key, "value": taint.value, "effect": EFFECTS[taint.effect]}
            for taint in settings.machine.taints
        ],
        **({"labels": labels} if labels else {}),
        **({"guest_accelerators": [gpus]} if pool.gpu else {}),
        # Set, though GKE would find the number: a value that GKE fills in looks like a change that replaces the pool.
        **({"ephemeral_storage_local_ssd_config": {"local_ssd_count": pool.local_ssds}} if pool.local_ssds else {}),
        **({"linux_node_config": {"sysctls": dict(pool.sysctls)}} if pool.sysctls else {}),
        **_every_node(settings),
        **capacity(settings.gke.capacity),
    }


def _every_node(settings: Settings) -> dict[str, Any]:
    return {
        "service_account": Ref(settings.named(ACCOUNT), "email"),
        "oauth_scopes": [*SCOPES],
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "metadata": {"disable-legacy-endpoints": "true"},
        # On the system pool too, as in cluster-toolkit: C3, C4 and N4 have no other NIC, so GKE returns it even if it is not
        # set, and the provider's schema has it as Optional, not Computed.
        "gvnic": {"enabled": True},
    }


def capacity(stated: Capacity) -> dict[str, Any]:
    """Returns the arguments for the source of the nodes and for the reservation that they consume.

    All sources except `reservation` state that they use no reservation. Without that, a node takes any open reservation of the
    project, and the value that GKE fills in would replace the pool: the provider has it as Optional, not Computed, ForceNew.
    cluster-toolkit states it for every pool.
    """
    no_reservation = {"reservation_affinity": {"consume_reservation_type": "NO_RESERVATION"}}
    if stated.reservation:
        kind = {"consume_reservation_type": "SPECIFIC_RESERVATION", "key": RESERVATION_KEY}
        return {"reservation_affinity": {**kind, "values": [stated.reservation]}}
    if stated.spot:
        return {"spot": True, **no_reservation}
    if stated.flex_start:
        return {"flex_start": True, "max_run_duration": f"{stated.flex_start.max_run_duration}s", **no_reservation}
    return no_reservation


def _nics(settings: Settings) -> dict[str, Any]:
    """Returns the arguments for the machine's further NICs, in the order of their names on a node, `eth1` to `eth9`."""
    ways: Mapping[RdmaMode, dict[str, Any]] = {
        "dranet": {"accelerator_network_profile": "auto"},
        "multinet": {
            "additional_node_network_configs": [
                {"network": Ref(settings.named(network), "name"), "subnetwork": Ref(settings.named(subnet), "name")}
                for network, subnet in [
                    (f"{GVNIC}-network", GVNIC),
                    *((f"{RDMA}-network", part) for part in rdma_parts()),
                ]
            ]
        },
        "none": {},
    }
    return ways[settings.rdma]


def _pool(
    settings: Settings,
    part: str,
    key: PoolKey,
    name: str,
    title: str,
    args: dict[str, Any],
    after: tuple[str, ...] = (),
    ignore_changes: tuple[str, ...] = (),
) -> Resource:
    return Resource(
        name=settings.named(part),
        type="container.NodePool",
        title=title,
        args={
            "project": settings.project,
            "name": name,
            "cluster": Ref(settings.named(CLUSTER)),
            "location": settings.gke.region,
            "node_locations": [settings.gke.zone],
            "version": settings.gke.version,
            **args,
        },
        after=after,
        protect=settings.protect and key not in settings.allow_replace,
        ignore_changes=ignore_changes,
        timeouts=_PATIENCE,
        # The new pool would need the same name and the same capacity.
        delete_before_replace=True,
    )
