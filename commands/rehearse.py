"""`llmd-pd rehearse`, `down` and `setup`: deploys a stack to the simulated fleet and reports on it, and removes it."""

import contextlib
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commands import console


def rehearse(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The stack file, Pulumi.<stack>.yaml.")],
    keep: Annotated[bool, typer.Option("--keep", help="Leave the fleet running; `llmd-pd down` removes it.")] = False,
    machine: Annotated[str | None, typer.Option(help="Rehearse on this machine instead of the stack's.")] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="With this many of them, whatever the pods need.")] = None,
    fault: Annotated[
        str | None,
        typer.Option(
            metavar="FAULT",
            help="What goes wrong with the nodes a stack makes, such as quota or stockout; docs/rehearse.md lists it all.",
        ),
    ] = None,
) -> None:
    """Deploy a stack to an embedded control plane with simulated nodes, and say whether it runs there.

    Exit code 0: everything is placed and Ready and every reference exists; 1: not, with the reason; 130: interrupted.

    \b
    Examples:
      llmd-pd rehearse Pulumi.coreweave-h200.yaml
      llmd-pd rehearse Pulumi.coreweave-h200.yaml --keep
      llmd-pd rehearse Pulumi.rehearsal.yaml --machine nvidia-generic --nodes 2
      llmd-pd rehearse Pulumi.coreweave-h200.yaml --fault stockout
    """
    # Late: no other command needs tools, Pulumi's SDK and the Kubernetes client.
    from commands.rehearsal_report import show
    from rehearsal.report import PlainReport
    from rehearsal.session import perform, stage
    from rehearsal.stack import rehearsable

    given = (("--machine", machine), ("--nodes", nodes), ("--fault", fault))
    options = [f"{key} {value}" for key, value in given if value is not None]
    again = " ".join([console.program(), "rehearse", shlex.quote(str(file)), *options])
    report = PlainReport()
    try:
        found = rehearsable(file, machine, nodes)
        with _every_end_in_order(), stage(found, kept=keep, report=report, fault=fault) as made:
            outcome = perform(made, report)
            show(made, outcome, report, again)
    except KeyboardInterrupt:
        console.error(
            f"interrupted: to go on run `{again} --keep` again, to remove it `{console.program()} down`"
            if keep
            else "interrupted: the rehearsal is removed, nothing of it runs any more"
        )
        raise
    raise typer.Exit(0 if outcome.passed else 1)


@contextlib.contextmanager
def _every_end_in_order() -> Iterator[None]:
    """Treats SIGTERM (CI ends a job) and SIGHUP (a terminal is closed) like Ctrl-C: clean up, then exit."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def down(
    name: Annotated[
        str | None, typer.Argument(help="The kept rehearsal; left out, every one of this checkout.")
    ] = None,
) -> None:
    """Remove kept rehearsals: their processes, state and files. The tools stay in your cache."""
    from rehearsal.control_plane.registry import Registry
    from rehearsal.errors import RehearsalError

    registry = Registry()
    removed = registry.sweep()
    in_use: list[RehearsalError] = []
    for found in [name] if name else registry.names():
        try:
            rehearsal = registry.open(found)
        except RehearsalError as error:
            in_use.append(error)
            continue
        if rehearsal is not None:
            rehearsal.remove()
            removed.append(found)
    for found in removed:
        console.line(f"removed rehearsal {found}")
    for refusal in in_use:
        console.error(str(refusal))
    if not removed and not in_use:
        console.line(f"there is no rehearsal {name}" if name else "there is no rehearsal to remove")
    if in_use or (name and name not in removed):
        raise typer.Exit(1)


def setup() -> None:
    """Get every tool a rehearsal needs, and the charts and CRDs of the default release, so that the next one starts at once."""
    from rehearsal.parts.parts import prepare
    from rehearsal.parts.toolchain import ensure
    from rehearsal.report import PlainReport

    report = PlainReport()
    prepare(ensure(report), report)
