"""Laws of a GKE cluster's networks. Ranges are judged as they are, however they
were planned."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import combinations

from stacks.clouds.gke.laws.view import clusters, look_up, name_of, pools
from stacks.clouds.laws import broken
from stacks.clouds.resource import Resource
from stacks.findings import Finding

_PROXIES = "REGIONAL_MANAGED_PROXY"
#: Addresses of each subnet that Google keeps for itself (VPC docs).
_KEPT = 4


def overlaps(resources: Sequence[Resource], peers: Sequence[str] = ()) -> Iterator[Finding]:
    """NET-01: no two ranges overlap, nor one of them and a peer, also across networks: all are NICs of the same machines."""
    ranges = [
        *((subnet.name, "ip_cidr_range", _range(subnet)) for subnet in _subnets(resources)),
        *((subnet.name, f"secondary_ip_ranges.{name}", given) for subnet, name, given in _secondary(resources)),
        *(("peer", "peers", IPv4Network(peer)) for peer in peers),
    ]
    for (first, own, one), (second, field, other) in combinations(ranges, 2):
        if one.overlaps(other):
            resource, field = (first, own) if second == "peer" else (second, field)
            yield broken(resource, field, f"{one} of {first} overlaps {other} of {second}")


def inside(resources: Sequence[Resource], base: str) -> Iterator[Finding]:
    """NET-04: every subnet is a part of the base, as a peer's routes may be told."""
    for subnet in _subnets(resources):
        if not _range(subnet).subnet_of(IPv4Network(base)):
            yield broken(subnet.name, "ip_cidr_range", f"{_range(subnet)} is not in {base}")


def room_for_nodes(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-02: an address for every node, in each network it has a NIC in."""
    wanted = {name_of(cluster.args.get("subnetwork")): _most_nodes(resources) for cluster in clusters(resources)}
    for pool in pools(resources):
        for nic in pool.nics:
            name = name_of(nic.get("subnetwork"))
            wanted[name] = wanted.get(name, 0) + pool.most_nodes
    for subnet in _subnets(resources):
        usable, nodes = _range(subnet).num_addresses - _KEPT, wanted.get(subnet.name, 0)
        if usable < nodes or _range(subnet).prefixlen > 29:
            what = f"{_range(subnet)} has {max(usable, 0)} addresses for {nodes} nodes"
            yield broken(subnet.name, "ip_cidr_range", what)


def room_for_pods(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-03: a block of pods' addresses for each node."""
    nodes = _most_nodes(resources)
    for cluster in clusters(resources):
        most = int(cluster.args.get("default_max_pods_per_node") or 110)
        block = 1 << (2 * most - 1).bit_length()
        wanted = look_up(cluster.args, "ip_allocation_policy.cluster_secondary_range_name")
        for subnet, name, given in _secondary(resources):
            if name == wanted and nodes * block > given.num_addresses:
                what = f"{given} has {given.num_addresses // block} blocks of {block} for {nodes} nodes"
                yield broken(subnet.name, f"secondary_ip_ranges.{name}", what)


def _most_nodes(resources: Sequence[Resource]) -> int:
    return sum(pool.most_nodes for pool in pools(resources))


def roce_subnets(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-04: eight subnets, in the region of the network's zone."""
    for network, profile in _roce(resources):
        subnets = [subnet for subnet in _subnets(resources) if name_of(subnet.args["network"]) == network.name]
        if len(subnets) != 8 and not profile.endswith("-metal"):
            what = f"{len(subnets)} subnets, and a machine has 8 RDMA NICs"
            yield broken(network.name, "network_profile", what)
        zone = profile.rpartition("/")[2].partition("-vpc-")[0]
        for subnet in subnets:
            if not zone.startswith(f"{subnet.args.get('region')}-"):
                yield broken(subnet.name, "region", f"the network's zone is {zone}")


def no_firewalls(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-07: no firewall in a RoCE network."""
    for network, _ in _roce(resources):
        for firewall in resources:
            if firewall.type == "compute.Firewall" and name_of(firewall.args["network"]) == network.name:
                yield broken(firewall.name, "network", "a RoCE network takes policies of its own kind only")


def _roce(resources: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """Yields the networks with a profile, and that."""
    for network in resources:
        if network.type == "compute.Network" and (profile := network.args.get("network_profile")):
            yield network, str(profile)


def gateways(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-05: one subnet for the proxies of a region's Gateways, large enough."""
    proxies = [
        subnet
        for subnet in _subnets(resources)
        if subnet.args.get("purpose") == _PROXIES and subnet.args.get("role") == "ACTIVE"
    ]
    for cluster in clusters(resources):
        near = [
            subnet
            for subnet in proxies
            if name_of(subnet.args["network"]) == name_of(cluster.args.get("network"))
            and str(cluster.args.get("location")).startswith(str(subnet.args.get("region")))
        ]
        if look_up(cluster.args, "gateway_api_config.channel") and not near:
            what = "a Gateway of the region needs a proxy-only subnet in the cluster's network"
            yield broken(cluster.name, "gateway_api_config", what)
        for extra in near[1:]:
            yield broken(extra.name, "role", f"{near[0].name} is the active one of this network and region")
    for subnet in proxies:
        if _range(subnet).prefixlen > 26:
            yield broken(subnet.name, "ip_cidr_range", "Google takes no smaller proxy-only subnet than a /26")


def ways_out(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-06: private nodes get images and models."""
    routers = {
        router.name: name_of(router.args.get("network")) for router in resources if router.type == "compute.Router"
    }
    translated = {routers.get(name_of(nat.args.get("router"))) for nat in resources if nat.type == "compute.RouterNat"}
    google = {subnet.name for subnet in _subnets(resources) if subnet.args.get("private_ip_google_access")}
    for cluster in clusters(resources):
        private = look_up(cluster.args, "private_cluster_config.enable_private_nodes")
        if private and name_of(cluster.args.get("network")) not in translated:
            yield broken(cluster.name, "private_cluster_config", "no NAT: pulls of images and models hang")
        if private and name_of(cluster.args.get("subnetwork")) not in google:
            what = "no private access to Google: pulls from its registries hang"
            yield broken(name_of(cluster.args.get("subnetwork")), "private_ip_google_access", what)


def closed_control_plane(resources: Sequence[Resource]) -> Iterator[Finding]:
    """NET-08: the control plane is not open to everybody."""
    for cluster in clusters(resources):
        endpoints: Mapping[str, object] = cluster.args.get("control_plane_endpoints_config") or {}
        by_address = look_up(endpoints, "ip_endpoints_config.enabled") is not False
        if by_address and not cluster.args.get("master_authorized_networks_config"):
            what = "the control plane has an address that the whole Internet may try"
            yield broken(cluster.name, "control_plane_endpoints_config", what)


def _subnets(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (found for found in resources if found.type == "compute.Subnetwork")


def _secondary(resources: Sequence[Resource]) -> Iterator[tuple[Resource, str, IPv4Network]]:
    for subnet in _subnets(resources):
        for row in subnet.args.get("secondary_ip_ranges") or ():
            yield subnet, row["range_name"], IPv4Network(row["ip_cidr_range"])


def _range(subnet: Resource) -> IPv4Network:
    return IPv4Network(subnet.args["ip_cidr_range"])
