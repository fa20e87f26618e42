"""The one table of rules, and how a stack file is asked about all of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from stacks.clouds.registry import CLOUDS
from stacks.clouds.rules import IMM
from stacks.findings import ERROR, OUTSIDE, Outcome, Problem, Rule, run
from stacks.kube.rules import CLUSTER
from stacks.rules import cluster, file, fit, router, serving, suppress, token
from stacks.rules.edits import HW_02
from stacks.rules.facts import Facts
from stacks.rules.gateway import GW_01
from stacks.rules.hardware import HW_01
from stacks.rules.live import EXISTS
from stacks.rules.live_gateway import GATEWAY
from stacks.rules.mirror import MIRROR_01
from stacks.rules.monitoring import MON_01
from stacks.rules.paths import PATH_01
from stacks.rules.platform import PLATFORM_01
from stacks.rules.pods import POD_01
from stacks.rules.previous import ROLL_01
from stacks.rules.sdk import SDK
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import StackSpec

#: Rules of every stack, and those that readers of files and looks at clusters say.
_OF_STACKS: tuple[Rule, ...] = (
    *file.RULES,
    *suppress.RULES,
    *serving.RULES,
    HW_01,
    HW_02,
    POD_01,
    *token.RULES,
    *cluster.RULES,
    PLATFORM_01,
    PATH_01,
    GW_01,
    *router.RULES,
    MON_01,
    *fit.RULES,
    MIRROR_01,
    CLUSTER,
    EXISTS,
    GATEWAY,
    SDK,
    IMM,
    ROLL_01,
)


def rules() -> tuple[Rule, ...]:
    """Every id that anything prints, once, with those of the clouds in the registry. The order is that of lists and tables."""
    return (*_OF_STACKS, *(rule for cloud in CLOUDS.values() for rule in cloud.rules))


@dataclass(frozen=True)
class Examined(Outcome):
    """The outcome of the rules for a stack file, and the facts that were derived of it. Without errors, they have a plan."""

    facts: Facts = field(default_factory=Facts)


def examine(spec: StackSpec, but: Collection[str] = (), base: Path | None = None, *, plan: bool = True) -> Examined:
    """Asks every rule `but` those of these ids about a stack file whose relative paths start at `base`, if it is known.

    With `plan`, rules that need a plan, laws of its resources and warnings, are asked of a file to which no other objects. They
    are not asked of a file that was not asked everything.
    """
    every, facts = asked(but), Facts(spec, base=base)
    outcome = run(every, facts, spec.suppress)
    found = Examined(outcome.errors, outcome.warnings, outcome.suppressed, outcome.unanswered, facts)
    plan = plan and not but
    if not found.errors:
        facts = facts.accepted()
        found = replace(found, facts=facts.planned())
        found = _asked_again(found, every, found.facts if plan else facts)
    if found.errors:
        return replace(found, warnings=())
    # What the nodes of a platform stack are is not known here.
    return with_idle_suppressions(found) if plan and spec.cluster.provider != OF_A_STACK else found


def asked(but: Collection[str] = ()) -> list[Rule]:
    """Returns the rules `but` those of these ids."""
    return [rule for rule in rules() if rule.id not in but]


def _asked_again(found: Examined, every: Sequence[Rule], accepted: Facts) -> Examined:
    """Asks the rules without an answer and, if errors are suppressed, all: nothing is put in the place of such a fault any more.

    A rule with a suppressed finding is not asked for its law: the plan does what the file says. If the plan breaks another law,
    the suppressed fault is the cause.
    """
    spec, said = accepted.spec, {each.problem.rule for each in found.suppressed}
    causes = [each.problem for each in found.suppressed if each.problem.severity is ERROR]
    again = [rule for rule in (every if causes else found.unanswered) if rule.id not in said]
    later = run(again, accepted, spec.suppress)
    if causes:
        later = replace(later, errors=tuple(_caused(problem, causes, spec) for problem in later.errors))
    return found.then(later, again)


def _caused(problem: Problem, causes: Sequence[Problem], spec: StackSpec) -> Problem:
    """Returns a law that the plan breaks as a finding about the faults that the file suppresses; any other error unchanged."""
    if problem.finding.at[:1] != (OUTSIDE,):
        return problem
    ids = list(dict.fromkeys(each.rule for each in causes))
    index = next(index for index, stated in enumerate(spec.suppress) if stated.rule == ids[0])
    fix = f"correct what {' and '.join(ids)} finds, which is the cause"
    return problem.row.problem(at=("suppress", index), what=f"{problem.path}: {problem.what}", why=problem.why, fix=fix)


def with_idle_suppressions(found: Examined) -> Examined:
    """Returns a whole outcome with warnings about the entries of `suppress` without an effect."""
    last, spec = (suppress.SUPPRESS_02,), found.facts.spec
    return found.then(run(last, Facts(spec, outcome=found), spec.suppress), last)


def ask_again(before: Examined, facts: Facts) -> Examined:
    """Asks the rules that have asked for an unknown fact, now that more facts are known; without findings from `before`."""
    found = run(before.unanswered, facts, facts.spec.suppress)
    warnings = tuple(one for one in found.warnings if one not in before.warnings)
    suppressed = tuple(one for one in found.suppressed if one not in before.suppressed)
    return Examined(found.errors, warnings, suppressed, found.unanswered, facts)
