"""The IPv4 ranges of a GKE cluster's networks, planned from one base network. Pure arithmetic over Google's rules.

Owns: the split of the base, the size of the base that a demand needs, and the bases that cannot be used. Left out: IPv6, quotas
and GKE's own limit of nodes, pod ranges added to a running cluster, and the other users of the nodes' range (the control plane's
endpoint, internal load balancers): `pods` is full before `nodes` is, with at least 28 addresses to spare.

The split depends on the base only, never on a demand. A subnet's range can grow in place but never move (GKE docs), and the next
range in the base stops it from growing. If the shares depended on the number of nodes, one more node would move ranges and so
replace the cluster. Therefore every range has a fixed share, even if the stack has no gateway or no RDMA: a base is accepted only
if all ranges are large enough, and turning on a gateway or RDMA later needs no other base. Ranges do not overlap even across VPC
networks, because all networks are interfaces of the same machines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from ipaddress import IPv4Network
from itertools import chain

from stacks.findings import Finding

_LARGEST = IPv4Network("10.0.0.0/8")
#: Private address space: RFC 1918 and RFC 6598.
PRIVATE = (_LARGEST, *map(IPv4Network, ("172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
#: Docker's bridge on every node (GKE docs).
_DOCKER = IPv4Network("172.17.0.0/16")
_SPECIAL = {
    IPv4Network("127.0.0.0/8"): "it is loopback",
    IPv4Network("169.254.0.0/16"): "it is link-local, where the nodes' metadata server is",
    IPv4Network("224.0.0.0/4"): "it is multicast",
    # Google accepts it, but the base also holds the ranges of RDMA interfaces and of the hosts that connect to the nodes.
    IPv4Network("240.0.0.0/4"): "not every operating system can send to an address there",
}
_PUBLIC = "it is not all private (RFC 1918, 100.64.0.0/10), and pods could not reach those who have it in the Internet"

#: The prefix length of the largest services range that GKE allows (GKE docs).
_SERVICES_PREFIX = 16
#: The prefix length that Google recommends for a proxy-only subnet (the load balancers' docs).
_PROXY_PREFIX = 23
#: The number of addresses in each subnet that Google keeps (VPC docs).
_KEPT = 4


@dataclass(frozen=True)
class Demand:
    """The numbers of nodes and pods for which a cluster needs addresses. Raises ValueError for a number that GKE does not allow.

    `surge` is the number of nodes that an upgrade of any pool adds before it removes old ones. `max_pods_per_node` is 8 to 256;
    GKE's default is 110.
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
        """A warning about the proxy-only subnet of a stack with a gateway; empty if it has the size that Google recommends."""
        if self.proxy.prefixlen <= _PROXY_PREFIX:
            return ""
        recommended = f"the /{_PROXY_PREFIX} that Google recommends, which a base of a /{_PROXY_PREFIX - 4} has"
        return f"the proxy-only subnet `{self.proxy}` is smaller than {recommended}"


class AddressPlanError(ValueError):
    """A base cannot be used; `finding` is at its key of `network`.

    `overlapped`: the peer that the base overlaps. `for_the_demand`: a smaller demand would fit.
    """

    def __init__(
        self, finding: Finding, overlapped: IPv4Network | None = None, *, for_the_demand: bool = False
    ) -> None:
        self.finding, self.overlapped, self.for_the_demand = finding, overlapped, for_the_demand
        super().__init__(f"{finding.what}, because {finding.why}; {finding.fix}")


@cache
def address_plan(base: str, demand: Demand, peers: tuple[str, ...] = ()) -> AddressPlan:
    """Returns the ranges in this base. They are equal for all demands that fit. Raises AddressPlanError.

    `peers` are the networks to which the VPC networks are connected; texts that mean none are left out. If a fix names a network,
    the same demand fits into it with the same peers.
    """
    taken = tuple(filter(None, map(parsed, peers)))
    need = max(_needs(demand), key=lambda need: need.base)
    if need.base > _LARGEST.num_addresses:
        why = need.said(_LARGEST, f"the {_LARGEST.num_addresses} addresses of the largest private network, {_LARGEST},")
        fix = "plan for fewer nodes, or for fewer pods per node"
        raise _refusal("no base is large enough", why, fix, for_the_demand=True)
    room = _Room(33 - need.base.bit_length(), taken)
    network = parsed(base)
    if network is None:
        why = "all ranges of the cluster are parts of one"
        raise _refusal(f"base `{base}` is no IPv4 network", why, room.fix(None))
    if reason := _unusable(network):
        raise _refusal(f"base `{base}` cannot be used", reason, room.fix(network))
    if network.num_addresses < need.base:
        why = need.said(network, f"its {network.num_addresses} addresses")
        smallest = max(need.base for need in _needs(Demand(0, 0)))
        large = network.num_addresses >= smallest
        raise _refusal(f"base `{base}` is too small", why, room.fix(network), for_the_demand=large)
    shares = _split(network)
    for peer in taken:
        if hit := [f"`{name}` ({share})" for name, share in shares.items() if share.overlaps(peer)]:
            why = f"no route could tell the peer's addresses from those of {', '.join(hit)}"
            raise _refusal(f"base `{base}` overlaps peer `{peer}`", why, room.fix(network), overlapped=peer)
    if str(network) != base:
        why = "it is its first address and the length of its prefix that name one"
        raise _refusal(f"base `{base}` is not written as a network", why, f"write `{network}`")
    return AddressPlan(
        nodes=shares["nodes"],
        pods=shares["pods"],
        services=next(shares["services"].subnets(new_prefix=max(_SERVICES_PREFIX, shares["services"].prefixlen))),
        proxy=shares["proxy"],
        gvnic=shares["gvnic"],
        rdma=tuple(shares["rdma"].subnets(prefixlen_diff=3)),
    )


def _split(base: IPv4Network) -> dict[str, IPv4Network]:
    """Returns the ranges: half of the base for `pods`, a quarter for `rdma`, a sixteenth for each of the others.

    With 110 pods per node a node takes 256 addresses of `pods` and one of each other range, so `pods` is exhausted first.
    """
    pods, rest = base.subnets()
    rdma, rest = rest.subnets()
    nodes, services, gvnic, proxy = rest.subnets(prefixlen_diff=2)
    return {"pods": pods, "rdma": rdma, "nodes": nodes, "services": services, "gvnic": gvnic, "proxy": proxy}


@dataclass(frozen=True)
class _Need:
    """The need of a range that gets 2^-`bits` of the base: `addresses`, a power of two, and the reason."""

    range: str
    bits: int
    addresses: int
    reason: str

    @property
    def base(self) -> int:
        """The number of addresses of the smallest base that is large enough."""
        return self.addresses << self.bits

    def said(self, base: IPv4Network, of: str) -> str:
        """Returns why the base is too small."""
        gets = base.num_addresses >> self.bits
        return f"{self.range} gets {gets} of {of} and must have {self.addresses}: {self.reason}"


def _needs(demand: Demand) -> tuple[_Need, ...]:
    """Returns the needs of the ranges that can be too small for a demand.

    `pods`: GKE gives each node a block of twice its pods, rounded up to a power of two (GKE docs). `rdma`: a node with
    accelerators has one interface in each of the 8 subnets (cluster-toolkit). `proxy`: a /26 at least (the load balancers' docs).
    If these ranges are large enough, so are the others: `nodes` and `gvnic` have twice the addresses of a subnet of `rdma` and
    more than `pods` has blocks; and `pods` (at least a /24), `services` (a /27) and all subnets (a /29) are larger than Google's
    minimum.
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
    """The space for another base: the longest prefix that is large enough, and the peers it must not overlap."""

    prefix: int
    peers: tuple[IPv4Network, ...]

    def fix(self, base: IPv4Network | None) -> str:
        """Returns a fix with the base itself, enlarged, if that is valid; else with the first free network, if possible as
        large as the base.
        """
        small = base is not None and base.prefixlen > self.prefix
        length = self.prefix if base is None or small else base.prefixlen
        grown = [base.supernet(new_prefix=self.prefix)] if base is not None and small else []
        found = next(filter(self._free, chain(grown, _private(length), _private(self.prefix))), None)
        if found is None:
            return f"free a /{self.prefix} of private space: the peers leave none"
        example = f"e.g. `base: {found}`"
        return f"use a /{self.prefix} or larger, {example}" if small else f"use another base, {example}"

    def _free(self, network: IPv4Network) -> bool:
        return not _unusable(network) and not any(map(network.overlaps, self.peers))


def _private(prefix: int) -> Iterator[IPv4Network]:
    """Yields all private networks of this prefix length."""
    for space in PRIVATE:
        if space.prefixlen <= prefix:
            yield from space.subnets(new_prefix=prefix)


def _unusable(network: IPv4Network) -> str:
    """Returns why no cluster can use this network; empty if one can."""
    if not any(map(network.subnet_of, PRIVATE)):
        return next((reason for special, reason in _SPECIAL.items() if network.subnet_of(special)), _PUBLIC)
    return f"nodes have Docker's bridge in {_DOCKER} and reach nobody else there" if network.overlaps(_DOCKER) else ""


def unusable_peers(peers: Sequence[str]) -> Iterator[Finding]:
    """Yields findings, at an item of `peers`, about texts that are not written as networks."""
    for index, text in enumerate(peers):
        network = parsed(text)
        if str(network) != text:
            fix = (
                f"write `{network}`"
                if network
                else "write its first address and prefix length, such as `10.128.0.0/16`"
            )
            what, why = f"peer `{text}` is no IPv4 network", "the base must not overlap it"
            yield Finding(at=("peers", index), what=what, why=why, fix=fix)


def _refusal(
    what: str, why: str, fix: str, *, overlapped: IPv4Network | None = None, for_the_demand: bool = False
) -> AddressPlanError:
    finding = Finding(at=("base",), what=what, why=why, fix=fix)
    return AddressPlanError(finding, overlapped, for_the_demand=for_the_demand)


def parsed(text: str) -> IPv4Network | None:
    """Returns the network that a text means, also with host bits or a netmask; None for other texts and single addresses."""
    try:
        return IPv4Network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
