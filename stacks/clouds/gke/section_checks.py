"""Checks of `cluster.gke` by itself; their rows are in `stacks.clouds.gke.rules`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stacks.clouds.gke.addresses import AddressPlanError, Demand, address_plan, parsed, unusable_peers
from stacks.clouds.gke.maintenance import shortage
from stacks.clouds.gke.placeholders import is_placeholder
from stacks.clouds.gke.pools import SYSTEM
from stacks.clouds.gke.settings import demand
from stacks.clouds.gke.spec import Gke
from stacks.clouds.gke.versions import offers_command, parse
from stacks.clouds.rules import min_exceeds_max
from stacks.findings import Finding, answered

if TYPE_CHECKING:
    from stacks.rules.facts import Facts

KEY = "gke"
HERE = ("cluster", "gke")
_POOL = (*HERE, "acceleratorPool")
#: Labels of these are GKE's or the plan's to write; what they say decides how nodes are set up.
GKES_LABELS = (
    *("gke.io/", "gke.networks.io/", "cloud.google.com/", "googleapis.com/", "goog-gke-"),
    *("kubernetes.io/", "k8s.io/"),
)
PLANS_LABELS = ("gke-no-default-nvidia-gpu-device-plugin", "nvidia.com/gpu.present")
#: How machine types with accelerators begin (Compute Engine's machine families).
ACCELERATED = ("a2-", "a3-", "a4-", "a4x-", "g2-", "g4-", "ct", "tpu")
_RESERVATION = r"projects/[^/]+/reservations/[^/]+(/reservationBlocks/[^/]+(/reservationSubBlocks/[^/]+)?)?"


def gke_section(facts: "Facts") -> Iterator[Finding]:
    """A cluster that is to be made is described."""
    if facts.spec.cluster.provider == KEY and facts.spec.cluster.section is None:
        what, why = "`gke` is missing", "it says in which project and zone the cluster is made"
        fix = "write `gke: {project: …, region: …, zone: …, version: …, capacity: …}` under `cluster`"
        yield Finding(at=HERE, what=what, why=why, fix=fix)


def whole_version(facts: "Facts") -> Iterator[Finding]:
    """GKE-17: a version is one, and not a family of them."""
    gke = stated(facts)
    if gke and parse(gke.version) is None and not is_placeholder(gke.version):
        what, why = f"`{gke.version}` is no whole version", "GKE would choose one, and every preview show a change"
        region = next(answered(lambda: gke.region), "REGION")
        fix = f"write one like `1.35.2-gke.1234000`; `{offers_command(region)}` lists those that GKE offers"
        yield Finding(at=(*HERE, "version"), what=what, why=why, fix=fix)


def enough_maintenance(facts: "Facts") -> Iterator[Finding]:
    """GKE-29: a window that is open for as long as GKE demands. One of every day is."""
    if (gke := stated(facts)) and (words := shortage(gke.maintenance_window)):
        what, why, fix = words
        yield Finding(at=(*HERE, "maintenanceWindow", "days"), what=what, why=why, fix=fix)


def own_region(facts: "Facts") -> Iterator[Finding]:
    """GKE-10: the zone of the nodes is in the region of their network."""
    if (gke := stated(facts)) and gke.zone.rpartition("-")[0] != gke.region:
        what, why = (
            f"zone {gke.zone} is not in {gke.region}",
            "the cluster's subnets are in the region, its nodes in the zone",
        )
        yield Finding(
            at=(*HERE, "zone"),
            what=what,
            why=why,
            fix=f"write `region: {gke.zone.rpartition('-')[0]}`, or another zone",
        )


def own_labels(facts: "Facts") -> Iterator[Finding]:
    """GKE-08: labels that set nodes up are left to GKE and to the plan."""
    gke = stated(facts)
    for key in gke.accelerator_pool.labels if gke else ():
        if key in PLANS_LABELS or any(theirs in key for theirs in GKES_LABELS):
            what, why = f"label `{key}` is not the stack's to set", "GKE sets nodes up by it: drivers, NICs, placement"
            yield Finding(
                at=(*_POOL, "labels", key),
                what=what,
                why=why,
                fix=f"leave `{key}` out; `rdma` says how nodes are set up",
            )


def bounds_of_the_system_pool(facts: "Facts") -> Iterator[Finding]:
    """GKE-21: min <= max."""
    if (gke := stated(facts)) and (system := gke.system_pool).min > system.max:
        yield min_exceeds_max((*HERE, "systemPool"), system.min, system.max)


def pool_names(facts: "Facts") -> Iterator[Finding]:
    """Two pools, two names."""
    if (gke := stated(facts)) and gke.accelerator_pool.name == SYSTEM:
        what, why = f"both pools are called `{SYSTEM}`", "a pool's name is there once in a cluster"
        yield Finding(at=(*_POOL, "name"), what=what, why=why, fix="give it another name, or leave it out")


def system_nodes(facts: "Facts") -> Iterator[Finding]:
    """The system pool's machines have no accelerators, which would be paid for and never used."""
    if (gke := stated(facts)) and gke.system_pool.machine_type.startswith(ACCELERATED):
        what = f"`{gke.system_pool.machine_type}` has accelerators"
        why = "the router and GKE's own pods would run on it, and it is paid for"
        fix = "write a general-purpose type, such as `e2-standard-16`"
        yield Finding(at=(*HERE, "systemPool", "machineType"), what=what, why=why, fix=fix)


def one_source(facts: "Facts") -> Iterator[Finding]:
    """CAP-01: it is said where the nodes come from, once."""
    if (gke := stated(facts)) is None:
        return
    given, options = gke.capacity, "`reservation: …`, `spot: true`, `flexStart: {}` or `onDemand: true`"
    said = {
        "reservation": given.reservation,
        "spot": given.spot,
        "flexStart": given.flex_start is not None,
        "onDemand": given.on_demand,
    }
    chosen = [key for key, value in said.items() if value]
    if len(chosen) != 1:
        what = f"{' and '.join(chosen)} are said" if chosen else "it is not said where the nodes come from"
        why = "each is another price, and another way not to get them"
        fix = f"keep one of {', '.join(chosen)}" if chosen else f"write {options}"
        yield Finding(at=(*HERE, "capacity"), what=what, why=why, fix=fix)


def whole_reservation(facts: "Facts") -> Iterator[Finding]:
    """CAP-02: a reservation in full, as other projects may have one of the name."""
    gke = stated(facts)
    name = gke.capacity.reservation if gke else None
    if gke and name and not is_placeholder(name) and not re.fullmatch(_RESERVATION, name):
        what, why = f"`{name}` is no reservation's full name", "its project and name are what the nodes are matched by"
        found, bare = re.search(r"projects/([^/]+)", name), re.search(r"reservations/([^/]+)", name)
        project = found[1] if found else next(answered(lambda: gke.project), "PROJECT")
        whole = f"projects/{project}/reservations/{bare[1] if bare else name.strip('/').rpartition('/')[2]}"
        yield Finding(at=(*HERE, "capacity", "reservation"), what=what, why=why, fix=f"write `{whole}`")


def base_lies_free(facts: "Facts") -> Iterator[Finding]:
    """NET-01: peers are networks; the base is a private one that overlaps none of them, and not too small for any cluster."""
    if gke := stated(facts):
        yield from map(_in_the_network, unusable_peers(gke.network.peers))
    for error in _refused(facts):
        if not error.for_the_demand:
            yield _of_the_base(facts, error)


def base_has_pods(facts: "Facts") -> Iterator[Finding]:
    """NET-03: a block of addresses for the pods of every node. Of what else nodes need they run out later."""
    for error in _refused(facts):
        if error.for_the_demand:
            yield _of_the_base(facts, error)


def gateways_of_its_own(facts: "Facts") -> Iterator[Finding]:
    """A Gateway of GKE's needs a cluster that can have some."""
    gke, gateway = stated(facts), facts.router.gateway
    if gke and gke.gateways is False and gateway and gateway.provider == KEY:
        what, why = "`gateways: false`", "the router's Gateway is GKE's, and would never get an address"
        yield Finding(at=(*HERE, "gateways"), what=what, why=why, fix="leave it out")


def stated(facts: "Facts") -> Gke | None:
    return facts.spec.cluster.own(Gke)


def _refused(facts: "Facts") -> Iterator[AddressPlanError]:
    if (gke := stated(facts)) is None:
        return
    network = gke.network
    try:
        address_plan(network.base, next(answered(lambda: _demand(facts, gke)), Demand(0, 0)), network.peers)
    except AddressPlanError as error:
        yield error


def _demand(facts: "Facts", gke: Gke) -> Demand:
    nodes = facts.spec.cluster.nodes
    return demand(gke, nodes) if nodes else Demand(0, 0)


def _of_the_base(facts: "Facts", error: AddressPlanError) -> Finding:
    found, gke = error.finding, stated(facts)
    assert gke is not None  # of which the plan was made
    network = gke.network
    if error.overlapped and "base" not in network.model_fields_set:  # only the peer is in the file
        found = replace(found, at=("peers", [*map(parsed, network.peers)].index(error.overlapped)))
    return _in_the_network(found)


def _in_the_network(found: Finding) -> Finding:
    return replace(found, at=(*HERE, "network", *found.at))
