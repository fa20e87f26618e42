"""The stack file of a rehearsal. All rules apply, but those of fit, which the scheduler judges, and of placeholders."""

from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from rehearsal import placeholders
from stacks.clouds.registry import CLOUDS
from stacks.file.load import StackFile, load_serving
from stacks.findings import Problem, StackFileError
from stacks.platform import resolve_platform
from stacks.rules.fit import FIT_01
from stacks.rules.table import examine
from stacks.spec.cluster import OF_A_STACK
from stacks.spec.stack import StackSpec

#: Rules that a rehearsal leaves to the real scheduler: whether pods fit their nodes.
SCHEDULERS_RULES = frozenset({FIT_01.id})


#: The keys of an existing cluster, in place of those in the stack file.
AS_EXISTING: dict[str, Any] = {
    "provider": "existing",
    "stack": None,
    **{key: None for key, cloud in CLOUDS.items() if cloud.section_type is not None},
    "protect": True,
    "allow_replace": (),
}


def rehearsable(path: Path, machine: str | None = None, nodes: int | None = None) -> StackFile:
    """Reads a stack file for a rehearsal, on another machine or with another number of nodes if given. Its placeholders stay.

    Another machine or number of nodes is rehearsed on an existing cluster, also if the stack would make its own.

    Raises:
        StackFileError: with every problem but those of fit. With those of fit if no machine fits, or if the stack or its platform
            stack makes the nodes, so that their number and machine are certain.
    """
    file = load_serving(path, but=SCHEDULERS_RULES | placeholders.UNASKED)
    changes: dict[str, Any] = {
        key: value for key, value in (("machine", machine), ("nodes", nodes)) if value is not None
    }
    if machine is not None and nodes is None:
        changes["nodes"] = None  # as many nodes of the other machine as the pods need
    if changes:
        changes |= AS_EXISTING
    spec = _on(file.spec, **changes)
    if spec.cluster.provider == OF_A_STACK:
        return resolve_platform(file.with_spec(spec), but=placeholders.UNASKED)
    unasked = frozenset() if spec.cluster.makes_nodes else SCHEDULERS_RULES
    whole = placeholders.filled(spec)
    if problems := [problem for problem in examine(whole).errors if problem.rule not in unasked]:
        raise StackFileError([*map(file.located, problems)])
    try:
        fit_left_to_scheduler(whole)
    except StackFileError as error:
        raise StackFileError([*map(file.located, error.problems)]) from None
    return file.with_spec(spec)


def fit_left_to_scheduler(spec: StackSpec) -> dict[str, Any]:
    """Returns the keys of machine and nodes for the rehearsed stack file, so that the program leaves the fit to the scheduler.

    Raises:
        StackFileError: the pods fit neither the machine of the file nor any other that serves them.
    """
    if spec.cluster.provider != "existing":
        return {}
    found: tuple[Problem, ...] = ()
    for machine in dict.fromkeys((spec.cluster.machine, None)):
        problems = examine(_on(spec, machine=machine, nodes=None)).errors
        if not problems:
            as_existing = {to_camel(key): value for key, value in AS_EXISTING.items()}
            return {**as_existing, "allowReplace": [], "machine": machine, "nodes": None}
        found = found or problems
    raise StackFileError(found)


def _on(spec: StackSpec, **cluster: Any) -> StackSpec:
    return spec.model_copy(update={"cluster": spec.cluster.model_copy(update=cluster)})
