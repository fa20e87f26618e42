"""Whether the order in which the scheduler places pods decides if all of them fit their nodes.

Kubernetes places one pod after the other and moves none that runs. Where the nodes are exactly full, small pods can take a few
devices of every node; a large one then fits nowhere although enough devices are free (docs/operate.md). A real cluster has the
same problem, so the report of a rehearsal tells it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hardware.fit.fit import unplaced
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import Machine

#: Said of pending pods that fit an empty node, where all pods together fit the nodes.
STRANDED = (
    "all pods fit these nodes together, but the scheduler has placed others so that no node has room left for this one. A real "
    "cluster can do the same: add a node to spare, or see docs/operate.md, exactly full machines"
)
#: Said of a fleet on which every pod runs, and on which that depended on the order of the pods.
NO_SPARE = (
    "There is no node to spare: had the pods come in another order, the scheduler could have left one without a node "
    "(docs/operate.md, exactly full machines)."
)


def fit_together(pods: Sequence[PodRequest], machines: Sequence[Machine]) -> bool:
    """Whether there is a placement of all pods on these nodes, if nothing else runs there."""
    return unplaced(pods, machines) == 0


def can_strand(pods: Sequence[PodRequest], machine: Machine, nodes: int) -> bool:
    """Whether the pods fit `nodes` nodes of a machine and some order of them leaves one without its devices.

    Of devices only, which run out first. It may say yes where the scheduler's preference for even nodes would prevent it.
    """
    if not fit_together(pods, [machine] * nodes):
        return False
    devices = machine.devices_per_node
    asked = [(_devices(pod, machine), pod.count) for pod in pods]
    sizes, total = {size for size, _ in asked if size}, sum(size * count for size, count in asked)
    for size in sizes:
        # A pod of this size fits no node on which more devices than these are taken.
        blocking = min((load for load in _loads(sizes, devices) if load > devices - size), default=None)
        if blocking is not None and nodes * blocking <= total - size:
            return True
    return False


def depends_on_order(model_server: Sequence[Mapping[str, Any]], machine: Machine, nodes: int) -> bool:
    """Whether the order of the pods of these objects decides if all are placed; no if their devices cannot be counted."""
    try:
        return can_strand(pod_requests(model_server), machine, nodes)
    except ValueError:
        return False


def _devices(pod: PodRequest, machine: Machine) -> int:
    """Devices of the machine's accelerator that one pod asks for."""
    return pod.devices.get(machine.handed_out_as, 0) or int(str(pod.resources.get(machine.handed_out_as, 0)))


def _loads(sizes: Collection[int], most: int) -> set[int]:
    """The numbers of devices up to `most` that pods of these sizes can take on one node."""
    loads = {0}
    for taken in range(most):
        if taken in loads:
            loads |= {taken + size for size in sizes if taken + size <= most}
    return loads
