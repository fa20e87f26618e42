"""The faults that a rehearsal can play: what goes wrong with the nodes a stack makes.

Each cloud brings its own (`CloudRehearsal.faults`) and plays them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.errors import RehearsalError


@dataclass(frozen=True)
class Fault:
    """One fault: its id, and one sentence of what happens."""

    id: str
    title: str


def check(fault: str | None, faults: Sequence[Fault]) -> None:
    """Checks that a fault is among those of the cloud in which the stack makes its nodes.

    Raises:
        RehearsalError: there is no such fault, or the stack makes nothing that it could concern.
    """
    possible = [row.id for row in faults]
    if fault is None or fault in possible:
        return
    if not possible:
        raise RehearsalError(
            f"fault `{fault}` cannot be played",
            "the stack makes no nodes, and faults are about nodes that a stack makes",
            "rehearse a stack that makes its cluster or node pools, or leave --fault out",
        )
    raise RehearsalError(
        f"fault `{fault}` cannot be played",
        "a rehearsal of this stack has no such fault",
        f"use one of {', '.join(possible)}",
    )
