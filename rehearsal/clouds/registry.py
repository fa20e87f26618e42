"""How each cloud is rehearsed, by its word for `cluster.provider`. A cloud without a line is rehearsed as an existing cluster."""

from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.coreweave.rehearsal import CoreWeaveRehearsal
from rehearsal.clouds.gke.rehearsal import GkeRehearsal
from stacks.clouds.cloud import Cloud

REHEARSALS: dict[str, CloudRehearsal] = {"coreweave": CoreWeaveRehearsal(), "gke": GkeRehearsal()}


def rehearsal_of(cloud: Cloud) -> CloudRehearsal:
    """Returns how the clusters of a cloud are rehearsed."""
    return REHEARSALS.get(cloud.key, CloudRehearsal())


def unasked() -> frozenset[str]:
    """Ids of rules that no rehearsal asks."""
    return frozenset[str]().union(*(one.unasked for one in REHEARSALS.values()))
