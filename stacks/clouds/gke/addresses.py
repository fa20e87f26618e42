"""The IPv4 ranges of a GKE cluster's networks, planned from one base network. Pure arithmetic over Google's rules.

Owns: the split of the base, how large a base a demand needs, and which bases cannot be used. Leaves out: IPv6, quotas and
GKE's own limit of nodes, further pod ranges added to a running cluster, and what else takes addresses beside the nodes
(the control plane's endpoint, internal load balancers): `pods` is full before `nodes` is, with at least 28 addresses to
spare.

The split depends on the base only, never on a demand. A subnet's range can grow in place but never move (GKE docs), and
whatever lies behind it in the base stops it from growing: were shares to follow the nodes, one node more would move ranges,
and with them the cluster. So every range has a fixed share, and has it whether or not the stack has a gateway or RDMA: a
base is taken only if all of them are large enough, and turning one on later needs no other base. Nothing overlaps, also
across VPC networks: all of them are interfaces of the same machines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Network
from itertools import chain

from stacks.findings import Finding

_LARGEST = IPv4Network("10.0.0.0/8")
#: Where addresses of one's own may lie: RFC 1918 and RFC 6598.
PRIVATE = (_LARGEST, *map(IPv4Network, ("172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
#: Docker's bridge on every node (GKE docs).
_DOCKER = IPv4Network("172.17.0.0/16")
_SPECIAL = {
    IPv4Network("127.0.0.0/8"): "it is loopback",
    IPv4Network("169.254.0.0/16"): "it is link-local, where the nodes' metadata server is",
    IPv4Network("224.0.0.0/4"): "it is multicast",
    # Google takes it, but one base has the ranges of all: nodes, RDMA interfaces and their peers.
    IPv4Network("240.0.0.0/4"): "not every operating system can send to an address there",
}
_PUBLIC = "it is not all private (RFC 1918, 100.64.0.0/10), and pods could not reach those who have it in the Internet"

#: The largest services range GKE takes (GKE docs).
_SERVICES_PREFIX = 16
#: Google's recommendation for a proxy-only subnet (the load balancers' docs).
_PROXY_PREFIX = 23
#: Addresses of each subnet that Google keeps for itself (VPC docs).
_KEPT = 4


@dataclass(frozen=True)
class Demand:
    """The addresses that a cluster needs. Raises ValueError for numbers that GKE does not allow.

    `surge` nodes are those an upgrade adds before it takes old ones away, of any pool. `max_pods_per_node` is 8 to 256; 110
    is GKE's default.
    """

    accelerator_nodes: int
    system_nodes: int
    surge: int = 0
    max_pods_per_node: int = 110

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least, most = (8, 256) if field.name == "max_pods_per_node" else (0, None)
            if type(value) is not int or value < least or (most is not None and value > most):
                allowed = f"from {least} to {most}" if most else f"of {least} or more"
                raise ValueError(f"{field.name} is {value!r}, and must be a whole number {allowed}")


@dataclass(frozen=True)
class AddressPlan:
    """The ranges of a cluster.

    `nodes`, `gvnic` and each of `rdma` are subnets, `proxy` a proxy-only one; `pods` and `services` are secondary ranges of
    the subnet `nodes`. `proxy`, `gvnic` and `rdma` are planned for every cluster, used or not.
    """

    nodes: IPv4Network
    pods: IPv4Network
    services: IPv4Network
    proxy: IPv4Network
    gvnic: IPv4Network
    rdma: tuple[IPv4Network, ...]

    @property
    def proxy_warning(self) -> str:
        """A warning about the proxy-only subnet of a stack with a gateway; "" if it has the size that Google recommends."""
        if self.proxy.prefixlen <= _PROXY_PREFIX:
            return ""
        recommended = f"the /{_PROXY_PREFIX} that Google recommends, which a base of a /{_PROXY_PREFIX - 4} has"
        return f"the proxy-only subnet `{self.proxy}` is smaller than {recommended}"


class AddressPlanError(ValueError):
    """A base or a peer cannot be used; `finding` is at the key of `network` that says it."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        self.finding = Finding(("peers" if what.startswith("peer ") else "base",), what, why, fix)
        super().__init__(f"{what}, because {why}; {fix}")


def address_plan(base: str, demand: Demand, peers: Sequence[str] = ()) -> AddressPlan:
    """The ranges in this base, the same for every demand they are large enough for. Raises AddressPlanError.

    `peers` are the networks that the VPC networks are connected to. Wherever a fix names a network, the same demand can be
    planned in it beside the same peers.
    """
    taken = tuple(map(_peer, peers))
    need = max(_needs(demand), key=lambda need: need.base)
    if need.base > _LARGEST.num_addresses:
        why = need.said(_LARGEST, f"the {_LARGEST.num_addresses} addresses of the largest private network, {_LARGEST},")
        raise AddressPlanError("no base is large enough", why, "plan for fewer nodes, or for fewer pods per node")
    room = _Room(33 - need.base.bit_length(), taken)
    network = parsed(base)
    if network is None:
        why = "all ranges of the cluster are parts of one"
        raise AddressPlanError(f"base `{base}` is no IPv4 network", why, room.fix(None))
    if reason := _unusable(network):
        raise AddressPlanError(f"base `{base}` cannot be used", reason, room.fix(network))
    if network.num_addresses < need.base:
        why = need.said(network, f"its {network.num_addresses} addresses")
        raise AddressPlanError(f"base `{base}` is too small", why, room.fix(network))
    shares = _split(network)
    for peer in taken:
        if hit := [f"`{name}` ({share})" for name, share in shares.items() if share.overlaps(peer)]:
            why = f"no route could tell the peer's addresses from those of {', '.join(hit)}"
            raise AddressPlanError(f"base `{base}` overlaps peer `{peer}`", why, room.fix(network))
    if str(network) != base:
        why = "it is its first address and the length of its prefix that name one"
        raise AddressPlanError(f"base `{base}` is not written as a network", why, f"write `{network}`")
    return AddressPlan(
        nodes=shares["nodes"],
        pods=shares["pods"],
        services=next(shares["services"].subnets(new_prefix=max(_SERVICES_PREFIX, shares["services"].prefixlen))),
        proxy=shares["proxy"],
        gvnic=shares["gvnic"],
        rdma=tuple(shares["rdma"].subnets(prefixlen_diff=3)),
    )


def _split(base: IPv4Network) -> dict[str, IPv4Network]:
    """Half of the base for `pods`, a quarter for `rdma`, a sixteenth for each of the others.

    With 110 pods per node a node takes 256 addresses of `pods`, one of each other range, so `pods` is the one that is short.
    """
    pods, rest = base.subnets()
    rdma, rest = rest.subnets()
    nodes, services, gvnic, proxy = rest.subnets(prefixlen_diff=2)
    return {"pods": pods, "rdma": rdma, "nodes": nodes, "services": services, "gvnic": gvnic, "proxy": proxy}


@dataclass(frozen=True)
class _Need:
    """The need of a range with 2^-`bits` of the base: a power of two of `addresses`, and its use."""

    range: str
    bits: int
    addresses: int
    reason: str

    @property
    def base(self) -> int:
        """Addresses of the smallest base in which it has them."""
        return self.addresses << self.bits

    def said(self, base: IPv4Network, of: str) -> str:
        """Why the base is too small."""
        gets = base.num_addresses >> self.bits
        return f"{self.range} gets {gets} of {of} and must have {self.addresses}: {self.reason}"


def _needs(demand: Demand) -> tuple[_Need, ...]:
    """Returns a demand's needs of the ranges that can be too small.

    `pods`: GKE gives each node a block of twice its pods, rounded up to a power of two (GKE docs). `rdma`: a node with
    accelerators has one interface in each of the 8 subnets (cluster-toolkit). `proxy`: a /26 at the least (the load
    balancers' docs). In a base where these are large enough, so are the others: `nodes` and `gvnic` have twice the addresses
    of a subnet of `rdma` and more than `pods` has blocks, and `pods` (a /24 at the least), `services` (a /27) and all subnets
    (a /29) are larger than the least that Google takes.
    """
    with_accelerators = demand.accelerator_nodes + demand.surge
    nodes = with_accelerators + demand.system_nodes
    block = _power_of_two(2 * demand.max_pods_per_node)
    interfaces = f"{with_accelerators} nodes, and Google keeps {_KEPT}"
    return (
        _Need("`proxy`", 4, 64, "Google takes no smaller proxy-only subnet"),
        _Need("`pods`", 1, _power_of_two(nodes * block), f"{nodes} nodes with {block} each"),
        _Need("each of the 8 subnets `rdma`", 5, _power_of_two(with_accelerators + _KEPT), interfaces),
    )


def _power_of_two(least: int) -> int:
    return 1 << max(least - 1, 0).bit_length()


@dataclass(frozen=True)
class _Room:
    """Where a base could lie instead: the longest prefix that will do, and the peers it must not overlap."""

    prefix: int
    peers: tuple[IPv4Network, ...]

    def fix(self, base: IPv4Network | None) -> str:
        """Name the base itself, grown, if that will do; else the first free network, as large as the base if there is one."""
        small = base is not None and base.prefixlen > self.prefix
        length = self.prefix if base is None or small else base.prefixlen
        grown = [base.supernet(new_prefix=self.prefix)] if base is not None and small else []
        found = next(filter(self._free, chain(grown, _private(length), _private(self.prefix))), None)
        if found is None:
            return f"free a /{self.prefix} of private space: the peers leave none"
        return f"use a /{self.prefix} or larger, e.g. `{found}`" if small else f"use another, e.g. `{found}`"

    def _free(self, network: IPv4Network) -> bool:
        return not _unusable(network) and not any(map(network.overlaps, self.peers))


def _private(prefix: int) -> Iterator[IPv4Network]:
    """All networks of this length in private space."""
    for space in PRIVATE:
        if space.prefixlen <= prefix:
            yield from space.subnets(new_prefix=prefix)


def _unusable(network: IPv4Network) -> str:
    """Why no cluster can have this network, empty if one can."""
    if not any(map(network.subnet_of, PRIVATE)):
        return next((reason for special, reason in _SPECIAL.items() if network.subnet_of(special)), _PUBLIC)
    return f"nodes have Docker's bridge in {_DOCKER} and reach nobody else there" if network.overlaps(_DOCKER) else ""


def _peer(text: str) -> IPv4Network:
    network = parsed(text)
    if network is None or str(network) != text:
        fix = f"write `{network}`" if network else "write its first address and prefix length, e.g. `10.1.0.0/16`"
        why = "the base must not overlap it"
        raise AddressPlanError(f"peer `{text}` is no IPv4 network", why, fix)
    return network


def parsed(text: str) -> IPv4Network | None:
    """The network a text means, also with host bits or a netmask; None if it means none. An address alone does not."""
    try:
        return IPv4Network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
