"""The clouds that a rehearsal serves, by `cluster.provider`. A cloud without a line is rehearsed as an existing cluster."""

from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.coreweave.rehearsal import CoreWeaveRehearsal
from rehearsal.clouds.gke.rehearsal import GkeRehearsal
from rehearsal.clouds.pretend import PretendKinds
from stacks.clouds.cloud import Cloud

REHEARSALS: dict[str, CloudRehearsal] = {"gke": GkeRehearsal(), "coreweave": CoreWeaveRehearsal()}


def rehearsal_of(cloud: Cloud) -> CloudRehearsal:
    """Returns the rehearsal of a cloud's clusters."""
    return REHEARSALS.get(cloud.key, CloudRehearsal())


def unasked() -> frozenset[str]:
    """Returns the ids of rules that every rehearsal skips."""
    return frozenset[str]().union(*(one.unasked for one in REHEARSALS.values()))


def pretend_clouds() -> dict[str, PretendKinds]:
    """Returns the tables of the pretend clouds, by the names of the plugins that they stand in for."""
    return {one.pretend.package: one.pretend for one in REHEARSALS.values() if one.pretend}
