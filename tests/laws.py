"""Laws of resources as tests ask for them: by the rows of a cloud, over a plan or over resources that a program registered."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stacks.clouds.coreweave.rules import RULES as COREWEAVE
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.rules import RULES as GKE
from stacks.clouds.resource import Resource
from stacks.findings import OUTSIDE, Rule, run
from stacks.rules.facts import Facts


class Broken(NamedTuple):
    """A law that is broken, and the argument of the resource."""

    rule: str
    resource: str
    field: str
    what: str


def plan_problems(plan: GkePlan) -> list[Broken]:
    """Every law that a plan breaks."""
    return _broken(GKE, Facts(resources=plan.resources, cluster=plan))


def resource_problems(resources: Sequence[Resource]) -> list[Broken]:
    """Every law of GKE's that resources break, whatever made them."""
    return _broken(GKE, Facts(resources=resources))


def cks_problems(resources: Sequence[Resource]) -> list[Broken]:
    """Every law of CoreWeave's that resources break."""
    return _broken(COREWEAVE, Facts(resources=resources))


def _broken(rules: Iterable[Rule], facts: Facts) -> list[Broken]:
    found = []
    for problem in run(rules, facts).errors:
        outside, resource, *field = problem.finding.at
        assert outside == OUTSIDE
        found.append(Broken(problem.rule, str(resource), ".".join(map(str, field)), problem.what))
    return found
