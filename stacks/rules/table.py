"""The one table of rules, and how a stack file is asked about all of them."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from stacks.clouds.registry import CLOUDS
from stacks.clouds.rules import IMM
from stacks.findings import Outcome, Problem, Rule, run
from stacks.kube import rules as kube
from stacks.rules import cluster, file, fit, router, serving, suppress, token
from stacks.rules.edits import HW_02
from stacks.rules.facts import Facts
from stacks.rules.gateway import GW_01
from stacks.rules.hardware import HW_01
from stacks.rules.live_gateway import GATEWAY
from stacks.rules.mirror import MIRROR_01
from stacks.rules.monitoring import MON_01
from stacks.rules.platform import PLATFORM_01
from stacks.rules.pods import POD_01
from stacks.rules.previous import ROLL_01
from stacks.rules.sdk import SDK
from stacks.spec.stack import StackSpec

#: Rules of every stack, and those that readers of files and looks at clusters say.
_OF_STACKS: tuple[Rule, ...] = (
    *file.RULES,
    suppress.SUPPRESS_01,
    *serving.RULES,
    HW_01,
    HW_02,
    POD_01,
    *token.RULES,
    *cluster.RULES,
    PLATFORM_01,
    GW_01,
    *router.RULES,
    MON_01,
    *fit.RULES,
    MIRROR_01,
    *kube.RULES,
    GATEWAY,
    SDK,
    IMM,
    ROLL_01,
)


def rules() -> tuple[Rule, ...]:
    """Every id that anything prints, once, with those of the clouds in the registry. The order is that of lists and tables."""
    return (*_OF_STACKS, *(rule for cloud in CLOUDS.values() for rule in cloud.rules))


def examine(spec: StackSpec, but: Collection[str] = (), base: Path = Path(), *, plan: bool = True) -> Outcome:
    """Asks every rule `but` those of these ids about a stack file whose relative paths start at `base`.

    With `plan`, a plan is made of a file to which no rule objects, and then the rules are asked that need one: laws of its
    resources, and warnings. A file that was not asked everything has no plan.
    """
    asked = [rule for rule in rules() if rule.asks_facts and rule.id not in but]
    found = run(asked, Facts(spec), spec.suppress)
    if found.errors:
        return replace(found, warnings=())
    if but or not plan:
        return found
    planned = run(found.unanswered, Facts(spec, base=base, planned=True), spec.suppress)
    return Outcome(
        errors=planned.errors,
        warnings=(*found.warnings, *planned.warnings),
        suppressed=(*found.suppressed, *planned.suppressed),
        unanswered=planned.unanswered,
    )


def problems_of(spec: StackSpec, but: Collection[str] = ()) -> Iterator[Problem]:
    """Every error the rules find in a spec, without those `but` of these ids."""
    yield from examine(spec, but).errors


def warnings_of(spec: StackSpec) -> Iterator[Problem]:
    """Everything to be pointed out of a spec to which no rule objects."""
    yield from examine(spec).warnings
