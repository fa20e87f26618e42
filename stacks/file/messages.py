"""Reads the fields of a stack file: configuration in, a `StackSpec` out, or all problems of the fields.

pydantic finds them, `stacks.file.faults` writes the messages. A fix that names the value to write is tried: what the field says
to that value is said at once, and the rules judge it.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stacks.file.faults import Fault, Written
from stacks.file.remains import Remains, remains
from stacks.findings import Place, Problem
from stacks.spec.stack import StackSpec, is_platform


@dataclass(frozen=True)
class Fields:
    """The fields of a configuration: their problems, and what remains without the faulty ones: all, if there is none.

    `mended` are places whose problem is one of spelling: there `config` has the value that the fix asks for, and so has what
    remains.
    """

    problems: tuple[Problem, ...]
    left: Remains
    config: Mapping[str, Any]
    mended: frozenset[Place] = frozenset()


def fields(config: dict[str, Any], written: Written = lambda _: None) -> Fields:
    """Reads the fields of a configuration.

    `serving` may be missing, or empty as the project's default is, in a platform stack only.
    """
    spec, details = _validated(config)
    if spec is not None:
        return Fields((), Remains(spec), config)
    faults = [Fault(detail, config, written) for detail in details]
    repaired = copy.deepcopy(config)
    mended = {fault.at for fault in faults if fault.repair(repaired)}
    # What a field says to the value that a fix asks for is said at once.
    again = {detail["loc"]: detail for detail in (_validated(repaired)[1] if mended else details)}
    found = [Fault(again.get(fault.detail["loc"], fault.detail), config, written) for fault in faults]
    told = {fault.detail["loc"] for fault in faults}
    found += [Fault(detail, repaired, written) for at, detail in again.items() if at not in told]
    left = remains(_of_the_kind(repaired), [*again], platform=is_platform(repaired))
    mended = {place for place in mended if not any(at[: len(place)] == place for at in again)}
    return Fields(tuple(fault.problem() for fault in found), left, repaired, frozenset(mended))


def _validated(config: dict[str, Any]) -> tuple[StackSpec | None, list[ErrorDetails]]:
    details: list[ErrorDetails] = []
    if not is_platform(config) and config.get("serving") is None:
        kind = "model_type" if "serving" in config else "missing"
        context = {"cluster": "cluster" in config}
        details.append({"type": kind, "loc": ("serving",), "msg": "", "input": None, "ctx": context})
    try:
        spec = StackSpec.model_validate_json(json.dumps(_of_the_kind(config)))
    except ValidationError as error:
        return None, details + error.errors(include_url=False)
    return (None, details) if details else (spec, [])


def _of_the_kind(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration; of a platform stack without `serving`, which may be there and empty."""
    return {key: value for key, value in config.items() if key != "serving"} if is_platform(config) else config
