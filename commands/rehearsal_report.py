"""The report of a rehearsal: the node of every pod, the verdict, the parts that were official, and the next steps.

Owns the layout; the facts come from `rehearsal.session`. A name is never cut, because readers copy it. Lines are wrapped on a
terminal only.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from commands.console import count, for_people, program
from hardware.render.kinds import role_pods
from rehearsal.parts.parts import Part
from rehearsal.report import Report
from rehearsal.session import Outcome, Stage
from rehearsal.verdict.placement_order import NO_SPARE, depends_on_order
from rehearsal.verdict.verdict import BLIND_SPOTS, PodState
from stacks.blueprint import ServingBlueprint
from stacks.serving.workload import machine_of

LABEL_WIDTH = 10


class Page:
    """A page of lines under labels; on a terminal, coloured and wrapped to its width."""

    def __init__(self, console: Console | None = None) -> None:
        people = for_people(sys.stdout)
        self._console = console or Console(highlight=False, markup=False, emoji=False, no_color=not people)
        self._width = self._console.width if people or console else None

    def line(self, text: str = "", label: str = "", style: str = "", indent: int = 0) -> None:
        """Prints one fact. Its further lines have the indentation of its text."""
        start = " " * indent + label.ljust(LABEL_WIDTH if label and not indent else 0)
        lines = [text]
        if self._width:
            room = max(self._width - len(start), 20)
            lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        for number, content in enumerate(lines):
            before = Text(start, style=style) if number == 0 else Text(" " * len(start))
            self._console.print(before + Text(content, style="" if label else style), soft_wrap=True)

    def verbatim(self, text: str, style: str = "") -> None:
        """Prints text to copy, which is never wrapped."""
        self._console.print(Text(text, style=style), soft_wrap=True)


def show(made: Stage, outcome: Outcome, report: Report, again: str) -> None:
    """Prints the whole report. `again` is the command that repeats the rehearsal."""
    page = Page()
    _pods(page, outcome.verdict.pods)
    _facts(page, made, outcome, report)
    _verdict(page, made, outcome)
    page.line()
    page.line(BLIND_SPOTS)
    page.line()
    if made.rehearsal.kept:
        _next(page, made, outcome)
    else:
        page.line("Nothing of it is left running. To look around in it:")
        page.verbatim(f"  {again} --keep")


def _pods(page: Page, pods: Sequence[PodState]) -> None:
    """Prints the pods by node, to show which of them share a machine; pending pods come last."""
    for node, group in groupby(
        sorted(pods, key=lambda pod: (pod.node is None, pod.node, pod.name)), lambda pod: pod.node
    ):
        found = list(group)
        page.line()
        page.verbatim(f"{node or 'pending'} ({count(len(found), 'pod')})", style="bold" if node else "bold red")
        width = max(len(pod.name) for pod in found)
        for pod in found:
            state = "Ready" if pod.ready else "not Ready" if node else ""
            page.verbatim(f"  {pod.name.ljust(width)}  {state}".rstrip(), style="" if pod.ready else "red")


def _facts(page: Page, made: Stage, outcome: Outcome, report: Report) -> None:
    page.line()
    if endpoint := outcome.outputs.get("endpoint"):
        page.line(_endpoint(made, endpoint), "endpoint")
    if made.plan.gateway is not None and not made.plan.gateway.objects:
        name = f"{made.plan.gateway.namespace}/{made.plan.gateway.name}"
        page.line(f"{name} is not owned by this stack; in this rehearsal the fleet makes it", "gateway")
    if outcome.verdict.claims:
        page.line(f"{outcome.verdict.claims} device claims, allocated by the scheduler", "claims")
    page.line(", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.timings), "took")
    for official, label, style in ((True, "official", ""), (False, "stand-in", "yellow")):
        for text in _lines(part for part in made.parts if part.official is official):
            page.line(text, label, style)
    page.line()


def _lines(parts: Iterator[Part]) -> Iterator[str]:
    """Yields lines about parts; parts that need only their names share a line."""
    found = list(parts)
    if plain := [part.name for part in found if not part.origin]:
        yield ", ".join(plain)
    yield from (str(part) for part in found if part.origin)


def _endpoint(made: Stage, endpoint: Mapping[str, Any]) -> str:
    if "gateway" in endpoint:
        return f"{endpoint['url'] or 'without an address'} (through Gateway {endpoint['gateway']})"
    service = f"{endpoint['service']}.{made.plan.spec.namespace}.svc:{endpoint['port']}"
    return f"http://{service} (from inside the cluster; its IP {endpoint['address']})"


def _verdict(page: Page, made: Stage, outcome: Outcome) -> None:
    verdict = outcome.verdict
    ready = sum(pod.ready for pod in verdict.pods)
    fleet = " and ".join(f"{count} × {machine}" for machine, count in made.machines.items())
    # If nodes did not come, the Deployments were not created either.
    expected = max(verdict.expected, _pods_of(made.plan))
    placed = f"{ready} of {expected} pods are placed and Ready on {fleet}"
    if outcome.passed:
        facts = [placed, "every Secret, ConfigMap, claim class, volume and ServiceAccount they refer to exists"]
        if made.plan.gateway is not None:
            facts.append("the Gateway is programmed and takes the stack's route")
        page.line(f"{'; '.join(facts)}.", "PASSED", "bold green")
        machine = machine_of(made.plan.spec)
        if depends_on_order(made.plan.model_server, machine, made.machines.get(machine.key, 0)):
            page.line(NO_SPARE, indent=LABEL_WIDTH)
        return
    page.line(f"{placed}.", "FAILED", "bold red")
    for refusal in verdict.refusals():
        page.line(f"{refusal.what}: {refusal.why}", "- ", indent=LABEL_WIDTH)
        if refusal.said:
            page.line(f"scheduler: {refusal.said}", indent=LABEL_WIDTH + 2, style="dim")
    for text in (*verdict.missing, *(flaw.text for flaw in verdict.flaws)):
        page.line(text, "- ", indent=LABEL_WIDTH)
    if outcome.hopeless:
        page.line(f"The wait of `pulumi up` was ended: {outcome.hopeless}.", indent=LABEL_WIDTH)
    elif outcome.exit_code:
        why = f"`pulumi up` ended with exit code {outcome.exit_code}; what it said is above."
        page.line(why, indent=LABEL_WIDTH)


def _pods_of(plan: ServingBlueprint) -> int:
    """Returns the number of pods a stack should have: those of its model servers, and at least one of the router."""
    return sum(pods.replicas for pods in role_pods(plan.model_server)) + 1


def _next(page: Page, made: Stage, outcome: Outcome) -> None:
    namespace = made.plan.spec.namespace
    look = "get pods -o wide" if outcome.passed else "describe pods"
    page.line("Next:")
    page.verbatim(f"  . {made.shell}")
    page.verbatim(f"  kubectl -n {namespace} {look}")
    page.verbatim('  pulumi -C "$LLMD_PD_PROJECT" preview --diff')
    page.line()
    page.line("To remove it all:")
    page.verbatim(f"  {program()} down {made.rehearsal.name}")
