"""The GKE cluster: regional, with private nodes and Dataplane V2, reached by its DNS endpoint only.

Settings that only a new cluster could change (Dataplane V2, addresses) are equal here for all ways to RDMA. Settings that GKE
changes in place (multi-networking, Gateway API) follow from the stack. Pools are in `stacks.clouds.gke.pools`.
"""

from collections.abc import Iterable

from stacks.clouds.gke.access import ACCOUNT
from stacks.clouds.gke.maintenance import policy
from stacks.clouds.gke.networks import FIREWALL, NAT, NETWORK, PODS, PROXIES, SERVICES, SUBNET
from stacks.clouds.gke.site import Site
from stacks.clouds.resource import Ref, Resource, Timeouts

CLUSTER = "cluster"
#: Everything that the account's roles allow, as Google recommends: access is limited by roles, not by scopes.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
#: A block that the plan never sets. GKE writes the time of its last patch of the control plane into it (output only), and the
#: provider's schema has it as Optional, not Computed: after the first patch every preview would show a change.
UNSAID = ("maintenancePolicy.disruptionBudget",)


def cluster(site: Site, access: Iterable[Resource]) -> Resource:
    """Returns the cluster. It depends on `access`, so that the roles of the nodes and of GKE exist before and until after it.

    It also depends on the subnet of a Gateway's proxies, which must exist as long as a Gateway can.
    """
    proxies = (PROXIES,) if site.gateway else ()
    return Resource(
        name=site.named(CLUSTER),
        type="container.Cluster",
        title=f"The GKE cluster, {site.gke.version}",
        args={
            "project": site.project,
            "name": site.name,
            "description": f"llm-d prefill/decode serving: {site.name}",
            "location": site.gke.region,
            "node_locations": [site.gke.zone],
            "resource_labels": {"llmd-pd": site.name},
            **_versions(site),
            **_network(site),
            **_first_pool(site),
            **_features(site),
            # Google's own lock in addition to the engine's: one `up` with `protect: false` opens both.
            "deletion_protection": site.protect,
        },
        after=(*(given.name for given in access), *(site.named(part) for part in (NAT, FIREWALL, *proxies))),
        protect=site.protect,
        # Arguments of the first pool, which is removed at once; and the description, whose change would replace the cluster.
        ignore_changes=("nodeConfig", "description", *UNSAID),
        timeouts=Timeouts(create="90m", update="90m", delete="90m"),
        delete_before_replace=True,
    )


def _versions(site: Site) -> dict[str, object]:
    return {
        "min_master_version": site.gke.version,
        "release_channel": {"channel": site.gke.release_channel},
        "maintenance_policy": policy(site.gke.maintenance_window),
    }


def _network(site: Site) -> dict[str, object]:
    ranges = {"cluster_secondary_range_name": PODS, "services_secondary_range_name": SERVICES}
    return {
        "networking_mode": "VPC_NATIVE",
        "network": Ref(site.named(NETWORK)),
        "subnetwork": Ref(site.named(SUBNET)),
        "ip_allocation_policy": ranges,
        "datapath_provider": "ADVANCED_DATAPATH",
        "enable_multi_networking": site.rdma == "multinet",
        # With the IP endpoints off GKE returns a private endpoint. The provider then never sends the argument, but up to 7.45.0
        # shows a change at every preview if it is left out (terraform-provider-google-beta 8e44798 suppresses that).
        "private_cluster_config": {"enable_private_nodes": True, "enable_private_endpoint": True},
        "control_plane_endpoints_config": {
            "dns_endpoint_config": {"allow_external_traffic": True},
            "ip_endpoints_config": {"enabled": False},
        },
    }


def _first_pool(site: Site) -> dict[str, object]:
    """Returns the first pool, without which GKE makes no cluster. Its nodes use the stack's account too, because a project's
    policies may forbid the default one.
    """
    account = Ref(site.named(ACCOUNT), "email")
    return {
        "remove_default_node_pool": True,
        "initial_node_count": 1,
        "node_config": {"service_account": account, "oauth_scopes": [*SCOPES]},
    }


def _features(site: Site) -> dict[str, object]:
    gateway = {"gateway_api_config": {"channel": "CHANNEL_STANDARD"}} if site.gateway else {}
    return {
        "workload_identity_config": {"workload_pool": f"{site.project}.svc.id.goog"},
        "addons_config": {
            "http_load_balancing": {"disabled": False},
            "gcs_fuse_csi_driver_config": {"enabled": True},
            "gcp_filestore_csi_driver_config": {"enabled": True},
        },
        "monitoring_config": {
            "enable_components": ["SYSTEM_COMPONENTS", "DCGM"],
            "managed_prometheus": {"enabled": True, "auto_monitoring_config": {"scope": "NONE"}},
        },
        "logging_config": {"enable_components": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
        **gateway,
    }
