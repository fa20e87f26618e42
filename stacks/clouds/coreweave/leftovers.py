"""A CKS cluster of the stack's own and its VPC, among what is left: the cluster tells of itself only by answering."""

from collections.abc import Iterator
from dataclasses import replace

from stacks.clouds.coreweave.plan import CksPlan
from stacks.findings import Problem
from stacks.kube.leftover import Leftover

CONSOLE = "https://console.coreweave.com"


def cluster_left(cks: CksPlan) -> Iterator[Leftover]:
    """Of a cluster that answers: itself, and the VPC it is in."""
    yield Leftover("CKS cluster", cks.cluster.args["name"], "it answers")
    yield Leftover("VPC", cks.vpc.args["name"], "the cluster is in it")


def unreached(cks: CksPlan) -> Problem:
    """Nothing leads to the cluster, and the current context could lead to any."""
    what, why = "`context` is left out", "without it nothing leads to the cluster that the stack makes"
    return Problem("CLUSTER", "llmd-pd:cluster.context", what, why, f"name it; {_listed(cks)}")


def maybe_gone(cks: CksPlan, problem: Problem) -> Problem:
    """A cluster that does not answer may be gone, as it should be; its VPC is listed elsewhere."""
    return replace(problem, fix=f"{problem.fix}; after a destroy nothing answers: {_listed(cks)}")


def _listed(cks: CksPlan) -> str:
    names = f"cluster {cks.cluster.args['name']} and VPC {cks.vpc.args['name']}"
    return f"whether {names} are still there, {CONSOLE} tells"
