"""The gateway controller as a process of a rehearsal's control plane."""

from collections.abc import Sequence
from pathlib import Path

from rehearsal.control_plane import processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.resident import Resident

CONTROLLER = Resident("gateway-controller", "rehearsal.gateway")


def restart(plane: ControlPlane, classes: Sequence[str]) -> None:
    """Start it, in the place of the one of an earlier rehearsal. It makes the GatewayClasses of these names."""
    CONTROLLER.restart(plane, [f"--class={name}" for name in classes])


def ran(workdir: Path) -> bool:
    """Whether the cluster in `workdir` had a controller at some time, so that Gateways may be left that only it lets go."""
    return CONTROLLER.ran(workdir)


def running(workdir: Path) -> list[processes.Process]:
    """The controllers of the rehearsals in a directory."""
    return CONTROLLER.running(workdir)
