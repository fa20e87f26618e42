"""The address ranges of a CoreWeave VPC: their names there, and the reasons why a range cannot be used. Pure arithmetic.

No base is split here: ranges never move, and a team gets each one from its network administrators. IPv6 and the zone's default
range of hosts, which the server chooses, are left out.
"""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations

from pydantic.alias_generators import to_camel

from stacks.clouds.coreweave.spec import Vpc
from stacks.clouds.gke.addresses import PRIVATE, parsed
from stacks.findings import Finding, Place, answered

PODS, SERVICES = "pods", "services"
#: Addresses of the pods' range per node: a /13 is for 4,000 nodes with 100 pods each (CoreWeave's sizes).
POD_BLOCK = 128
#: Addresses of the hosts' range per node (the same page). CoreWeave accepts a range of any size since its provider's 0.15.1 of
#: 2026-06-29. NVL72 racks and SUNK need a /18; neither is made here.
HOST_BLOCK = 2
#: Networks in the form that is asked for: the defaults, which go together.
_EXAMPLES = {PODS: Vpc().pods, SERVICES: Vpc().services, "internalLoadBalancers": Vpc().internal_load_balancers[0]}
_ONES_OWN = " or ".join((", ".join(map(str, PRIVATE[:-1])), str(PRIVATE[-1])))


def internal_lb(index: int) -> str:
    """Returns the name of a range of internal load balancers, by its index in the list."""
    return f"internal-lb-{index + 1}"


def prefixes(vpc: Vpc) -> dict[str, str]:
    """Returns the VPC's prefixes by name, without the hosts' range."""
    balancers = {internal_lb(index): given for index, given in enumerate(vpc.internal_load_balancers)}
    return {PODS: vpc.pods, SERVICES: vpc.services, **balancers}


def unusable(vpc: Vpc) -> Iterator[Finding]:
    """Yields findings, at a place in `vpc`, about ranges that are invalid, not private, or overlap: of two, at the first."""
    networks: list[tuple[Place, IPv4Network]] = []
    for at, text in _stated(vpc):
        found = _unusable(at, text)
        if found:
            yield found
        if network := parsed(text):
            networks.append((at, network))
    written = {*map(to_camel, vpc.model_fields_set)}
    for pair in combinations(networks, 2):
        # The first of the two that is in the file.
        (one, first), (other, second) = sorted(pair, key=lambda row: row[0][0] not in written)
        if first.overlaps(second) and (one[0], other[0]) != ("peers", "peers"):
            what, why = f"`{first}` overlaps `{second}` of `{other[0]}`", "no route could tell their addresses apart"
            yield Finding(at=one, what=what, why=why, fix="take another range for either")


def _unusable(at: Place, text: str) -> Finding | None:
    network = parsed(text)
    if network is None or str(network) != text:
        example = _EXAMPLES.get(str(at[0]), "10.128.0.0/24")
        fix = f"write `{network}`" if network else f"write its first address and prefix length, such as `{example}`"
        what, why = f"`{text}` is no IPv4 network", "its addresses are needed for the check"
        return Finding(at=at, what=what, why=why, fix=fix)
    if at[0] != "peers" and not any(map(network.subnet_of, PRIVATE)):
        why = "pods could not reach the Internet hosts that have these addresses"
        return Finding(at=at, what=f"`{text}` is not all private", why=why, fix=f"take it from {_ONES_OWN}")
    return None


def too_small(vpc: Vpc, nodes: int) -> Iterator[Finding]:
    """Yields findings, at a key of `vpc`, about ranges that do not have enough addresses for all nodes."""
    for key, text, block, what_for in (
        (PODS, vpc.pods, POD_BLOCK, "the pods of "),
        ("hosts", vpc.hosts, HOST_BLOCK, ""),
    ):
        network = parsed(text) if text else None
        if network and network.num_addresses < nodes * block:
            prefix = 32 - (nodes * block - 1).bit_length()
            what = f"`{text}` has room for {what_for}{network.num_addresses // block} nodes"
            why = f"there may be {nodes}, with {block} addresses each"
            largest = min(space.prefixlen for space in PRIVATE)
            fix = f"take a /{prefix} or larger: it can never grow" if prefix >= largest else "plan for fewer nodes"
            yield Finding(at=(key,), what=what, why=why, fix=fix)


def _stated(vpc: Vpc) -> Iterator[tuple[Place, str]]:
    one: Mapping[str, Callable[[], str | None]] = {
        PODS: lambda: vpc.pods,
        SERVICES: lambda: vpc.services,
        "hosts": lambda: vpc.hosts,
    }
    several = {"internalLoadBalancers": lambda: vpc.internal_load_balancers, "peers": lambda: vpc.peers}
    for key in (PODS, SERVICES, "internalLoadBalancers", "hosts", "peers"):
        if key in one:
            yield from (((key,), text) for text in answered(one[key]) if text is not None)
        else:
            yield from (((key, index), text) for texts in answered(several[key]) for index, text in enumerate(texts))


def overlapping(ranges: Mapping[str, str]) -> list[tuple[str, str]]:
    """Returns pairs of ranges, by name, that overlap. Invalid ranges are left out."""
    known = {name: network for name, text in ranges.items() if (network := parsed(text))}
    return [(one, other) for one, other in combinations(known, 2) if known[one].overlaps(known[other])]
