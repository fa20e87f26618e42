"""Checks of a change of a GKE cluster since the last run: what would be replaced, before the engine refuses it without the
fields, nodes that would be made anew, and whether the project is ready for it.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stacks.clouds.changes import changes
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.pools import SYSTEM
from stacks.clouds.gke.replaces import GKE
from stacks.findings import Finding, UnknownError

if TYPE_CHECKING:
    from stacks.clouds.gke.readiness import Answer, Question, Unanswered
    from stacks.rules.facts import Facts


def replaced(facts: "Facts") -> Iterator[Finding]:
    """IMM: protected resources that would be replaced."""
    plan = plan_of(facts)
    for change in changes(facts.previous.planned, plan.resources, GKE):
        if not change.refused:
            continue
        resource, fields = change.resource, ", ".join(change.fields)
        pool = resource.type == "container.NodePool"
        key = "systemPool" if resource.name == plan.settings.named(SYSTEM) else "acceleratorPool"
        allow = f"write `allowReplace: [{key}]` under `cluster` to replace it"
        yield Finding(
            at=("cluster", "gke", *([key] if pool else [])),
            what=f"{fields} of {resource.title} ({resource.name}) would change",
            why="it would be deleted with all on it, and made anew",
            fix=f"take it back, or {allow if pool else 'make another stack for another one'}",
        )


def recreated_nodes(facts: "Facts") -> Iterator[Finding]:
    """GKE-31: pools whose nodes would be made anew."""
    for change in changes(facts.previous.planned, plan_of(facts).resources, GKE):
        if not change.replaced:
            what = f"the nodes of {change.resource.title} would be made anew, one after the other"
            why = f"{', '.join(change.fields)} changes"
            yield Finding(at=("cluster", "gke"), what=what, why=why, fix="take it back, or choose the time")


def apis_off(facts: "Facts") -> Iterator[Finding]:
    """GKE-30: the APIs are on that no stack can turn on."""
    return (answer for question, answer in facts.once(_asked) if isinstance(answer, Finding) and question.of_apis)


def version_offered(facts: "Facts") -> Iterator[Finding]:
    """GKE-17: GKE offers the version."""
    return (answer for question, answer in facts.once(_asked) if isinstance(answer, Finding) and not question.of_apis)


def unanswered(facts: "Facts") -> Iterator[Finding]:
    """GKE-32: questions that Google did not answer, together if for one reason."""
    unknown: dict[Unanswered, list[str]] = {}
    for question, answer in facts.once(_asked):
        if answer is not None and not isinstance(answer, Finding):
            unknown.setdefault(answer, []).append(question.whether)
    for answer, whethers in unknown.items():
        what = f"Google could not be asked whether {', or whether '.join(whethers)}"
        yield Finding(at=("cluster", "gke", "project"), what=what, why=answer.why, fix=answer.fix)


def _asked(facts: "Facts") -> "Sequence[tuple[Question, Answer]]":
    """Returns the questions to Google about the project, each with its answer."""
    previous, plan = facts.previous, plan_of(facts)
    if any(replaced(facts)) or (previous.outputs and not previous.planned):
        return ()  # refused anyway; or made before plans were kept, so that nothing can be compared
    from stacks.clouds.gke.readiness import ask  # late: it imports the client of Google's APIs

    return ask(plan, previous.planned)


def plan_of(facts: "Facts") -> GkePlan:
    """Returns the plan of the stack's cluster. Raises UnknownError if the stack makes none on GKE."""
    if not isinstance(facts.cluster, GkePlan):
        raise UnknownError
    return facts.cluster
