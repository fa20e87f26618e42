"""The stack file of a rehearsal: every rule holds but those the scheduler is about to judge, and that it has no blanks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from rehearsal import blanks
from stacks.clouds.registry import CLOUDS
from stacks.file.load import StackFile, load_serving
from stacks.findings import Problem, StackFileError
from stacks.platform import paired
from stacks.rules.table import problems_of
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import StackSpec

#: Whether pods fit their nodes is what a rehearsal asks the real scheduler.
SCHEDULERS_RULES = frozenset({"FIT-01"})


#: A cluster whose nodes are there, whatever the stack file says of it.
AS_EXISTING: dict[str, Any] = {
    "provider": "existing",
    "stack": None,
    **{key: None for key, cloud in CLOUDS.items() if cloud.section_type is not None},
    "protect": True,
    "allow_replace": (),
}


def rehearsable(path: Path, machine: str | None = None, nodes: int | None = None) -> StackFile:
    """Reads a stack file for a rehearsal, on another machine or with another number of nodes if asked. Its blanks stay.

    What would be on other nodes is asked of a cluster that has them, also where the stack would make its own.

    Raises:
        StackFileError: with every problem but those of fit, and with those of fit where no machine would do, or the nodes are
            the stack's own or another's: then they are what that says, and there is nothing to ask.
    """
    file = load_serving(path, but=SCHEDULERS_RULES | blanks.UNASKED)
    changes: dict[str, Any] = {
        key: value for key, value in (("machine", machine), ("nodes", nodes)) if value is not None
    }
    if machine is not None and nodes is None:
        changes["nodes"] = None  # as many as the pods need of the other machine
    if changes:
        changes |= AS_EXISTING
    spec = _on(file.spec, **changes)
    if spec.cluster.provider == OF_A_STACK:
        return paired(replace(file, spec=spec), but=blanks.UNASKED)
    unasked = frozenset() if spec.cluster.makes_nodes else SCHEDULERS_RULES
    whole = blanks.filled(spec)
    if problems := [problem for problem in problems_of(whole) if problem.rule not in unasked]:
        raise StackFileError(problems)
    undisputed(whole)
    return replace(file, spec=spec)


def undisputed(spec: StackSpec) -> dict[str, Any]:
    """What the rehearsed stack file says of machine and nodes, so that the program leaves the question to the scheduler.

    Raises:
        StackFileError: the pods fit neither the machine in question nor any that serves them, so there is nothing to ask.
    """
    if spec.cluster.provider != "existing":
        return {}
    found: list[Problem] = []
    for machine in dict.fromkeys((spec.cluster.machine, None)):
        problems = list(problems_of(_on(spec, machine=machine, nodes=None)))
        if not problems:
            as_existing = {to_camel(key): value for key, value in AS_EXISTING.items()}
            return {**as_existing, "allowReplace": [], "machine": machine, "nodes": None}
        found = found or problems
    raise StackFileError(found)


def _on(spec: StackSpec, **cluster: Any) -> StackSpec:
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=cluster)})
