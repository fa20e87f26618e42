"""The address plan: Google's own numbers first, then the laws of the split, then the bases and peers that are refused."""

import itertools
import random
import re
from ipaddress import IPv4Address, IPv4Network

import pytest

from stacks.clouds.gke.addresses import AddressPlan, AddressPlanError, Demand, address_plan, unusable_peers

SMALL = Demand(accelerator_nodes=2, system_nodes=3)
#: Node counts around what subnets hold (2^n - 4), with the pods per node on both sides of GKE's blocks.
DEMANDS = [
    Demand(accelerators, system, surge, pods)
    for accelerators, system, surge, pods in itertools.product(
        (0, 1, 2, 4, 5, 12, 13, 28, 29, 100, 2044, 2045, 30_000, 524_284), (0, 3), (0, 1), (8, 9, 64, 110, 129, 256)
    )
]
PREFIXES = range(8, 30)
LARGEST = address_plan("10.0.0.0/8", Demand(0, 0))
PRIVATE = [IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]


def ranges(plan: AddressPlan) -> list[IPv4Network]:
    return [plan.nodes, plan.pods, plan.services, plan.proxy, plan.gvnic, *plan.rdma]


def fits(plan: AddressPlan, demand: Demand) -> bool:
    """Google's rules, by counting: what GKE and VPC networks would take, and what the nodes would find room in."""
    block = next(2**n for n in range(32) if 2**n >= 2 * demand.max_pods_per_node)
    with_accelerators = demand.accelerator_nodes + demand.surge
    return (
        plan.pods.num_addresses // block >= with_accelerators + demand.system_nodes
        and plan.nodes.num_addresses - 4 >= with_accelerators + demand.system_nodes
        and all(subnet.num_addresses - 4 >= with_accelerators for subnet in (plan.gvnic, *plan.rdma))
        and len(plan.rdma) == 8
        and plan.pods.prefixlen in range(9, 25)
        and plan.services.prefixlen in range(16, 28)
        and plan.proxy.prefixlen <= 26
        and all(subnet.prefixlen <= 29 for subnet in (plan.nodes, plan.gvnic, *plan.rdma))
    )


def planned(base: str, demand: Demand, peers: tuple[str, ...] = ()) -> AddressPlan | AddressPlanError:
    try:
        return address_plan(base, demand, peers)
    except AddressPlanError as error:
        return error


def refusal(base: str, demand: Demand = SMALL, peers: tuple[str, ...] = ()) -> AddressPlanError:
    with pytest.raises(AddressPlanError) as caught:
        address_plan(base, demand, peers)
    return caught.value


def advised(error: AddressPlanError) -> str:
    """The network that a fix names."""
    found = re.findall(r"`(?:base: )?([\d.]+/\d+)`", error.finding.fix)
    assert len(found) == 1, error.finding.fix
    return str(found[0])


def test_the_split_of_a_sixteen() -> None:
    assert address_plan("10.0.0.0/16", SMALL) == AddressPlan(
        pods=IPv4Network("10.0.0.0/17"),
        rdma=tuple(IPv4Network(f"10.0.{third}.0/21") for third in range(128, 192, 8)),
        nodes=IPv4Network("10.0.192.0/20"),
        services=IPv4Network("10.0.208.0/20"),
        gvnic=IPv4Network("10.0.224.0/20"),
        proxy=IPv4Network("10.0.240.0/20"),
    )


def test_a_pods_range_holds_googles_number_of_nodes() -> None:
    """/17 is 128 nodes of 110 pods each."""
    address_plan("10.0.0.0/16", Demand(125, 2, surge=1))
    error = refusal("10.0.0.0/16", Demand(126, 2, surge=1))
    assert (error.finding.what, error.finding.fix) == (
        "base `10.0.0.0/16` is too small", "use a /15 or larger, e.g. `base: 10.0.0.0/15`",
    )  # fmt: skip
    assert error.finding.why == "`pods` gets 32768 of its 65536 addresses and must have 65536: 129 nodes with 256 each"
    assert str(error) == f"{error.finding.what}, because {error.finding.why}; {error.finding.fix}"


def test_eight_subnets_of_an_eighteen_hold_2044_nodes() -> None:
    plan = address_plan("10.0.0.0/16", Demand(2044, 3, max_pods_per_node=8))
    assert [subnet.prefixlen for subnet in plan.rdma] == [21] * 8
    assert plan.rdma[0].supernet(new_prefix=18) == IPv4Network("10.0.128.0/18")
    error = refusal("10.0.0.0/16", Demand(2045, 3, max_pods_per_node=8))
    assert error.finding.why == (
        "each of the 8 subnets `rdma` gets 2048 of its 65536 addresses and must have 4096: 2045 nodes, and Google keeps 4"
    )
    assert advised(error) == "10.0.0.0/15"


def test_a_surge_node_may_be_of_any_pool() -> None:
    address_plan("10.0.0.0/16", Demand(2043, 3, surge=1, max_pods_per_node=8))
    assert "rdma" in refusal("10.0.0.0/16", Demand(2043, 2, surge=2, max_pods_per_node=8)).finding.why


@pytest.mark.parametrize(
    ("pods", "nodes"), [(8, 2048), (9, 1024), (16, 1024), (17, 512), (64, 256), (65, 128), (110, 128), (129, 64), (256, 64)]
)  # fmt: skip
def test_gkes_blocks(pods: int, nodes: int) -> None:
    """/28 per node for 8 pods, /24 for 110, /23 for 256."""
    address_plan("10.0.0.0/16", Demand(0, nodes, max_pods_per_node=pods))
    assert "`pods`" in refusal("10.0.0.0/16", Demand(0, nodes + 1, max_pods_per_node=pods)).finding.why


def test_two_accelerator_and_three_system_nodes_need_a_twenty() -> None:
    assert advised(refusal("10.0.0.0/21")) == "10.0.0.0/20"
    assert address_plan("10.0.0.0/20", SMALL).pods == IPv4Network("10.0.0.0/21")


def test_the_smallest_of_all_is_what_a_proxy_only_subnet_needs() -> None:
    """A /22, asked for a gateway or not: turning it on later must not need another base."""
    plan = address_plan("10.0.0.0/22", Demand(0, 0))
    assert plan.proxy.prefixlen == 26
    error = refusal("10.0.0.0/23", Demand(0, 0))
    assert (
        error.finding.why
        == "`proxy` gets 32 of its 512 addresses and must have 64: Google takes no smaller proxy-only subnet"
    )
    for longer in (30, 31, 32):
        assert advised(refusal(f"10.0.0.0/{longer}", Demand(0, 0))) == "10.0.0.0/22"


def test_a_small_proxy_only_subnet_is_advised_against() -> None:
    """64 addresses at least, 512 recommended."""
    assert address_plan("10.0.0.0/19", SMALL).proxy_warning == ""
    assert address_plan("10.0.0.0/20", SMALL).proxy_warning == (
        "the proxy-only subnet `10.0.15.0/24` is smaller than the /23 that Google recommends, which a base of a /19 has"
    )


def test_a_services_range_stays_within_what_gke_takes() -> None:
    assert address_plan("10.0.0.0/8", SMALL).services == IPv4Network("10.208.0.0/16")
    assert address_plan("10.0.0.0/12", SMALL).services == IPv4Network("10.13.0.0/16")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_plan_that_fits_or_the_smallest_base_that_would(prefix: int) -> None:
    base = f"10.0.0.0/{prefix}"
    plans = set()
    for demand in DEMANDS:
        answer = planned(base, demand)
        if isinstance(answer, AddressPlan):
            assert fits(answer, demand)
            plans.add(answer)
        elif answer.finding.what == "no base is large enough":
            assert not fits(LARGEST, demand)
        else:
            smallest = IPv4Network(advised(answer))
            assert smallest.prefixlen < prefix
            assert answer.finding.fix == f"use a /{smallest.prefixlen} or larger, e.g. `base: {smallest}`"
            assert fits(address_plan(str(smallest), demand), demand)
            assert advised(refusal(f"10.0.0.0/{smallest.prefixlen + 1}", demand)) == str(smallest)
    # One base, one plan: the nodes may come and go.
    assert len(plans) == (1 if prefix <= 22 else 0)


@pytest.mark.parametrize("prefix", range(8, 23))
def test_ranges_lie_in_the_base_and_never_overlap(prefix: int) -> None:
    chance = random.Random(f"address plan {prefix}")
    for space in PRIVATE:
        if space.prefixlen > prefix:
            continue
        first = int(space[0]) + chance.randrange(2 ** (prefix - space.prefixlen)) * 2 ** (32 - prefix)
        base = IPv4Network((first, prefix))
        if base.overlaps(IPv4Network("172.17.0.0/16")):
            continue
        found = ranges(address_plan(str(base), Demand(0, 0)))
        assert len(found) == 13
        assert all(network.subnet_of(base) for network in found)
        assert not [pair for pair in itertools.combinations(found, 2) if pair[0].overlaps(pair[1])]


def test_the_range_of_the_nodes_is_never_the_short_one() -> None:
    """The control plane's endpoint and internal load balancers find 28 addresses there when `pods` is full, at the least."""
    plans = [address_plan(f"10.0.0.0/{prefix}", Demand(0, 0)) for prefix in range(8, 23)]
    assert min(plan.nodes.num_addresses - 4 - plan.pods.num_addresses // 16 for plan in plans) == 28


def test_more_nodes_than_private_space_has_room_for() -> None:
    address_plan("10.0.0.0/8", Demand(32_765, 3))
    for base in ("10.0.0.0/8", "10.0.0.0/24", "nonsense"):
        error = refusal(base, Demand(1_000_000, 3))
        assert error.finding.what == "no base is large enough"
        assert error.finding.why == (
            "`pods` gets 8388608 of the 16777216 addresses of the largest private network, 10.0.0.0/8, "
            "and must have 268435456: 1000003 nodes with 256 each"
        )
        assert error.finding.fix == "plan for fewer nodes, or for fewer pods per node"


@pytest.mark.parametrize(
    ("base", "why"),
    [
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/8", "not every operating system"),
        ("0.0.0.0/8", "Internet"),
        ("0.0.0.0/0", "Internet"),
        ("8.8.0.0/16", "Internet"),
        ("10.0.0.0/7", "Internet"),
        ("172.32.0.0/16", "Internet"),
        ("100.128.0.0/16", "Internet"),
        ("8.8.0.1/30", "Internet"),  # not of its host bits, nor of its size: neither would help
        ("172.17.0.0/16", "Docker"),
        ("172.17.16.0/20", "Docker"),
        ("172.16.0.0/12", "Docker"),
    ],
)
def test_bases_outside_of_private_space_or_on_dockers_bridge(base: str, why: str) -> None:
    error = refusal(base)
    assert error.finding.what == f"base `{base}` cannot be used"
    assert why in error.finding.why
    address_plan(advised(error), SMALL)


@pytest.mark.parametrize("base", ["10.64.0.0/16", "172.16.0.0/16", "172.18.0.0/16", "192.168.0.0/16", "100.64.0.0/10"])
def test_bases_of_private_space(base: str) -> None:
    assert address_plan(base, SMALL).pods.supernet() == IPv4Network(base)


@pytest.mark.parametrize("base", ["", "nonsense", "10.0.0.0", "10.0.0.0/33", "10.0.0/16", "fd20::/20", "10.0.0.0/16/1"])
def test_what_is_no_network(base: str) -> None:
    error = refusal(base)
    assert error.finding.what == f"base `{base}` is no IPv4 network"
    address_plan(advised(error), SMALL)


@pytest.mark.parametrize(
    ("base", "fix"),
    [
        ("10.0.0.1/16", "10.0.0.0/16"),
        ("10.0.16.0/16", "10.0.0.0/16"),
        ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
        ("10.0.0.0/016", "10.0.0.0/16"),
    ],
)
def test_host_bits_and_other_ways_to_write_it(base: str, fix: str) -> None:
    error = refusal(base)
    assert error.finding.what == f"base `{base}` is not written as a network"
    assert error.finding.fix == f"write `{fix}`"
    address_plan(advised(error), SMALL)


def test_a_base_that_is_too_small_grows_where_it_is_if_it_can() -> None:
    assert advised(refusal("192.168.48.0/24")) == "192.168.48.0/20"
    assert advised(refusal("192.168.48.0/24", Demand(1000, 3))) == "10.0.0.0/13"
    assert advised(refusal("10.0.0.0/24", peers=("10.0.8.0/24",))) == "10.0.16.0/20"
    assert advised(refusal("192.168.48.0/24", Demand(32_000, 3))) == "10.0.0.0/8"
    assert refusal("172.17.255.0/24").finding.fix == "use a /20 or larger, e.g. `base: 10.0.0.0/20`"
    assert refusal("172.17.240.0/20").finding.fix == "use another base, e.g. `base: 10.0.0.0/20`"
    assert refusal("172.17.0.0/16").finding.fix == "use another base, e.g. `base: 10.0.0.0/16`"


def test_a_peer_that_overlaps() -> None:
    error = refusal("10.0.0.0/16", peers=("10.1.0.0/16", "10.0.200.0/24"))
    assert error.finding.what == "base `10.0.0.0/16` overlaps peer `10.0.200.0/24`"
    assert error.finding.why == "no route could tell the peer's addresses from those of `nodes` (10.0.192.0/20)"
    assert advised(error) == "10.2.0.0/16"
    address_plan(advised(error), SMALL, ("10.1.0.0/16", "10.0.200.0/24"))
    across = refusal("10.0.0.0/16", peers=("10.0.128.0/17",))
    assert re.findall(r"`(\w+)`", across.finding.why) == ["rdma", "nodes", "services", "gvnic", "proxy"]
    assert re.findall(r"`(\w+)`", refusal("10.0.0.0/16", peers=("10.0.0.0/8",)).finding.why)[0] == "pods"
    assert advised(refusal("10.0.0.0/16", peers=("10.0.0.0/8",))) == "172.16.0.0/16"
    # No /8 beside it is free, but a smaller one does.
    assert advised(refusal("10.0.0.0/8", peers=("10.0.0.0/24",))) == "10.0.16.0/20"


def test_peers_that_leave_nothing() -> None:
    everything = tuple(map(str, PRIVATE))
    for base in ("10.0.0.0/16", "10.0.0.0/24", "8.8.0.0/16", "nonsense"):
        assert refusal(base, peers=everything).finding.fix == "free a /20 of private space: the peers leave none"
    left = (*everything[1:], "10.0.0.0/9", "10.192.0.0/10", "10.128.0.0/10")
    assert refusal("10.0.0.0/16", peers=left).finding.fix == "free a /20 of private space: the peers leave none"
    assert advised(refusal("10.0.0.0/16", peers=left[:-1])) == "10.128.0.0/16"


def test_peers_beside_the_base_and_public_ones() -> None:
    alone = address_plan("10.0.0.0/16", SMALL)
    assert address_plan("10.0.0.0/16", SMALL, ("10.1.0.0/16", "192.168.0.0/16", "34.118.224.0/20")) == alone


@pytest.mark.parametrize(
    ("peer", "fix"),
    [
        ("nonsense", "write its first address and prefix length, such as `10.128.0.0/16`"),
        ("fd20::/20", "write its first address and prefix length, such as `10.128.0.0/16`"),
        ("10.9.0.7/16", "write `10.9.0.0/16`"),
    ],
)
def test_peers_that_are_no_networks(peer: str, fix: str) -> None:
    (found,) = unusable_peers(["10.1.0.0/16", peer])
    assert (found.at, found.fix) == (("peers", 1), fix)
    assert found.what.startswith(f"peer `{peer}` is no")


def test_a_peer_that_means_a_network_counts_however_it_is_written() -> None:
    assert "overlaps peer `10.0.0.0/8`" in str(refusal("10.0.0.0/16", peers=("10.9.0.7/8",)))
    assert address_plan("10.0.0.0/16", SMALL, ("nonsense",)) == address_plan("10.0.0.0/16", SMALL)


@pytest.mark.parametrize("base", ["ten", "8.8.0.0/22", "10.0.0.1/22", "10.9.0.0/22", "10.0.0.0/30"])
def test_the_network_that_is_proposed_has_room_for_the_nodes(base: str) -> None:
    """Whatever is wrong with the base: NET-01's fix must not be what NET-03 refuses."""
    with pytest.raises(AddressPlanError) as caught:
        address_plan(base, Demand(64, 3), ("10.9.0.0/16",))
    assert address_plan(advised(caught.value), Demand(64, 3), ("10.9.0.0/16",))


def test_every_fix_works_beside_any_peers() -> None:
    chance = random.Random("peers")
    refused = 0
    for _ in range(300):
        peers = tuple(str(somewhere(chance, chance.randint(8, 16))) for _ in range(chance.randint(1, 4)))
        demand = Demand(chance.randint(0, 40), chance.randint(0, 5))
        network = somewhere(chance, chance.randint(8, 26))
        host = chance.choice((0, 0, chance.randrange(network.num_addresses)))
        answer = planned(f"{network[0] + host}/{network.prefixlen}", demand, peers)
        if isinstance(answer, AddressPlan):
            assert not [peer for peer in peers if network.overlaps(IPv4Network(peer))]
            assert fits(answer, demand)
        elif "leave none" not in answer.finding.fix:
            refused += 1
            assert fits(address_plan(advised(answer), demand, peers), demand)
    assert 50 < refused < 300


def somewhere(chance: random.Random, prefix: int) -> IPv4Network:
    space = chance.choice([*PRIVATE, IPv4Network("0.0.0.0/0")])
    address = IPv4Address(int(space[0]) + chance.randrange(space.num_addresses))
    return IPv4Network((address, max(prefix, space.prefixlen)), strict=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accelerator_nodes", -1), ("system_nodes", -1), ("surge", -1), ("max_pods_per_node", 7),
        ("max_pods_per_node", 257), ("max_pods_per_node", 0), ("system_nodes", True), ("surge", 1.5),
    ],
)  # fmt: skip
def test_demands_that_cannot_be(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=field):
        Demand(**{"accelerator_nodes": 2, "system_nodes": 3, field: value})
