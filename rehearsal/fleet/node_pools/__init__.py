"""CoreWeave's side of a NodePool in a rehearsal: a controller that turns them into simulated nodes, and takes those away again.

`controller` is its loop and `__main__` its process; `shortage` is what a verdict says of a pool without its nodes.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.resident import Resident

#: What can go wrong with capacity: none is allowed; none is there; it comes late; the zone does not have the instance type.
Fault = Literal["quota", "stockout", "slow-pool", "not-in-zone"]
FAULTS: Sequence[str] = get_args(Fault)

CONTROLLER = Resident("nodepool-controller", "rehearsal.fleet.node_pools")


def restart(plane: ControlPlane, fault: str | None) -> None:
    """Start the controller, in the place of the one of an earlier rehearsal; with a fault if one is asked for."""
    CONTROLLER.restart(plane, [f"--fault={fault}"] if fault else [])
