"""Laws of a GKE cluster's networks. Ranges are judged as they are, however they
were planned."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import combinations

from stacks.clouds.gke.laws.view import Broken, clusters, look_up, name_of, pools
from stacks.clouds.resource import Resource

_PROXIES = "REGIONAL_MANAGED_PROXY"
#: Addresses of each subnet that Google keeps for itself (VPC docs).
_KEPT = 4


def overlaps(resources: Sequence[Resource], peers: Sequence[str] = ()) -> Iterator[Broken]:
    """NET-01: no two ranges overlap, nor one of them and a peer, also across networks: all are NICs of the same machines."""
    ranges = [
        *((subnet.name, "ip_cidr_range", _range(subnet)) for subnet in _subnets(resources)),
        *((subnet.name, f"secondary_ip_ranges.{name}", given) for subnet, name, given in _secondary(resources)),
        *(("peer", "peers", IPv4Network(peer)) for peer in peers),
    ]
    for (first, own, one), (second, field, other) in combinations(ranges, 2):
        if one.overlaps(other):
            resource, field = (first, own) if second == "peer" else (second, field)
            yield Broken("NET-01", resource, field, f"{one} of {first} overlaps {other} of {second}")


def inside(resources: Sequence[Resource], base: str) -> Iterator[Broken]:
    """NET-04: every subnet is a part of the base, as a peer's routes may be told."""
    for subnet in _subnets(resources):
        if not _range(subnet).subnet_of(IPv4Network(base)):
            yield Broken("NET-04", subnet.name, "ip_cidr_range", f"{_range(subnet)} is not in {base}")


def room(resources: Sequence[Resource]) -> Iterator[Broken]:
    """NET-02: an address for every node, in each network it has a NIC in. NET-03: a block of pods' addresses for each."""
    everyone = sum(pool.most_nodes for pool in pools(resources))
    wanted: dict[str, int] = {}
    for cluster in clusters(resources):
        wanted[name_of(cluster.args.get("subnetwork"))] = everyone
        yield from _pods(resources, cluster, everyone)
    for pool in pools(resources):
        for nic in pool.nics:
            name = name_of(nic.get("subnetwork"))
            wanted[name] = wanted.get(name, 0) + pool.most_nodes
    for subnet in _subnets(resources):
        usable, nodes = _range(subnet).num_addresses - _KEPT, wanted.get(subnet.name, 0)
        if usable < nodes or _range(subnet).prefixlen > 29:
            what = f"{_range(subnet)} has {max(usable, 0)} addresses for {nodes} nodes"
            yield Broken("NET-02", subnet.name, "ip_cidr_range", what)


def _pods(resources: Sequence[Resource], cluster: Resource, nodes: int) -> Iterator[Broken]:
    most = int(cluster.args.get("default_max_pods_per_node") or 110)
    block = 1 << (2 * most - 1).bit_length()
    wanted = look_up(cluster.args, "ip_allocation_policy.cluster_secondary_range_name")
    for subnet, name, given in _secondary(resources):
        if name == wanted and nodes * block > given.num_addresses:
            what = f"{given} has {given.num_addresses // block} blocks of {block} for {nodes} nodes"
            yield Broken("NET-03", subnet.name, f"secondary_ip_ranges.{name}", what)


def roce(resources: Sequence[Resource]) -> Iterator[Broken]:
    """NET-04: eight subnets, in the region of the network's zone. NET-07: no firewall there."""
    for network in _networks(resources):
        profile = str(network.args.get("network_profile") or "")
        if not profile:
            continue
        subnets = [subnet for subnet in _subnets(resources) if name_of(subnet.args["network"]) == network.name]
        if len(subnets) != 8 and not profile.endswith("-metal"):
            yield Broken(
                "NET-04", network.name, "network_profile", f"{len(subnets)} subnets, and a machine has 8 RDMA NICs"
            )
        zone = profile.rpartition("/")[2].partition("-vpc-")[0]
        for subnet in subnets:
            if not zone.startswith(f"{subnet.args.get('region')}-"):
                yield Broken("NET-04", subnet.name, "region", f"the network's zone is {zone}")
        for firewall in resources:
            if firewall.type == "compute.Firewall" and name_of(firewall.args["network"]) == network.name:
                yield Broken("NET-07", firewall.name, "network", "a RoCE network takes policies of its own kind only")


def gateways(resources: Sequence[Resource]) -> Iterator[Broken]:
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
            yield Broken("NET-05", cluster.name, "gateway_api_config", what)
        for extra in near[1:]:
            yield Broken("NET-05", extra.name, "role", f"{near[0].name} is the active one of this network and region")
    for subnet in proxies:
        if _range(subnet).prefixlen > 26:
            yield Broken("NET-05", subnet.name, "ip_cidr_range", "Google takes no smaller proxy-only subnet than a /26")


def ways_out(resources: Sequence[Resource]) -> Iterator[Broken]:
    """NET-06: private nodes get images and models. NET-08: the control plane is not open to everybody."""
    routers = {
        router.name: name_of(router.args.get("network")) for router in resources if router.type == "compute.Router"
    }
    translated = {routers.get(name_of(nat.args.get("router"))) for nat in resources if nat.type == "compute.RouterNat"}
    google = {subnet.name for subnet in _subnets(resources) if subnet.args.get("private_ip_google_access")}
    for cluster in clusters(resources):
        private = look_up(cluster.args, "private_cluster_config.enable_private_nodes")
        if private and name_of(cluster.args.get("network")) not in translated:
            yield Broken("NET-06", cluster.name, "private_cluster_config", "no NAT: pulls of images and models hang")
        if private and name_of(cluster.args.get("subnetwork")) not in google:
            what = "no private access to Google: pulls from its registries hang"
            yield Broken("NET-06", name_of(cluster.args.get("subnetwork")), "private_ip_google_access", what)
        endpoints: Mapping[str, object] = cluster.args.get("control_plane_endpoints_config") or {}
        by_address = look_up(endpoints, "ip_endpoints_config.enabled") is not False
        if by_address and not cluster.args.get("master_authorized_networks_config"):
            what = "the control plane has an address that the whole Internet may try"
            yield Broken("NET-08", cluster.name, "control_plane_endpoints_config", what)


def _networks(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (found for found in resources if found.type == "compute.Network")


def _subnets(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (found for found in resources if found.type == "compute.Subnetwork")


def _secondary(resources: Sequence[Resource]) -> Iterator[tuple[Resource, str, IPv4Network]]:
    for subnet in _subnets(resources):
        for row in subnet.args.get("secondary_ip_ranges") or ():
            yield subnet, row["range_name"], IPv4Network(row["ip_cidr_range"])


def _range(subnet: Resource) -> IPv4Network:
    return IPv4Network(subnet.args["ip_cidr_range"])
