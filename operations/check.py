"""`llmd-pd check`: every problem of every stack file in one run, without a cluster and without Pulumi."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from operations import console
from stacks.problems import Problem, StackFileError

if TYPE_CHECKING:
    from hardware.vocabulary import Sizing
    from stacks.spec import PlatformSpec, StackSpec

PATTERN = "Pulumi.*.yaml"


class Output(StrEnum):
    """For people and grep, or for programs."""

    TEXT = "text"
    JSON = "json"


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help=f"Stack files. Default: every {PATTERN} of this directory."),
    ] = None,
    output: Annotated[Output, typer.Option(help="One line per finding, or one JSON document.")] = Output.TEXT,
) -> None:
    """Check stack files: all problems at once.

    Examples:

    \b
      llmd-pd check                              every Pulumi.*.yaml of this directory
      llmd-pd check Pulumi.coreweave-h200.yaml   one stack
      llmd-pd check --output json | jq '.files[].problems[]'

    Exits with 0 when every file can be used, with 1 when one cannot.
    """
    paths = list(dict.fromkeys(files or sorted(Path().glob(PATTERN))))
    if not paths:
        console.error(
            f"there is nothing to check, because this directory holds no {PATTERN}; go to the project's directory or name a file."
        )
        raise typer.Exit(1)
    found = 0
    documents = []
    for path in paths:
        description, problems = examine(path)
        found += len(problems)
        if output is Output.JSON:
            documents.append(_document(path, description, problems))
        else:
            _print(path, description, problems)
    if output is Output.JSON:
        console.line(json.dumps({"files": documents, "summary": {"files": len(paths), "problems": found}}, indent=2))
    else:
        console.line(f"{console.count(len(paths), 'file')}, {console.count(found, 'problem')}")
    raise typer.Exit(1 if found else 0)


def examine(path: Path) -> tuple[str, tuple[Problem, ...]]:
    """What a stack file says, in one line, and no problems; or nothing, and every problem, from the top down."""
    from stacks.files import PlatformFile, load_any, paired

    try:
        found = load_any(path)
        if isinstance(found, PlatformFile):
            return describe_nodes(found.spec), ()
        if found.spec.cluster.provider != "stack":
            return describe(found.spec), ()
        stack = found.spec.cluster.stack or ""
        if not (path.parent / f"Pulumi.{stack.rpartition('/')[2]}.yaml").exists():
            return (
                f"{describe(found.spec)}; the nodes are stack {stack}'s, whose file is not here: not checked against",
                (),
            )
        return f"{describe(paired(found).spec)}, on nodes of stack {stack}", ()
    except StackFileError as error:
        return "", error.problems


def describe(spec: "StackSpec") -> str:
    """A stack file that obeys the rules, in one line: hardware, sizing, machines and bill.

    `8×1 + 2×4` is prefill and decode, pods × devices of a pod.
    """
    from hardware.fit import nodes_needed
    from hardware.renderer import model_server
    from hardware.requests import pod_requests
    from stacks.workload import machine_of, workload

    resolved = workload(spec)
    machine = machine_of(spec)
    nodes = spec.cluster.nodes or nodes_needed(pod_requests(model_server(resolved)), machine)
    prefill, decode = (_pods_and_devices(resolved.sizing[role]) for role in ("prefill", "decode"))
    serving = spec.serving
    return (
        f"{serving.accelerator}/{serving.engine} on {serving.fabric}, {prefill} + {decode} of {machine.key} "
        f"({console.count(nodes, 'node')}), {resolved.bill.name}"
    )


def describe_nodes(spec: "PlatformSpec") -> str:
    """A stack file that only makes nodes and obeys the rules, in one line."""
    from stacks.platform import platform_plan

    planned = platform_plan(spec)
    if planned.gke is not None:
        site = planned.gke.site
        system = site.gke.system_pool
        nodes = f"{system.min} to {system.max} × {system.machine_type} and {site.nodes} × {site.machine.instance_type}"
        return f"nodes only, {nodes}, a cluster of its own"
    pools = [f"{pool.spec['targetNodes']} × {pool.instance_type}" for pool in planned.pools]
    return f"nodes only, {' and '.join(pools)}"


def _pods_and_devices(sizing: "Sizing") -> str:
    return f"{sizing.replicas}×{sizing.devices}"


def _print(path: Path, description: str, problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        console.problem(problem)
    if not problems:
        console.good(f"{path}: {description}")


def _document(path: Path, description: str, problems: tuple[Problem, ...]) -> dict[str, Any]:
    from stacks.files import stack_name

    found = [problem.as_json() for problem in problems]
    return {"file": str(path), "stack": stack_name(path), "description": description, "problems": found}
