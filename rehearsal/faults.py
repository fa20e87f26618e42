"""The faults that a rehearsal can play: what goes wrong with the nodes a stack makes, and which part plays it.

One row per fault; `llmd-pd rehearse --fault` and the docs list these rows. How a fault is played is its player's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rehearsal.errors import RehearsalError


class Player(StrEnum):
    """A part of a rehearsal that plays faults."""

    NODE_POOLS = "the NodePool controller"
    """`rehearsal.fleet.node_pools`"""
    ADMISSION = "admission of the fleet's API server"
    """`rehearsal.surroundings`"""
    CLOUD = "the pretend cloud"
    """`rehearsal.clouds.gke.faults`"""


@dataclass(frozen=True)
class Fault:
    """One fault: its id, one sentence of what happens, and by provider of the cluster which part plays it."""

    id: str
    title: str
    players: Mapping[str, Player]


FAULTS: tuple[Fault, ...] = (
    Fault(
        "quota",
        "the quota for the accelerator is 0: no node comes",
        {"coreweave": Player.NODE_POOLS, "gke": Player.CLOUD},
    ),
    Fault(
        "stockout",
        "quota exists, but the zone has no capacity: on CoreWeave the nodes are queued, on GKE the pool is refused",
        {"coreweave": Player.NODE_POOLS, "gke": Player.CLOUD},
    ),
    Fault(
        "slow-pool",
        "nodes come late: 10 s after one another on CoreWeave, all after 20 s on GKE. The rehearsal passes",
        {"coreweave": Player.NODE_POOLS, "gke": Player.CLOUD},
    ),
    Fault(
        "apply-forbidden",
        "the role may not create or change node pools",
        {"coreweave": Player.ADMISSION, "gke": Player.CLOUD},
    ),
    Fault(
        "not-in-zone",
        "the zone does not have the instance types, the CPU nodes' first: no node comes",
        {"coreweave": Player.NODE_POOLS},
    ),
    Fault("zone-mismatch", "the reservation is in another zone than the node pool", {"gke": Player.CLOUD}),
)


def played_by(player: Player) -> tuple[str, ...]:
    """Returns the ids of the faults that a part plays."""
    return tuple(fault.id for fault in FAULTS if player in fault.players.values())


def check(fault: str | None, provider: str) -> None:
    """Checks that a fault can be played in the rehearsal of a stack whose nodes `provider` makes.

    Raises:
        RehearsalError: there is no such fault, or the stack makes nothing that it could concern.
    """
    possible = [row.id for row in FAULTS if provider in row.players]
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
