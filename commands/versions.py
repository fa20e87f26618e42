"""`llmd-pd versions`: lists the releases, and the changes of a stack that moves from one release to another.

`stacks.review` finds the changes of a move; this module prints them for a reviewer.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import console
from commands.check import Output

if TYPE_CHECKING:
    from hardware.bill import Bill
    from stacks.blueprint import ServingBlueprint
    from stacks.review.change import Change
    from stacks.review.move import Move

#: The page on the ways to move a stack.
GUIDE = "docs/upgrade.md"

versions = typer.Typer(name="versions", rich_markup_mode=None)


@versions.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    output: Annotated[Output, typer.Option(help="One line per fact, or one JSON document.")] = Output.TEXT,
) -> None:
    """List the releases, and say what moving a stack to another one does.

    A release is a bill of versions that were tested together.

    `llmd-pd:release` in a stack file names one of them.

    Examples:

    \b
      llmd-pd versions
      llmd-pd versions --output json | jq '.releases[] | {name, modelServers}'
      llmd-pd versions diff guide-2026-05 guide-2026-06 Pulumi.coreweave-h200.yaml
    """
    if context.invoked_subcommand is not None:
        return
    from releases import DEFAULT, RELEASES

    if output is Output.JSON:
        documents = [_bill_document(bill) for bill in RELEASES.values()]
        console.line(json.dumps({"default": DEFAULT, "releases": documents}, indent=2))
        return
    for bill in RELEASES.values():
        default = [("default", "for stack files that name no release")] if bill.name == DEFAULT else []
        console.facts(bill.name, [*default, *_bill_rows(bill)])


@versions.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="The release the stack is on.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The release it moves to.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A stack file, Pulumi.<stack>.yaml.")],
    output: Annotated[Output, typer.Option(help="For people, or one JSON document.")] = Output.TEXT,
) -> None:
    """Say what moving a stack from release A to B changes, replaces and breaks.

    Compares what the stack file applies under each of the two: its objects, its router's values and, where helm and the
    charts are at hand, what the charts make of them.

    Examples:

    \b
      llmd-pd versions diff guide-2026-05 guide-2026-06 Pulumi.coreweave-h200.yaml
      llmd-pd versions diff guide-2026-05 guide-2026-06 Pulumi.gke-tpu.yaml --output json | jq '.breaks[]'

    Exits with 1 when a release does not exist or does not have what the stack asks for, or the file has problems.
    """
    from stacks.file.load import load_serving
    from stacks.review.move import move

    found = move(load_serving(file), before, after, _rendered)
    if output is Output.JSON:
        console.line(json.dumps(_move_document(found), indent=2, ensure_ascii=False))
        return
    _show(found)


def _rendered(plan: "ServingBlueprint") -> list[dict[str, Any]] | None:
    """Returns the objects of the router's chart, None without helm or the chart; prints a note if the chart does not render."""
    from commands.helm import ChartError, ChartUnreachableError, template

    try:
        return template(plan.router)
    except ChartUnreachableError:
        return None
    except ChartError as error:
        console.note(f"what the chart makes on {plan.bill.name} is not compared, because {error}")
        return None


def _show(found: "Move") -> None:
    from stacks.review.change import Kind

    console.line(headline(found))
    for kind, title in (
        (Kind.REPLACED, "WHAT IS REPLACED"),
        (Kind.BREAKS, "WHAT BREAKS"),
        (Kind.CHANGES, "WHAT CHANGES"),
    ):
        if changes := found.of(kind):
            console.section(title)
            for change in changes:
                _entry(change)
    if found.steps:
        console.section("HOW TO")
        for number, step in enumerate(found.steps, 1):
            console.line(f"{number}. {step}")
        console.line(f"Both ways to do it, in place and beside: {GUIDE}")


def _entry(change: "Change") -> None:
    if console.for_people(sys.stdout):
        rows = [("what", change.finding.what), ("why", change.finding.why), ("fix", change.finding.fix)]
        console.facts(change.subject, [row for row in rows if row[1]])
    else:
        console.line(f"- {change}.")


def headline(found: "Move") -> str:
    """Returns a sentence about the effects of a move."""
    from stacks.review.change import Kind

    releases = (f"{bill.name} (llm-d {bill.commit} of {bill.date})" for bill in (found.before, found.after))
    start = "Moving {} from {} to {}".format(found.file.path, *releases)
    if not found.changes:
        return f"{start}: nothing changes."
    replaced, breaks, changed = (found.of(kind) for kind in (Kind.REPLACED, Kind.BREAKS, Kind.CHANGES))
    parts = [_replaced([change.subject for change in replaced]), _things(breaks, "break"), _things(changed, "change")]
    return f"{start}: {', '.join(filter(None, parts))}."


def _replaced(subjects: Sequence[str]) -> str:
    # The names are in brackets, and below.
    short = [subject.partition(" (")[0] for subject in subjects]
    one = len(short) == 1 and not short[0][0].isdigit()
    return f"{_listed(short)} {'is' if one else 'are'} replaced" if short else ""


def _things(changes: Sequence["Change"], do: str) -> str:
    return f"{console.count(len(changes), 'thing')} {do}{'s' if len(changes) == 1 else ''}" if changes else ""


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _bill_rows(bill: "Bill") -> Iterator[tuple[str, str]]:
    yield "guide", f"llm-d {bill.commit} of {bill.date}, {bill.source}"
    for mode, chart in bill.router.charts.items():
        yield f"router chart, mode {mode}", f"{chart.ref} {chart.version}"
    yield "endpoint picker", bill.router.endpoint_picker.image
    yield "router's proxy", bill.router.proxy.image
    yield "routing proxy", bill.sidecar.image
    yield from bill.apis.items()
    for provider, title in _implementations().items():
        yield f"gateway implementation {provider}", title
    for build, image in _model_servers(bill).items():
        yield f"model server {build}", image


def _bill_document(bill: "Bill") -> dict[str, Any]:
    charts = {mode: {"ref": chart.ref, "version": chart.version} for mode, chart in bill.router.charts.items()}
    return {
        "name": bill.name,
        "date": bill.date,
        "commit": bill.commit,
        "source": bill.source,
        "charts": charts,
        "endpointPicker": bill.router.endpoint_picker.image,
        "routerProxy": bill.router.proxy.image,
        "routingProxy": bill.sidecar.image,
        "apis": dict(bill.apis),
        "gatewayImplementations": _implementations(),
        "modelServers": _model_servers(bill),
    }


def _implementations() -> dict[str, str]:
    """Returns what `router.gateway.install` installs, by provider. It is equal in every release, as in upstream's pages."""
    from releases.gateways import IMPLEMENTATIONS

    return {provider: found.title for provider, found in IMPLEMENTATIONS.items()}


def _model_servers(bill: "Bill") -> dict[str, str]:
    """Returns the image of each build in the bill; also by fabric, if a fabric has another image."""
    from hardware.accelerators import ACCELERATORS
    from hardware.render.workload import accelerators, fabrics

    found: dict[str, str] = {}
    for key in accelerators(bill):
        accelerator = ACCELERATORS[key]
        for build in accelerator.builds:
            usual = bill.images.get((key, build.engine.key), build.image)
            found[f"{key}/{build.engine.key}"] = usual
            for fabric in fabrics(accelerator, bill):
                image = bill.image((key, build.engine.key, fabric)) or build.image
                if image != usual:
                    found[f"{key}/{build.engine.key}/{fabric}"] = image
    return found


def _move_document(found: "Move") -> dict[str, Any]:
    from stacks.review.change import Kind

    return {
        "file": str(found.file.path),
        "stack": found.file.stack,
        "from": _release(found.before),
        "to": _release(found.after),
        "headline": headline(found),
        **{kind.value: [change.as_json() for change in found.of(kind)] for kind in Kind},
        "steps": list(found.steps),
    }


def _release(bill: "Bill") -> dict[str, str]:
    return {"name": bill.name, "date": bill.date, "commit": bill.commit}
