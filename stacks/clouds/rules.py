"""Rules about accelerator nodes that are equal for every cloud; `Maker` holds the words that differ.

Each cloud gives them its own ids.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware.machines import MACHINES
from stacks.findings import ERROR, Finding, Place, Rule, known

if TYPE_CHECKING:
    from stacks.rules.facts import Facts


@dataclass(frozen=True)
class Maker:
    """A provider that makes nodes: its key, and the words of a finding about a machine of another provider."""

    provider: str
    anothers: str
    vainly: str


#: The engine refuses the change later, without the reason.
IMM = Rule(
    "IMM", ERROR,
    "when Pulumi runs: a change that would replace a part of a cluster of the stack's own",
    "it would be deleted with all that is on it",
    "docs/gke.md", check=lambda facts: facts.spec.cluster.cloud.replaced(facts), firm=True, when_run=True,
)  # fmt: skip

COREWEAVE = Maker("coreweave", "no CoreWeave's", "a NodePool of its instance type would never get a node")
GKE = Maker("gke", "none of GKE's", "a node pool of it could not be made")


def own_machine(maker: Maker, facts: "Facts") -> Iterator[Finding]:
    """Yields a finding if the machine belongs to another provider. Another rule reports a machine that is not in the table."""
    cluster = facts.spec.cluster
    machine = MACHINES.get(cluster.machine or "")
    if cluster.provider == maker.provider and machine and machine.provider != maker.provider:
        theirs = [row.key for row in MACHINES.values() if row.provider == maker.provider]
        what, at = f"machine `{machine.key}` is {maker.anothers}", ("cluster", "machine")
        fix = known(machine.key, facts.words_that_help(at, theirs))
        yield Finding(at=at, what=what, why=maker.vainly, fix=fix)


def stated_nodes(maker: Maker, facts: "Facts") -> Iterator[Finding]:
    """Yields a finding if the number of nodes is missing. It is not derived, because it is what is billed."""
    cluster = facts.spec.cluster
    if cluster.provider == maker.provider and cluster.nodes is None:
        what, why = "the number of nodes is missing", "a node pool needs one, and it is what you pay for"
        yield Finding(at=("cluster", "nodes"), what=what, why=why, fix="write how many, such as `nodes: 2`")


def nodes_within_bounds(maker: Maker, facts: "Facts") -> Iterator[Finding]:
    """Yields a finding unless min <= nodes <= max, if the provider's autoscaler sets the number of nodes."""
    cluster = facts.spec.cluster
    scaling, nodes = cluster.accelerator_pool.autoscaling, cluster.nodes
    if cluster.provider != maker.provider or scaling is None:
        return
    if scaling.min > scaling.max:
        yield min_exceeds_max(("cluster", maker.provider, "acceleratorPool", "autoscaling"), scaling.min, scaling.max)
    least, most = sorted((scaling.min, scaling.max))
    if nodes is not None and not least <= nodes <= most:
        what = f"`nodes: {nodes}` is not between {least} and {most}"
        fix = f"write `nodes: {least if nodes < least else most}`, or other bounds"
        yield Finding(at=("cluster", "nodes"), what=what, why="the autoscaler starts from it", fix=fix)


def min_exceeds_max(place: Place, least: int, most: int) -> Finding:
    """Returns the finding about bounds of which the smaller is larger than the other."""
    what, why = f"min {least} is more than max {most}", "no number of nodes is between them"
    return Finding(at=place, what=what, why=why, fix=f"write `min: {most}` with `max: {least}`")
