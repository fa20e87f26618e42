"""`llmd-pd check`: every problem of every stack file in one run, and every warning, without a cluster and without Pulumi."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from commands import console
from stacks.findings import Problem, StackFileError, Suppressed

if TYPE_CHECKING:
    from hardware.vocabulary import Sizing
    from stacks.rules.facts import Facts

PATTERN = "Pulumi.*.yaml"


class Output(StrEnum):
    """The form of the output: text for people and grep, JSON for programs."""

    TEXT = "text"
    JSON = "json"


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help=f"Stack files. Default: every {PATTERN} of this directory."),
    ] = None,
    output: Annotated[Output, typer.Option(help="One line per finding, or one JSON document.")] = Output.TEXT,
) -> None:
    """Check stack files: all problems at once, and warnings of files that have none.

    Examples:

    \b
      llmd-pd check                              every Pulumi.*.yaml of this directory
      llmd-pd check Pulumi.coreweave-h200.yaml   one stack
      llmd-pd check --output json | jq '.files[].problems[]'

    Exits with 0 when every file can be used, with or without warnings, with 1 when one cannot.
    """
    paths = list(dict.fromkeys(files or sorted(Path().glob(PATTERN))))
    if not paths:
        console.error(
            f"there is nothing to check, because this directory holds no {PATTERN}; go to the project's directory or name a file."
        )
        raise typer.Exit(1)
    found = []
    for path in paths:
        found.append(examine(path))
        if output is Output.TEXT:
            _print(path, found[-1])
    problems, warnings = (
        sum(len(part) for part in parts) for parts in zip(*(each[1:3] for each in found), strict=True)
    )
    if output is Output.JSON:
        documents = [_document(path, each) for path, each in zip(paths, found, strict=True)]
        summary = {"files": len(paths), "problems": problems, "warnings": warnings}
        console.line(json.dumps({"files": documents, "summary": summary}, indent=2))
    else:
        counts = [console.count(len(paths), "file"), console.count(problems, "problem")]
        console.line(", ".join([*counts, *([console.count(warnings, "warning")] if warnings else [])]))
    raise typer.Exit(1 if problems else 0)


class Examined(NamedTuple):
    """The result for one stack file: a description in one line, warnings and suppressed findings; or no description, and
    problems.

    All are sorted by line.
    """

    description: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()


def examine(path: Path) -> Examined:
    """Checks one stack file, together with its platform stack's file if it refers to one."""
    from stacks.file.load import load
    from stacks.spec.cluster import OF_A_STACK

    try:
        found = load(path)
        if found.spec.serving is None:
            text = f"nodes only, {found.facts.cluster.nodes_text}"
            return Examined(text, (), found.warnings, found.suppressed)
        if found.spec.cluster.provider != OF_A_STACK:
            return Examined(describe(found.facts), (), found.warnings, found.suppressed)
        from stacks.platform import (
            platform_path,
            resolve_platform,
        )  # late: they read files that other checks do not need

        of_the_nodes = platform_path(found)
        stack = found.spec.cluster.stack or ""
        if of_the_nodes is None or not of_the_nodes.exists():
            unseen = f"the nodes belong to stack {stack}, whose file is not here: not checked against"
            return Examined(f"{describe(found.facts)}; {unseen}", (), found.warnings, found.suppressed)
        whole = resolve_platform(found)
        text = f"{describe(whole.facts)}, on nodes of stack {stack}"
        return Examined(text, (), whole.warnings, whole.suppressed)
    except StackFileError as error:
        return Examined("", error.problems)


def describe(facts: "Facts") -> str:
    """Returns one line about a valid stack file: hardware, sizing, machines and bill.

    `8×1 + 2×4` means prefill + decode, each as pods × devices per pod.
    """
    from hardware.fit.fit import PodDoesNotFitError, nodes_needed
    from hardware.fit.requests import pod_requests

    resolved, machine = facts.workload, facts.machine
    try:
        nodes = facts.spec.cluster.nodes or nodes_needed(pod_requests(facts.objects), machine)
        count = console.count(nodes, "node")
    except PodDoesNotFitError:  # FIT-01 is suppressed
        count = "on no number of which they fit"
    prefill, decode = (_pods_and_devices(resolved.sizing[role]) for role in ("prefill", "decode"))
    serving = facts.serving
    return (
        f"{serving.accelerator}/{serving.engine} on {serving.fabric}, {prefill} + {decode} of {machine.key} "
        f"({count}), {resolved.bill.name}"
    )


def _pods_and_devices(sizing: "Sizing") -> str:
    return f"{sizing.replicas}×{sizing.devices}"


def _print(path: Path, found: Examined) -> None:
    for problem in found.problems:
        console.problem(problem)
    if not found.problems:
        console.good(f"{path}: {found.description}")
    for warning in found.warnings:
        console.warning(warning)
    for suppressed in found.suppressed:
        console.suppressed(suppressed)


def _document(path: Path, found: Examined) -> dict[str, Any]:
    from stacks.file.load import stack_name

    return {
        "file": str(path),
        "stack": stack_name(path),
        "description": found.description,
        "problems": [problem.as_json() for problem in found.problems],
        "warnings": [warning.as_json() for warning in found.warnings],
        "suppressed": [{**each.problem.as_json(), "reason": each.reason} for each in found.suppressed],
    }
