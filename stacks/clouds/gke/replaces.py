"""Tables of the arguments whose change replaces a resource on GKE, or recreates its nodes one by one.

Source: the schemas from which Google's providers are generated. With `protect` the engine refuses a replacement without a
reason; these tables name the fields. An argument in neither table changes in place and cheaply: labels, taints, numbers of
nodes, upgrades.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network

from stacks.clouds.replaces import Fixed, Immutables
from stacks.clouds.resource import Arguments


def _under(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


_POOL = "name name_prefix cluster location project initial_node_count max_pods_per_node placement_policy queued_provisioning"
_POOL_NETWORK = (
    "accelerator_network_profile additional_node_network_configs additional_pod_network_configs create_pod_range pod_range"
    " pod_ipv4_cidr_block pod_cidr_overprovision_config subnetwork"
)
_NODE = (
    "guest_accelerators spot preemptible flex_start max_run_duration reservation_affinity service_account oauth_scopes metadata"
    " ephemeral_storage_local_ssd_config local_nvme_ssd_block_config local_ssd_count local_ssd_encryption_mode"
    " shielded_instance_config min_cpu_platform boot_disk_kms_key advanced_machine_features secondary_boot_disks"
    " host_maintenance_policy sole_tenant_config node_group sandbox_config"
)
_CLUSTER = (
    "name project location network subnetwork networking_mode datapath_provider default_max_pods_per_node enable_autopilot"
    " initial_node_count cluster_ipv4_cidr description"
)
_CLUSTER_RANGES = (
    "cluster_secondary_range_name services_secondary_range_name cluster_ipv4_cidr_block services_ipv4_cidr_block"
)

#: Immutable arguments by the class's path. A path of an argument stands for everything under it.
REPLACING: Mapping[str, Fixed] = {
    "container.NodePool": Fixed(
        (*_POOL.split(), *_under("network_config", _POOL_NETWORK), *_under("node_config", _NODE)),
    ),
    "container.Cluster": Fixed(
        (
            *_CLUSTER.split(),
            *_under("ip_allocation_policy", _CLUSTER_RANGES),
            *_under("private_cluster_config", "master_ipv4_cidr_block private_endpoint_subnetwork"),
            "master_auth.client_certificate_config",
        )
    ),
    "compute.Network": Fixed(
        (
            "routing_mode",
            "mtu",
            "deletion_policy",
            "delete_default_routes_on_create",
            "delete_bgp_always_compare_med",
            "network_firewall_policy_enforcement_order",
            *("bgp_always_compare_med", "bgp_best_path_selection_mode", "bgp_inter_region_cost"),
        ),
        but_for=True,
    ),
    # A range may grow in place, see `_moved`.
    "compute.Subnetwork": Fixed(("name", "project", "network", "region", "description", "purpose")),
    "compute.ResourcePolicy": Fixed(("deletion_policy",), but_for=True),
}

#: Arguments that GKE changes in place by recreating every node, one after the other.
DISRUPTIVE: Mapping[str, tuple[str, ...]] = {
    "container.NodePool": (
        "version",
        *_under(
            "node_config",
            "machine_type disk_size_gb disk_type boot_disk image_type kubelet_config linux_node_config gvnic gcfs_config"
            " workload_metadata_config containerd_config",
        ),
    ),
}


def _moved(old: Arguments, new: Arguments) -> list[str]:
    """Returns ranges that changed and do not contain the old range; a range may grow in place."""
    before, after = (IPv4Network(args["ip_cidr_range"]) for args in (old, new))
    return [] if before.subnet_of(after) else ["ip_cidr_range"]


GKE = Immutables(REPLACING, DISRUPTIVE, {"compute.Subnetwork": _moved})
