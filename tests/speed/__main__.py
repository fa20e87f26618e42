"""`python -m tests.speed`: measures, prints a table, writes JSON. Exit code 0 even where a goal is missed, unless `--gate`."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rehearsal import project
from rehearsal.engine import Engine
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
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="another checkout with a .venv: its `check` and preview are peers too",
    )
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a goal is missed")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("--runs must be at least 1")

    report = PlainReport()
    before = os.getloadavg()[0]
    try:
        lines = _offline(asked.runs * SHORT, asked.against, report)
        with stage(rehearsable(STACK), kept=False, report=report) as made:
            parts = [{"name": part.name, "official": part.official, "origin": part.origin} for part in made.parts]
            lines = [*_on_the_fleet(made, asked.runs, asked.against, report), *lines]
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


def _on_the_fleet(made: Stage, runs: int, against: Path | None, report: Report) -> list[Line]:
    workdir, project, env = made.rehearsal.workdir, made.engine.project, made.engine.env
    ours = Program(project.directory, project.stack, env)
    guide = Guide.of(project.stack_file, workdir / "guide", env)
    nothing = empty_program(workdir / "empty", env)

    with report.step("previews"):
        ours.up()
        objects = len(ours.resources())
        both = {"ours": ours.preview, "peer": nothing.preview}
        if other := _of_another(against, made):
            other.up()
            both["other"] = other.preview
        alternate(both, 1)  # the first reads everything from disk
        previews = alternate(both, runs * SHORT)
        if other:
            other.destroy()

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
        *([Line("preview, no changes", previews["ours"], str(against), previews["other"])] if other else []),
        Line("up from nothing", ups["ours"], "the guide's commands, each waited for", ups["patient"], Goal(1.1)),
        Line("up from nothing", ups["ours"], "the same, waited for at the end", ups["at once"]),
        Line("render, router included", renders["ours"]),
    ]


def _of_another(checkout: Path | None, made: Stage) -> Program | None:
    """The same stack by another checkout's program, in a namespace of its own, on the same fleet."""
    if checkout is None:
        return None
    # Nobody waits for its pods: the fleet has room for ours alone.
    keys = {"name": "another", "namespace": "another", "serving": {"wait": False}}
    engine, python = made.engine, checkout.resolve() / ".venv" / "bin" / "python"
    directory = made.rehearsal.workdir / "another"
    found = project.write(directory, checkout.resolve(), python, engine.project.stack_file, "another", keys)
    Engine(found, engine.env).select()
    return Program(found.directory, found.stack, engine.env)


def _offline(runs: int, against: Path | None, report: Report) -> list[Line]:
    with TemporaryDirectory() as directory:
        files = [offline.filled(path, Path(directory)) for path in sorted(CHECKOUT.glob("Pulumi.*.yaml"))]
        with report.step("check"):
            tasks = {"ours": lambda: offline.check(files)}
            if against is not None:
                program = against.resolve() / ".venv" / "bin" / "llmd-pd"
                tasks["other"] = lambda: offline.check(files, program)
            alternate(tasks, 1)
            checks = alternate(tasks, runs)
        proof = "pulumi is imported" if "pulumi" in offline.imported(files) else "pulumi is not imported"
    what = f"check, {len(files)} stack files"
    other = [Line(what, checks["ours"], str(against), checks["other"])] if against else []
    return [Line(what, checks["ours"], goal=Goal(0.4, "s"), note=proof), *other]


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
