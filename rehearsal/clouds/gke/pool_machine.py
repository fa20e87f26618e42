"""A node pool's arguments as the machine of its nodes: as GKE understands them, not as they were meant.

Devices come from the table of machines. Whether a node shows them depends on the pool: a missing label, driver or network removes
the devices that depend on it. Left out: an autoscaler's decisions (pools of accelerators have the most nodes, others the
fewest), a boot disk's share of a node's storage, flex-start's own labels.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hardware.machines import MACHINES, SYSTEM, Machine, Taint
from stacks.clouds.gke import pools as gke_pools
from stacks.clouds.gke.laws.view import gpus, has_accelerators, look_up, machine_type, name_of
from stacks.clouds.resource import Arguments

#: Effects of a taint: GKE's name -> Kubernetes'.
EFFECTS = {theirs: ours for ours, theirs in gke_pools.EFFECTS.items()}
#: Labels that decide which devices a node shows (llm-d's GKE guide).
NETWORKING_DRA = "cloud.google.com/gke-networking-dra-driver"
GPU_DRA = ("cloud.google.com/gke-nvidia-gpu-dra-driver", "nvidia.com/gpu.present")
NO_DEVICE_PLUGIN = "gke-no-default-nvidia-gpu-device-plugin"
POOL_LABEL = "cloud.google.com/gke-nodepool"
#: Labels in the table that follow from a pool's arguments, so that nodes of another pool do not have them.
_POOLS_OWN = (
    NETWORKING_DRA,
    *GPU_DRA,
    NO_DEVICE_PLUGIN,
    "goog-gke-accelerator-type",
    "gke.networks.io/accelerator-network-profile",
    "cloud.google.com/gke-gpu-driver-version",
    "cloud.google.com/gke-ephemeral-storage-local-ssd",
)
_NETWORKS = "networking.gke.io.networks/"


class NoSuchMachineError(LookupError):
    """No machine of the table has this type, so its nodes cannot be simulated."""


def machine_of(pool: Arguments, cluster: Arguments) -> Machine:
    """Returns the machine of a pool's nodes.

    Raises:
        NoSuchMachineError: it has accelerators, and its type is not in the table.
    """
    kind = machine_type(pool)
    rows = [row for row in MACHINES.values() if row.provider == "gke" and row.instance_type == kind]
    if not rows and has_accelerators(pool):
        raise NoSuchMachineError(kind)
    if not rows:
        return _told(replace(SYSTEM, instance_type=kind or SYSTEM.instance_type), pool, ())
    if rows[0].handed_out_as == "google.com/tpu":
        return _told(rows[0], pool, rows[0].taints)
    return _told(_gpu_machine(rows, pool, cluster), pool, rows[0].taints if gpus(pool) else ())


def node_count(pool: Arguments) -> int:
    """Returns the number of a pool's nodes."""
    zones = len(pool.get("node_locations") or (None,))
    scaling: Mapping[str, Any] = pool.get("autoscaling") or {}
    if not scaling:
        count = pool.get("node_count")
        return int(pool.get("initial_node_count") or 0 if count is None else count) * zones
    if has_accelerators(pool):
        return int(scaling.get("total_max_node_count") or int(scaling.get("max_node_count") or 0) * zones)
    return max(int(scaling.get("total_min_node_count") or int(scaling.get("min_node_count") or 0) * zones), 1)


def zone_of(pool: Arguments) -> str:
    """Returns the first zone of a pool, or its region if it names no zone."""
    return str((pool.get("node_locations") or [pool.get("location")])[0])


def _labels(pool: Arguments) -> Mapping[str, str]:
    return dict(look_up(pool, "node_config.labels") or {})


def _gpu_machine(rows: list[Machine], pool: Arguments, cluster: Arguments) -> Machine:
    """Returns the machine with the devices that nodes show: GPUs by DRA or device plugin, NICs by DRA or as networks."""
    by_dra = next((row for row in rows if row.slices), rows[0])
    by_plugin = next((row for row in rows if row.extended), rows[0])
    told, labels = gpus(pool), _labels(pool)
    profile = look_up(pool, "network_config.accelerator_network_profile")
    installed = look_up(told, "gpu_driver_installation_config.gpu_driver_version") or "DEFAULT"
    # With managed DRANET the stack installs the driver, which no other pool gets.
    driver = bool(told) and (installed != "INSTALLATION_DISABLED" or profile is not None)
    dra_gpus = driver and all(labels.get(key) == "true" for key in GPU_DRA)
    dra_nics = profile is not None and labels.get(NETWORKING_DRA) == "true"
    shown = {"gpu.nvidia.com": dra_gpus, "dra.net": dra_nics}
    extended = {}
    if driver and labels.get(NO_DEVICE_PLUGIN) != "true":
        extended[by_plugin.handed_out_as] = str(told.get("count") or by_plugin.devices_per_node)
    if cluster.get("enable_multi_networking"):
        nics: list[Any] = look_up(pool, "network_config.additional_node_network_configs") or []
        networks = [(name, size) for name, size in by_plugin.extended.items() if name.startswith(_NETWORKS)]
        extended |= dict(networks[: len(nics)])
    return replace(
        by_dra if dra_gpus else by_plugin,
        extended=extended,
        slices=tuple(row for row in by_dra.slices if shown[row.driver]),
        device_classes=(),
    )


def _told(machine: Machine, pool: Arguments, own_taints: tuple[Taint, ...]) -> Machine:
    """Returns the machine with the labels and taints of this pool."""
    said: list[Mapping[str, str]] = look_up(pool, "node_config.taints") or []
    taints = [Taint(row["key"], row.get("value", ""), EFFECTS[row["effect"]]) for row in said]
    missing = [taint for taint in own_taints if taint.key not in {one.key for one in taints}]
    theirs = {key: value for key, value in machine.labels.items() if key not in _POOLS_OWN}
    return replace(machine, labels={**theirs, **_gkes(pool), **_labels(pool)}, taints=(*missing, *taints))


def _gkes(pool: Arguments) -> dict[str, str]:
    """Returns the labels that GKE derives from the pool's arguments."""
    told, node = gpus(pool), pool.get("node_config")
    # A pool that names no zone is in the first of its region.
    zone = str((pool.get("node_locations") or [f"{pool.get('location')}-a"])[0])
    driver = str(look_up(told, "gpu_driver_installation_config.gpu_driver_version") or "")
    shape = look_up(pool, "placement_policy.tpu_topology")
    profile = look_up(pool, "network_config.accelerator_network_profile")
    written = {
        POOL_LABEL: name_of(pool.get("name")),
        "topology.kubernetes.io/region": zone.rpartition("-")[0],
        "topology.kubernetes.io/zone": zone,
        "topology.gke.io/zone": zone,
        "cloud.google.com/gke-accelerator": told.get("type"),
        "cloud.google.com/gke-accelerator-count": str(told["count"]) if told.get("count") else None,
        "cloud.google.com/gke-gpu-driver-version": driver.lower() if driver in ("LATEST", "DEFAULT") else None,
        "cloud.google.com/gke-tpu-topology": shape,
        "cloud.google.com/gke-spot": "true" if look_up(node, "spot") else None,
        "cloud.google.com/gke-ephemeral-storage-local-ssd": (
            "true" if look_up(node, "ephemeral_storage_local_ssd_config.local_ssd_count") else None
        ),
        "gke.networks.io/accelerator-network-profile": profile,
    }
    return {key: str(value) for key, value in written.items() if value is not None}
