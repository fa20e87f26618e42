"""The networks of a GKE cluster: the cluster's own and, with multi-networking, those of the accelerator machines' further NICs.

With managed DRANET GKE makes the latter itself, with addresses of its own. A RoCE network has no firewall, because its profile
allows only its own kind of policies; the profile also sets the MTU.
"""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from stacks.clouds.gke.access import api
from stacks.clouds.gke.settings import Settings
from stacks.clouds.resource import Ref, Resource, Timeouts

NETWORK, SUBNET, NAT, FIREWALL, PROXIES = "network", "nodes", "nat", "internal", "proxies"
GVNIC, RDMA = "gvnic", "rdma"
#: Names of the secondary ranges.
PODS, SERVICES = "pods", "services"
#: The largest MTU of Google's network.
MTU = 8896
#: The NAT's ports per node, for connections to one destination: the initial and the largest number. Google's default is 64. Eight
#: model servers of a node that start together load eight files each (`max_workers` of huggingface_hub's snapshot_download) in 16
#: ranges (hf_xet's default), which is 1,024. An address has 64,512 ports, so one address serves 63 such nodes; Google adds
#: addresses automatically. Google allows 65,536 at most, and both must be powers of two.
MIN_PORTS, MAX_PORTS = 8 * 8 * 16, 65_536
#: Load balancers and NEGs that use a network are deleted minutes after the objects for which they were made.
_PATIENCE = Timeouts(delete="20m")


def networks(settings: Settings) -> list[Resource]:
    """Returns the cluster's network with everything in it, then the networks of the further NICs."""
    proxy = [_proxy_only(settings)] if settings.gateway else []
    rdma = [*_gvnic(settings), *_roce(settings)] if settings.rdma == "multinet" else []
    ranges = [settings.addresses.nodes, settings.addresses.pods]
    firewall = _firewall(settings, FIREWALL, NETWORK, "Nodes and pods reach each other", ranges)
    return [
        _vpc(settings, NETWORK, "The cluster's network", mtu=MTU),
        _nodes(settings),
        *proxy,
        firewall,
        *_nat(settings),
        *rdma,
    ]


def rdma_parts() -> list[str]:
    """Returns the names of the RDMA NICs' subnets, in the order of the NICs on a node."""
    return [f"{RDMA}-{index}" for index in range(8)]


def _nodes(settings: Settings) -> Resource:
    secondary = {PODS: settings.addresses.pods, SERVICES: settings.addresses.services}
    return _subnet(
        settings, SUBNET, NETWORK, "Nodes, with the pods' and the services' addresses", settings.addresses.nodes,
        private_ip_google_access=True,
        secondary_ip_ranges=[{"range_name": name, "ip_cidr_range": str(given)} for name, given in secondary.items()],
    )  # fmt: skip


def _proxy_only(settings: Settings) -> Resource:
    return _subnet(
        settings, PROXIES, NETWORK, "The proxies of the region's Gateways", settings.addresses.proxy,
        purpose="REGIONAL_MANAGED_PROXY", role="ACTIVE",
    )  # fmt: skip


def _nat(settings: Settings) -> list[Resource]:
    """Returns the NAT: nodes have no public addresses, and images and models come from the Internet."""
    description = f"Carries the NAT of the GKE cluster {settings.name}"
    network = {"region": settings.gke.region, "network": Ref(settings.named(NETWORK)), "description": description}
    router = _resource(settings, "Router", "router", "Carries the NAT", network)
    nat = {
        "region": settings.gke.region,
        "router": Ref(router.name, "name"),
        "nat_ip_allocate_option": "AUTO_ONLY",
        "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "enable_dynamic_port_allocation": True,
        # Excluded by the line above. The provider has no default of its own and stores what Google returns.
        "enable_endpoint_independent_mapping": False,
        "min_ports_per_vm": MIN_PORTS,
        "max_ports_per_vm": MAX_PORTS,
    }
    return [router, _resource(settings, "RouterNat", NAT, "The way of nodes and pods to images and models", nat)]


def _gvnic(settings: Settings) -> list[Resource]:
    part, part_network = GVNIC, f"{GVNIC}-network"
    ranges = [settings.addresses.gvnic]
    return [
        _vpc(settings, part_network, "The network of the machines' second gVNIC", mtu=MTU),
        _subnet(settings, part, part_network, "The machines' second gVNIC", settings.addresses.gvnic),
        _firewall(settings, f"{part}-internal", part_network, "The second gVNICs reach each other", ranges),
    ]


def _roce(settings: Settings) -> list[Resource]:
    part = f"{RDMA}-network"
    profile = f"projects/{settings.project}/global/networkProfiles/{settings.gke.zone}-vpc-roce"
    subnets = [
        _subnet(settings, name, part, f"RDMA NIC {index} of each machine", given)
        for index, (name, given) in enumerate(zip(rdma_parts(), settings.addresses.rdma, strict=True))
    ]
    return [_vpc(settings, part, "The RoCE network of the machines' RDMA NICs", network_profile=profile), *subnets]


def _vpc(settings: Settings, part: str, title: str, **more: Any) -> Resource:
    args = {
        "description": f"{title} ({settings.name})",
        "auto_create_subnetworks": False,
        "routing_mode": "REGIONAL",
        **more,
    }
    made = _resource(settings, "Network", part, title, args)
    return replace(_kept(settings, made), after=(api(settings, "compute"),))


def _subnet(settings: Settings, part: str, network: str, title: str, given: IPv4Network, **more: Any) -> Resource:
    args = {
        "description": f"{title} ({settings.name})",
        "region": settings.gke.region,
        "network": Ref(settings.named(network)),
        "ip_cidr_range": str(given),
        **more,
    }
    return _kept(settings, _resource(settings, "Subnetwork", part, title, args))


def _firewall(settings: Settings, part: str, network: str, title: str, sources: Sequence[IPv4Network]) -> Resource:
    args = {
        "description": f"{title} ({settings.name})",
        "network": Ref(settings.named(network)),
        "direction": "INGRESS",
        "source_ranges": [str(given) for given in sources],
        "allows": [{"protocol": protocol} for protocol in ("tcp", "udp", "icmp")],
    }
    return _resource(settings, "Firewall", part, title, args)


def _resource(settings: Settings, kind: str, part: str, title: str, args: dict[str, Any]) -> Resource:
    named = settings.named(part)
    return Resource(
        name=named,
        type=f"compute.{kind}",
        title=title,
        args={"project": settings.project, "name": named, **args},
        timeouts=_PATIENCE,
        delete_before_replace=True,
    )


def _kept(settings: Settings, made: Resource) -> Resource:
    """Returns a resource that would be replaced with all that is in it, also by another description."""
    return replace(made, protect=settings.protect, ignore_changes=("description",))
