"""Rules of the accelerator nodes a stack makes, alike for every provider that it makes them with; what differs is a row of words.

What only one of them can be told is in `stacks.rules.cluster` and `stacks.clouds.gke.rules`, where the ids are given, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hardware.machines import MACHINES
from stacks.findings import known
from stacks.rules.facts import ClusterSubject, Finding


@dataclass(frozen=True)
class Maker:
    """A provider: its key, how a machine of another's is called, and what would come of it."""

    provider: str
    anothers: str
    vainly: str


COREWEAVE = Maker("coreweave", "no CoreWeave's", "a NodePool of its instance type would never get a node")
GKE = Maker("gke", "none of GKE's", "a node pool of it could not be made")


def own_machine(maker: Maker, subject: ClusterSubject) -> Iterator[Finding]:
    """The machine is one that the provider has. One that nobody has is another rule's to refuse."""
    cluster = subject.spec.cluster
    machine = MACHINES.get(cluster.machine or "")
    if cluster.provider == maker.provider and machine and machine.provider != maker.provider:
        theirs = [row.key for row in MACHINES.values() if row.provider == maker.provider]
        what = f"machine `{machine.key}` is {maker.anothers}"
        yield Finding("cluster.machine", what, maker.vainly, known(machine.key, theirs))


def stated_nodes(maker: Maker, subject: ClusterSubject) -> Iterator[Finding]:
    """The number of nodes is said, and not derived: it is what is billed."""
    cluster = subject.spec.cluster
    if cluster.provider == maker.provider and cluster.nodes is None:
        what, why = "the number of nodes is missing", "a node pool needs one, and it is what you pay for"
        yield Finding("cluster.nodes", what, why, "write how many, such as `nodes: 2`")


def bounds(maker: Maker, subject: ClusterSubject) -> Iterator[Finding]:
    """min <= nodes <= max, where the provider's autoscaler sets their number."""
    cluster = subject.spec.cluster
    scaling, nodes = cluster.accelerator_pool.autoscaling, cluster.nodes
    if cluster.provider != maker.provider or scaling is None:
        return
    if scaling.min > scaling.max:
        yield crossed(f"cluster.{maker.provider}.acceleratorPool.autoscaling", scaling.min, scaling.max)
    elif nodes is not None and not scaling.min <= nodes <= scaling.max:
        what = f"`nodes: {nodes}` is not between {scaling.min} and {scaling.max}"
        yield Finding("cluster.nodes", what, "the autoscaler starts from it", "change the one or the other")


def crossed(place: str, least: int, most: int) -> Finding:
    """What is said of bounds that no number is between."""
    what, why = f"min {least} is more than max {most}", "no number of nodes is between them"
    return Finding(place, what, why, "write min and max the other way round")
