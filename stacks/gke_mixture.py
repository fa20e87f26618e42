"""A machine named for a GKE cluster whose nodes hand GPUs out otherwise than the fabric's pods ask for them: half of GKE-12."""

from hardware.machines import GKE_POOLS, GkePool, machines_for
from stacks.gke_spec import Gke
from stacks.rule import Finding
from stacks.spec import AnyStack, StackSpec


def with_fitting_machine(spec: StackSpec) -> StackSpec | None:
    """The spec with the machine of GKE's that serves the fabric."""
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update={"machine": None})})


def mixture(spec: AnyStack, gke: Gke, pool: GkePool) -> Finding | None:
    """It, where another machine of GKE's serves the fabric; where none does, or pods lack something else, fit is the question."""
    if not isinstance(spec, StackSpec) or spec.cluster.machine is None:
        return None
    serving, here = spec.serving, pool.machine
    pair = (serving.accelerator, serving.fabric)
    served = [GKE_POOLS[row.key] for row in machines_for(*pair) if row.key in GKE_POOLS]
    if not served or any(row.machine.handed_out_as == here.handed_out_as for row in served):
        return None
    fabrics = [f"`fabric: {fabric}`" for key, fabric in here.serves if key == serving.accelerator]
    fixes = [f"{' or '.join(fabrics)}{_on_the_way(gke, pool)}"] if fabrics else []
    fixes += [f"`machine: {row.machine.key}`{_on_the_way(gke, row)}" for row in served]
    why = f"its pods ask for {served[0].machine.handed_out_as}, such nodes hand out {here.handed_out_as}"
    return Finding(
        "serving.fabric" if fabrics else "cluster.machine", f"`fabric: {serving.fabric}` on machine {here.key}",
        f"{why}, and pods would stay Pending for ever", f"write {', or '.join(fixes)}",
    )  # fmt: skip


def _on_the_way(gke: Gke, pool: GkePool) -> str:
    """What has to be said with a machine, where another way to its NICs is said or meant."""
    ways = " or ".join(f"`rdma: {way}`" for way in pool.since)
    return "" if (gke.rdma or pool.rdma) in pool.since else f" with {ways}"
