"""Checks of `cluster.gke` and the machine of its accelerator nodes; their rows are in `stacks.clouds.gke.rules`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hardware.machines import GKE_POOLS, GkePool, RdmaMode, machines_for
from stacks.clouds.gke.laws.capacity import FLEX_SECONDS
from stacks.clouds.gke.section_checks import _POOL, HERE, stated
from stacks.clouds.gke.spec import Gke
from stacks.clouds.gke.versions import at_least, parse
from stacks.findings import Finding, UnknownError

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


def own_taints(facts: "Facts") -> Iterator[Finding]:
    """GKE-24: a node has one taint of a key and an effect, and GKE's own is GKE's to put there."""
    gke, pool = stated(facts), _pool(facts)
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(gke.accelerator_pool.taints if gke else ()):
        pair = (taint["key"], taint["effect"])
        if pool and taint["key"] in {own.key for own in pool.machine.taints}:
            what, why = f"taint `{taint['key']}` is not the stack's to set", "GKE puts it on such nodes itself"
            yield Finding(
                at=(*_POOL, "taints", index), what=what, why=why, fix="take the item out, or choose another key"
            )
        elif pair in seen:
            what, why = f"taint `{pair[0]}:{pair[1]}` is there twice", "GKE would refuse the pool"
            yield Finding(at=(*_POOL, "taints", index), what=what, why=why, fix="take the item out")
        seen.add(pair)


def flex_start(facts: "Facts") -> Iterator[Finding]:
    """CAP-03: flex-start's nodes stay a week at most, and need a GKE that has it for the machine."""
    gke, place = stated(facts), (*HERE, "capacity", "flexStart")
    if gke is None or gke.capacity.flex_start is None:
        return
    seconds = gke.capacity.flex_start.max_run_duration
    if seconds > FLEX_SECONDS:
        what, why = f"{seconds} seconds are more than 7 days", "flex-start gives no longer"
        yield Finding(at=(*place, "maxRunDuration"), what=what, why=why, fix=f"write {FLEX_SECONDS} at most")
    pool = _pool(facts)
    if pool and parse(gke.version) and not at_least(gke.version, pool.flex_since):
        what = f"GKE {gke.version} has no flex-start for {pool.machine.instance_type}"
        yield Finding(
            at=(*HERE, "version"),
            what=what,
            why=f"it came with {pool.flex_since}",
            fix=f"write {pool.flex_since} or later",
        )


def one_way_to_the_nics(facts: "Facts") -> Iterator[Finding]:
    """GKE-12: nodes hand out what the pods ask for: claims, or the device plugin's GPUs."""
    gke, pool = stated(facts), _pool(facts)
    if gke is None or pool is None:
        return
    if found := device_handout_mismatch(facts, gke):
        yield found
        return
    if (mode := gke.rdma or pool.rdma) in pool.since:
        return
    spec, fixes = facts.corrected, [_either(f"`rdma: {way}`" for way in pool.since)]
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
    yield Finding(
        at=(*HERE, "rdma"),
        what=what,
        why=f"{why}, and they would stay Pending for ever",
        fix=f"write {', or '.join(fixes)}",
    )


def new_enough_for_gpus(facts: "Facts") -> Iterator[Finding]:
    """GKE-01: the first GKE version that has the way to the NICs."""
    yield from _too_old(facts, gpus=True)


def new_enough_for_tpus(facts: "Facts") -> Iterator[Finding]:
    """TPU-04: the first GKE version that has the TPU."""
    yield from _too_old(facts, gpus=False)


def _too_old(facts: "Facts", *, gpus: bool) -> Iterator[Finding]:
    gke, pool = stated(facts), _pool(facts)
    if gke is None or pool is None or bool(pool.gpu) != gpus or parse(gke.version) is None:
        return
    mode = gke.rdma or pool.rdma
    since = pool.since.get(mode)
    if since and not at_least(gke.version, since):
        what = f"GKE {gke.version} has no {pool.machine.instance_type}" + (f" with `rdma: {mode}`" if gpus else "")
        yield Finding(at=(*HERE, "version"), what=what, why=f"it came with {since}", fix=f"write {since} or later")


def _pool(facts: "Facts") -> GkePool | None:
    """The row of the stack's machine; None if another rule says why there is none."""
    try:
        return GKE_POOLS.get(facts.machine.key)
    except UnknownError:
        return None


def _twin(row: GkePool, other: GkePool) -> bool:
    """The same machine, set up otherwise or not."""
    return row.machine.instance_type == other.machine.instance_type


def _fabrics(accelerator: str, mode: RdmaMode) -> list[str]:
    """Fabrics whose pods run on machines with this way to the NICs."""
    rows = [row.machine for row in GKE_POOLS.values() if mode in row.since]
    return [*dict.fromkeys(fabric for row in rows for key, fabric in row.serves if key == accelerator)]


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)


def device_handout_mismatch(facts: "Facts", gke: Gke) -> Finding | None:
    """Finding if the machine named hands GPUs out by DRA and the pods ask the device plugin, or the reverse.

    None if no machine of GKE's serves the fabric, or pods lack something else: then whether they fit is the question.
    """
    if facts.spec.serving is None or not (others := _others(facts)):
        return None
    serving, pool = facts.serving, GKE_POOLS[facts.spec.cluster.machine or ""]
    fabrics = [f"`fabric: {fabric}`" for key, fabric in pool.machine.serves if key == serving.accelerator]
    fixes = [f"{' or '.join(fabrics)}{_on_the_way(gke, pool)}"] if fabrics else []
    fixes += [f"`machine: {row.machine.key}`{_on_the_way(gke, row)}" for row in others]
    wrong = f"fabric: {serving.fabric}" if fabrics else f"accelerator: {serving.accelerator}"
    what = f"`{wrong}` on machine {pool.machine.key}"
    why = f"its pods ask for {others[0].machine.handed_out_as}, such nodes hand out {pool.machine.handed_out_as}"
    return Finding(
        at=("serving", "fabric") if fabrics else ("cluster", "machine"),
        what=what,
        why=f"{why}, and pods would stay Pending for ever",
        fix=f"write {', or '.join(fixes)}",
    )


def _others(facts: "Facts") -> list[GkePool]:
    """Returns a machine for the fabric if the stack's hands GPUs out in another way: the same one in that mode, else any."""
    pool = GKE_POOLS.get(facts.spec.cluster.machine or "")
    pair = (facts.accelerator.key, facts.fabric)
    served = [GKE_POOLS[row.key] for row in machines_for(*pair) if row.key in GKE_POOLS]
    if pool is None or any(row.machine.handed_out_as == pool.machine.handed_out_as for row in served):
        return []
    twins = [row for row in served if row.machine.instance_type == pool.machine.instance_type]
    return twins or served


def _on_the_way(gke: Gke, pool: GkePool) -> str:
    """Returns the clause with the RDMA modes of a machine, if the stack has another mode; else ""."""
    ways = " or ".join(f"`rdma: {way}`" for way in pool.since)
    return "" if (gke.rdma or pool.rdma) in pool.since else f" with {ways}"
