"""A machine named for a GKE cluster whose nodes hand GPUs out otherwise than the fabric's pods ask for them: half of GKE-12."""

from hardware.machines import GKE_POOLS, GkePool, machines_for
from stacks.clouds.gke.spec import Gke
from stacks.rules.facts import Finding
from stacks.spec.stack import StackSpec


def mixture(spec: StackSpec, gke: Gke) -> Finding | None:
    """It, where another machine of GKE's serves the fabric; where none does, or pods lack something else, fit is the question."""
    if spec.serving is None or not (others := _others(spec)):
        return None
    serving, pool = spec.serving, GKE_POOLS[spec.cluster.machine or ""]
    fabrics = [f"`fabric: {fabric}`" for key, fabric in pool.machine.serves if key == serving.accelerator]
    fixes = [f"{' or '.join(fabrics)}{_on_the_way(gke, pool)}"] if fabrics else []
    fixes += [f"`machine: {row.machine.key}`{_on_the_way(gke, row)}" for row in others]
    wrong = f"fabric: {serving.fabric}" if fabrics else f"accelerator: {serving.accelerator}"
    what = f"`{wrong}` on machine {pool.machine.key}"
    why = f"its pods ask for {others[0].machine.handed_out_as}, such nodes hand out {pool.machine.handed_out_as}"
    return Finding(
        "serving.fabric" if fabrics else "cluster.machine",
        what,
        f"{why}, and pods would stay Pending for ever",
        f"write {', or '.join(fixes)}",
    )


def with_fitting_machine(spec: StackSpec) -> StackSpec | None:
    """The spec with a machine of GKE's that serves the fabric, where that is what is wrong."""
    others = _others(spec)
    machine = others[0].machine.key if others else spec.cluster.machine
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"machine": machine})})


def _others(spec: StackSpec) -> list[GkePool]:
    """What serves the fabric, where the machine named hands GPUs out otherwise: the same one set up otherwise, else any."""
    pool = GKE_POOLS.get(spec.cluster.machine or "")
    pair = (spec.served.accelerator, spec.served.fabric)
    served = [GKE_POOLS[row.key] for row in machines_for(*pair) if row.key in GKE_POOLS]
    if pool is None or any(row.machine.handed_out_as == pool.machine.handed_out_as for row in served):
        return []
    twins = [row for row in served if row.machine.instance_type == pool.machine.instance_type]
    return twins or served


def _on_the_way(gke: Gke, pool: GkePool) -> str:
    """What has to be said with a machine, where another way to its NICs is said or meant."""
    ways = " or ".join(f"`rdma: {way}`" for way in pool.since)
    return "" if (gke.rdma or pool.rdma) in pool.since else f" with {ways}"
