"""Rules of `cluster.gke`: what only more than one field of a stack file tells. Ids and what they are about are facts of GKE's.

What no stack file can change is a law of the plan (`stacks.clouds.gke.laws`), what refuses nothing a warning.
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from hardware.machines import GKE_POOLS, GkePool, RdmaMode, UnknownMachineError
from stacks.clouds import rules as maker_rules
from stacks.clouds.gke import blanks as gke_blanks
from stacks.clouds.gke.addresses import AddressPlanError, Demand, address_plan
from stacks.clouds.gke.laws.capacity import FLEX_SECONDS
from stacks.clouds.gke.maintenance import shortage
from stacks.clouds.gke.mixture import mixture, with_fitting_machine
from stacks.clouds.gke.pools import SYSTEM
from stacks.clouds.gke.site import demand
from stacks.clouds.gke.spec import Gke
from stacks.clouds.gke.versions import at_least, offers_command, parse
from stacks.clouds.rules import GKE
from stacks.rules.facts import ClusterSubject, Finding, Rule, Subject
from stacks.serving import workload as resolve
from stacks.spec.stack import StackSpec

HERE = "cluster.gke"
_POOL = f"{HERE}.acceleratorPool"
#: Labels of these are GKE's or the plan's to write; what they say decides how nodes are set up.
GKES_LABELS = (
    *("gke.io/", "gke.networks.io/", "cloud.google.com/", "googleapis.com/", "goog-gke-"),
    *("kubernetes.io/", "k8s.io/"),
)
PLANS_LABELS = ("gke-no-default-nvidia-gpu-device-plugin", "nvidia.com/gpu.present")
#: How machine types with accelerators begin (Compute Engine's machine families).
ACCELERATED = ("a2-", "a3-", "a4-", "a4x-", "g2-", "g4-", "ct", "tpu")
_RESERVATION = r"projects/[^/]+/reservations/[^/]+(/reservationBlocks/[^/]+(/reservationSubBlocks/[^/]+)?)?"


def gke_section(subject: ClusterSubject) -> Iterator[Finding]:
    """A cluster that is to be made is described."""
    if subject.spec.cluster.provider == "gke" and subject.spec.cluster.section is None:
        what, why = "`gke` is missing", "it says in which project and zone the cluster is made"
        fix = "write `gke: {project: …, region: …, zone: …, version: …, capacity: …}` under `cluster`"
        yield Finding(HERE, what, why, fix)


def as_existing(spec: StackSpec) -> StackSpec | None:
    """The spec as if the cluster were there."""
    there = {"provider": "existing", "protect": True, "allow_replace": ()}
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=there)})


def whole_version(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-17: a version is one, and not a family of them."""
    gke = _stated(subject)
    if gke and parse(gke.version) is None and not gke_blanks.is_blank(gke.version):
        what, why = f"`{gke.version}` is no whole version", "GKE would choose one, and every preview show a change"
        fix = f"write one like `1.35.2-gke.1234000`; `{offers_command(gke.region)}` lists those that GKE offers"
        yield Finding(f"{HERE}.version", what, why, fix)


def enough_maintenance(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-29: a window that is open for as long as GKE demands."""
    if (gke := _stated(subject)) and (words := shortage(gke.maintenance_window)):
        yield Finding(f"{HERE}.maintenanceWindow", *words)


def own_region(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-10: the zone of the nodes is in the region of their network."""
    if (gke := _stated(subject)) and gke.zone.rpartition("-")[0] != gke.region:
        what, why = (
            f"zone {gke.zone} is not in {gke.region}",
            "the cluster's subnets are in the region, its nodes in the zone",
        )
        yield Finding(f"{HERE}.zone", what, why, f"write `region: {gke.zone.rpartition('-')[0]}`, or another zone")


def own_labels(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-08: labels that set nodes up are left to GKE and to the plan."""
    for key in _stated_labels(subject):
        if key in PLANS_LABELS or any(theirs in key for theirs in GKES_LABELS):
            what, why = f"label `{key}` is not the stack's to set", "GKE sets nodes up by it: drivers, NICs, placement"
            yield Finding(f"{_POOL}.labels", what, why, f"leave `{key}` out; `rdma` says how nodes are set up")


def own_taints(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-24: a node has one taint of a key and an effect, and GKE's own is GKE's to put there."""
    gke, pool = _stated(subject), _pool(subject)
    seen: set[tuple[str, str]] = set()
    for taint in gke.accelerator_pool.taints if gke else ():
        pair = (taint["key"], taint["effect"])
        if pool and taint["key"] in {own.key for own in pool.machine.taints}:
            what, why = f"taint `{taint['key']}` is not the stack's to set", "GKE puts it on such nodes itself"
            yield Finding(f"{_POOL}.taints", what, why, "leave it out, or choose another key")
        elif pair in seen:
            what, why = f"taint `{pair[0]}:{pair[1]}` is there twice", "GKE would refuse the pool"
            yield Finding(f"{_POOL}.taints", what, why, "leave one out")
        seen.add(pair)


def bounds(subject: ClusterSubject) -> Iterator[Finding]:
    """min <= max of both pools, and the nodes between them."""
    if (gke := _stated(subject)) and (system := gke.system_pool).min > system.max:
        yield maker_rules.crossed(f"{HERE}.systemPool", system.min, system.max)
    yield from maker_rules.bounds(GKE, subject)


def pool_names(subject: ClusterSubject) -> Iterator[Finding]:
    """Two pools, two names."""
    if (gke := _stated(subject)) and gke.accelerator_pool.name == SYSTEM:
        what, why = f"both pools are called `{SYSTEM}`", "a pool's name is there once in a cluster"
        yield Finding(f"{_POOL}.name", what, why, "give it another name, or leave it out")


def system_nodes(subject: ClusterSubject) -> Iterator[Finding]:
    """The system pool's machines have no accelerators, which would be paid for and never used."""
    if (gke := _stated(subject)) and gke.system_pool.machine_type.startswith(ACCELERATED):
        what = f"`{gke.system_pool.machine_type}` has accelerators"
        why = "the router and GKE's own pods would run on it, and it is paid for"
        fix = "write a general-purpose type, such as `e2-standard-16`"
        yield Finding(f"{HERE}.systemPool.machineType", what, why, fix)


def one_source(subject: ClusterSubject) -> Iterator[Finding]:
    """CAP-01: it is said where the nodes come from, once."""
    if (gke := _stated(subject)) is None:
        return
    given, options = gke.capacity, "`reservation`, `spot: true`, `flexStart: {}`, `onDemand: true`"
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
        yield Finding(f"{HERE}.capacity", what, why, f"write one of {options}")


def whole_reservation(subject: ClusterSubject) -> Iterator[Finding]:
    """CAP-02: a reservation in full, as other projects may have one of the name."""
    gke = _stated(subject)
    name = gke.capacity.reservation if gke else None
    if gke and name and not gke_blanks.is_blank(name) and not re.fullmatch(_RESERVATION, name):
        what, why = f"`{name}` is no reservation's full name", "its project and name are what the nodes are matched by"
        bare = name if "/" not in name else "NAME"
        yield Finding(f"{HERE}.capacity.reservation", what, why, f"write `projects/{gke.project}/reservations/{bare}`")


def flex_start(subject: ClusterSubject) -> Iterator[Finding]:
    """CAP-03: flex-start's nodes stay a week at most, and need a GKE that has it for the machine."""
    gke, place = _stated(subject), f"{HERE}.capacity.flexStart"
    if gke is None or gke.capacity.flex_start is None:
        return
    seconds = gke.capacity.flex_start.max_run_duration
    if seconds > FLEX_SECONDS:
        what, why = f"{seconds} seconds are more than 7 days", "flex-start gives no longer"
        yield Finding(f"{place}.maxRunDuration", what, why, f"write {FLEX_SECONDS} at most")
    pool = _pool(subject)
    if pool and parse(gke.version) and not at_least(gke.version, pool.flex_since):
        what = f"GKE {gke.version} has no flex-start for {pool.machine.instance_type}"
        yield Finding(f"{HERE}.version", what, f"it came with {pool.flex_since}", f"write {pool.flex_since} or later")


def base_lies_free(subject: ClusterSubject) -> Iterator[Finding]:
    """NET-01: the base is a private network that overlaps no peer, and not too small for any cluster."""
    yield from _refused(subject, Demand(0, 0))


def base_has_pods(subject: ClusterSubject) -> Iterator[Finding]:
    """NET-03: a block of addresses for the pods of every node. Of what else nodes need they run out later."""
    if not [*base_lies_free(subject)] and (wanted := _demand(subject)):
        yield from _refused(subject, wanted)


def one_way_to_the_nics(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-12: nodes hand out what the pods ask for: claims, or the device plugin's GPUs."""
    gke, pool = _stated(subject), _pool(subject)
    if gke is None or pool is None:
        return
    if found := mixture(subject.spec, gke):
        yield found
        return
    if (mode := gke.rdma or pool.rdma) in pool.since:
        return
    spec, fixes = subject.spec, [_either(f"`rdma: {way}`" for way in pool.since)]
    if spec.cluster.machine:
        what = f"`rdma: {mode}` of machine {pool.machine.key}"
        why = f"such nodes are those of {_either(pool.since)}"
    elif spec.serving is not None:
        what = f"`rdma: {mode}` with fabric `{spec.served.fabric}`"
        why = f"its pods ask for {pool.machine.handed_out_as}, which such nodes do not hand out"
    if spec.serving is not None:
        fabrics = [f"`fabric: {fabric}`" for fabric in _fabrics(spec.served.accelerator, mode)]
        twins = [
            f"`machine: {row.machine.key}`" for row in GKE_POOLS.values() if _twin(row, pool) and mode in row.since
        ]
        place = f" with {_either(twins)}" if spec.cluster.machine else ""
        fixes += [f"{_either(fabrics)}{place}"] if fabrics else []
    yield Finding(f"{HERE}.rdma", what, f"{why}, and they would stay Pending for ever", f"write {', or '.join(fixes)}")


def gateways_of_its_own(subject: Subject) -> Iterator[Finding]:
    """A Gateway of GKE's needs a cluster that can have some."""
    gke, gateway = _stated(subject), subject.spec.router.gateway
    if gke and gke.gateways is False and gateway and gateway.provider == "gke":
        what, why = "`gateways: false`", "the router's Gateway is GKE's, and would never get an address"
        yield Finding(f"{HERE}.gateways", what, why, "leave it out")


def new_enough_for_gpus(subject: ClusterSubject) -> Iterator[Finding]:
    """GKE-01: the first GKE version that has the way to the NICs."""
    yield from _too_old(subject, gpus=True)


def new_enough_for_tpus(subject: ClusterSubject) -> Iterator[Finding]:
    """TPU-04: the first GKE version that has the TPU."""
    yield from _too_old(subject, gpus=False)


def _too_old(subject: ClusterSubject, *, gpus: bool) -> Iterator[Finding]:
    gke, pool = _stated(subject), _pool(subject)
    if gke is None or pool is None or bool(pool.gpu) != gpus or parse(gke.version) is None:
        return
    mode = gke.rdma or pool.rdma
    since = pool.since.get(mode)
    if since and not at_least(gke.version, since):
        what = f"GKE {gke.version} has no {pool.machine.instance_type}" + (f" with `rdma: {mode}`" if gpus else "")
        yield Finding(f"{HERE}.version", what, f"it came with {since}", f"write {since} or later")


def _stated(subject: ClusterSubject) -> Gke | None:
    return subject.spec.cluster.own(Gke)


def _stated_labels(subject: ClusterSubject) -> Iterator[str]:
    if gke := _stated(subject):
        yield from gke.accelerator_pool.labels


def _pool(subject: ClusterSubject) -> GkePool | None:
    """How the stack's machine is made; None where that is another rule's to refuse."""
    try:
        return GKE_POOLS.get(resolve.machine_of(subject.spec).key)
    except UnknownMachineError:
        return None


def _twin(row: GkePool, other: GkePool) -> bool:
    """The same machine, set up otherwise or not."""
    return row.machine.instance_type == other.machine.instance_type


def _fabrics(accelerator: str, mode: RdmaMode) -> list[str]:
    """Fabrics whose pods run on machines with this way to the NICs."""
    rows = [row.machine for row in GKE_POOLS.values() if mode in row.since]
    return [*dict.fromkeys(fabric for row in rows for key, fabric in row.serves if key == accelerator)]


def _demand(subject: ClusterSubject) -> Demand | None:
    gke, nodes = _stated(subject), subject.spec.cluster.nodes
    return demand(gke, nodes) if gke and nodes else None


def _refused(subject: ClusterSubject, wanted: Demand) -> Iterator[Finding]:
    if (gke := _stated(subject)) is None:
        return
    try:
        address_plan(gke.network.base, wanted, gke.network.peers)
    except AddressPlanError as error:
        key = "peers" if error.what.startswith("peer ") else "base"
        yield Finding(f"{HERE}.network.{key}", error.what, error.why, error.fix)


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)


GKE_DOCS, TOOLKIT = "GKE docs", "cluster-toolkit"

CLUSTER_03: Rule[ClusterSubject] = Rule("CLUSTER-03", "stacks/clouds/gke/spec.py", gke_section)
GKE_19: Rule[ClusterSubject] = Rule("GKE-19", GKE_DOCS, partial(maker_rules.own_machine, GKE))
#: Those that ask of the section alone, and those that also ask how its machine is made; in a stack that only makes nodes too.
OF_THE_SECTION: tuple[Rule[ClusterSubject], ...] = (
    Rule("GKE-08", "llm-d's GKE guide", own_labels),
    Rule("GKE-24", GKE_DOCS, own_taints),
    Rule("GKE-10", GKE_DOCS, own_region),
    Rule("GKE-17", GKE_DOCS, whole_version),
    Rule("GKE-29", GKE_DOCS, enough_maintenance),
    Rule("GKE-20", "stacks/clouds/gke/spec.py", partial(maker_rules.stated_nodes, GKE)),
    Rule("GKE-21", GKE_DOCS, bounds),
    Rule("GKE-22", GKE_DOCS, pool_names),
    Rule("GKE-27", GKE_DOCS, system_nodes),
    gke_blanks.RULE,
    Rule("CAP-01", TOOLKIT, one_source),
    Rule("CAP-02", TOOLKIT, whole_reservation),
    Rule("NET-01", "stacks/clouds/gke/addresses.py", base_lies_free),
    Rule("NET-03", "stacks/clouds/gke/addresses.py", base_has_pods),
)
OF_THE_MACHINE: tuple[Rule[ClusterSubject], ...] = (
    Rule("GKE-12", "llm-d's GKE guide", one_way_to_the_nics, gate=with_fitting_machine),
    Rule("GKE-01", TOOLKIT, new_enough_for_gpus),
    Rule("TPU-04", TOOLKIT, new_enough_for_tpus),
    Rule("CAP-03", TOOLKIT, flex_start),
)
#: Those that a stack that only makes nodes obeys.
RULES = (CLUSTER_03, *OF_THE_SECTION, GKE_19, *OF_THE_MACHINE)
