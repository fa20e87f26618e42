"""The GKE cluster: regional, with private nodes and Dataplane V2, reached by its DNS endpoint only.

Settings that only a new cluster could change (Dataplane V2, addresses) are equal here for all ways to RDMA. Settings that GKE
changes in place (multi-networking, Gateway API) follow from the stack. Pools are in `stacks.clouds.gke.pools`.
"""

from collections.abc import Iterable

from stacks.clouds.gke.access import ACCOUNT
from stacks.clouds.gke.maintenance import policy
from stacks.clouds.gke.networks import FIREWALL, NAT, NETWORK, PODS, PROXIES, SERVICES, SUBNET
from stacks.clouds.gke.settings import Settings
from stacks.clouds.resource import Ref, Resource, Timeouts

CLUSTER = "cluster"
#: Everything that the account's roles allow, as Google recommends: access is limited by roles, not by scopes.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
#: A block that the plan never sets. GKE writes the time of its last patch of the control plane into it (output only), and the
#: provider's schema has it as Optional, not Computed: after the first patch every preview would show a change.
UNSAID = ("maintenancePolicy.disruptionBudget",)


def cluster(settings: Settings, access: Iterable[Resource]) -> Resource:
    """Returns the cluster. It depends on `access`, so that the roles of the nodes and of GKE exist before and until after it.

    It also depends on the subnet of a Gateway's proxies, which must exist as long as a Gateway can.
    """
    proxies = (PROXIES,) if settings.gateway else ()
    return Resource(
        name=settings.named(CLUSTER),
        type="container.Cluster",
        title=f"The GKE cluster, {settings.gke.version}",
        args={
            "project": settings.project,
            "name": settings.name,
            "description": f"llm-d prefill/decode serving: {settings.name}",
            "location": settings.gke.region,
            "node_locations": [settings.gke.zone],
            "resource_labels": {"llmd-pd": settings.name},
            **_versions(settings),
            **_network(settings),
            **_first_pool(settings),
            **_features(settings),
            # Google's own lock in addition to the engine's: one `up` with `protect: false` opens both.
            "deletion_protection": settings.protect,
        },
        after=(*(given.name for given in access), *(settings.named(part) for part in (NAT, FIREWALL, *proxies))),
        protect=settings.protect,
        # Arguments of the first pool, which is removed at once; and the description, whose change would replace the cluster.
        ignore_changes=("nodeConfig", "description", *UNSAID),
        timeouts=Timeouts(create="90m", update="90m", delete="90m"),
        delete_before_replace=True,
    )


def _versions(settings: Settings) -> dict[str, object]:
    return {
        "min_master_version": settings.gke.version,
        "release_channel": {"channel": settings.gke.release_channel},
        "maintenance_policy": policy(settings.gke.maintenance_window),
    }


def _network(settings: Settings) -> dict[str, object]:
    ranges = {"cluster_secondary_range_name": PODS, "services_secondary_range_name": SERVICES}
    return {
        "networking_mode": "VPC_NATIVE",
        "network": Ref(settings.named(NETWORK)),
        "subnetwork": Ref(settings.named(SUBNET)),
        "ip_allocation_policy": ranges,
        "datapath_provider": "ADVANCED_DATAPATH",
        "enable_multi_networking": settings.rdma == "multinet",
        # With the IP endpoints off GKE returns a private endpoint. The provider then never sends the argument, but up to 7.45.0
        # shows a change at every preview if it is left out (terraform-provider-google-beta 8e44798 suppresses that).
        "private_cluster_config": {"enable_private_nodes": True, "enable_private_endpoint": True},
        "control_plane_endpoints_config": {
            "dns_endpoint_config": {"allow_external_traffic": True},
            "ip_endpoints_config": {"enabled": False},
        },
    }


def _first_pool(settings: Settings) -> dict[str, object]:
    """Returns the first pool, without which GKE makes no cluster. Its nodes use the stack's account too, because a project's
    policies may forbid the default one.
    """
    account = Ref(settings.named(ACCOUNT), "email")
    return {
        "remove_default_node_pool": True,
        "initial_node_count": 1,
        "node_config": {"service_account": account, "oauth_scopes": [*SCOPES]},
    }


def _features(settings: Settings) -> dict[str, object]:
    gateway = {"gateway_api_config": {"channel": "CHANNEL_STANDARD"}} if settings.gateway else {}
    return {
        "workload_identity_config": {"workload_pool": f"{settings.project}.svc.id.goog"},
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
