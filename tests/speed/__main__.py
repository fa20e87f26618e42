"""`python -m tests.speed`: measures, prints a table, writes JSON. Exit code 0 even where a goal is missed, unless `--gate`."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.report import PlainReport, Report
from rehearsal.session import CHECKOUT, Stage, stage
from rehearsal.stack import rehearsable
from tests.speed import machine, offline
from tests.speed.commands import CommandError
from tests.speed.guide import Guide
from tests.speed.pulumi import Program, empty_program
from tests.speed.series import Goal, Line, alternate, table

STACK = CHECKOUT / "Pulumi.rehearsal.yaml"
#: Short commands are measured more often: they cost little and vary more.
SHORT = 3
#: Load per core at the start from which on the machine counts as busy with something else.
BUSY = 0.25


def main() -> int:
    """Measures everything in one run, on one control plane of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.speed", description=__doc__)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument(
        "--runs", type=int, default=5, help="runs of each `up` (default 5); short commands run more often"
    )
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a goal is missed")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("--runs must be at least 1")

    report = PlainReport()
    before = os.getloadavg()[0]
    try:
        lines = _offline(asked.runs * SHORT, report)
        with stage(rehearsable(STACK), kept=False, report=report) as made:
            parts = [{"name": part.name, "official": part.official, "origin": part.origin} for part in made.parts]
            lines = [*_on_the_fleet(made, asked.runs, report), *lines]
    except (CommandError, RehearsalError) as error:
        print(f"the benchmark ended early: {error}", file=sys.stderr)
        return 1

    found = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**machine.facts(), "loadBefore": before},
        "parts": parts,
        "goalsMet": all(line.met is not False for line in lines),
        "results": [line.as_json() for line in lines],
    }
    _show(lines, parts, before)
    if asked.output:
        asked.output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return 1 if asked.gate and not found["goalsMet"] else 0


def _on_the_fleet(made: Stage, runs: int, report: Report) -> list[Line]:
    workdir, project, env = made.rehearsal.workdir, made.engine.project, made.engine.env
    ours = Program(project.directory, project.stack, env)
    guide = Guide.of(project.stack_file, workdir / "guide", env)
    nothing = empty_program(workdir / "empty", env)

    with report.step("previews"):
        ours.up()
        objects = len(ours.resources())
        both = {"ours": ours.preview, "peer": nothing.preview}
        alternate(both, 1)  # the first reads everything from disk
        previews = alternate(both, runs * SHORT)

    def clear() -> None:
        if ours.resources():
            ours.destroy()
        guide.clear()

    with report.step("`up` and the guide's commands"):
        clear()
        ups = alternate({"ours": ours.up, "patient": guide.patiently, "at once": guide.at_once}, runs, clear)

    with report.step("render"):
        task = {"ours": lambda: offline.render(project.stack_file, workdir / "rendered", env)}
        alternate(task, 1)
        renders = alternate(task, runs * SHORT)
    return [
        Line(
            "preview, no changes", previews["ours"], "an empty program", previews["peer"], Goal(3), f"{objects} objects"
        ),
        Line("up from nothing", ups["ours"], "the guide's commands, each waited for", ups["patient"], Goal(1.1)),
        Line("up from nothing", ups["ours"], "the same, waited for at the end", ups["at once"]),
        Line("render, router included", renders["ours"]),
    ]


def _offline(runs: int, report: Report) -> list[Line]:
    with TemporaryDirectory() as directory:
        files = [offline.filled(path, Path(directory)) for path in sorted(CHECKOUT.glob("Pulumi.*.yaml"))]
        with report.step("check"):
            task = {"ours": lambda: offline.check(files)}
            alternate(task, 1)
            checks = alternate(task, runs)
        proof = "pulumi is imported" if "pulumi" in offline.imported(files) else "pulumi is not imported"
    return [Line(f"check, {len(files)} stack files", checks["ours"], goal=Goal(0.5, "s"), note=proof)]


def _show(lines: list[Line], parts: list[dict[str, Any]], before: float) -> None:
    print(f"\n{table(lines)}\n")
    print("medians of runs in turn, and their range; ratio is ours divided by the peer's")
    stand_ins = [part["name"] for part in parts if not part["official"]]
    if stand_ins:
        print(f"stand-ins were used for {', '.join(stand_ins)}: the official parts have other timings")
    if before > BUSY * machine.cores():
        print(f"the machine was busy before we began (load {before:.1f}): the numbers are noisy")


if __name__ == "__main__":
    sys.exit(main())
