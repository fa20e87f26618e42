"""Helpers for tests of rendered workloads: a recipe of any combination in any release, changed at will."""

from dataclasses import replace
from typing import Any

from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill
from hardware.render.pods import model_server
from hardware.render.workload import Workload, accelerators, fabrics
from hardware.render.workload import hardware as look_up
from releases import release

MAY, JUNE = release("guide-2026-05"), release("guide-2026-06")


def workload(
    accelerator: str = "nvidia", engine: str = "vllm", fabric: str = "base", bill: Bill = MAY, **changes: object
) -> Workload:
    found = look_up(accelerator, engine, fabric, bill)
    base = Workload(
        name="pd-disaggregation", hardware=found, sizing=found.sizing, model=found.accelerator.model, bill=bill
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def container(workload: Workload, role: int = 0) -> dict[str, Any]:
    """The model server's container, of decode or (1) prefill."""
    found: dict[str, Any] = model_server(workload)[1 + role]["spec"]["template"]["spec"]["containers"][0]
    return found


def combinations(bill: Bill) -> list[tuple[str, str, str]]:
    """Every accelerator, engine and fabric a bill has."""
    return [
        (key, engine, fabric)
        for key in accelerators(bill)
        for engine in ACCELERATORS[key].engines
        for fabric in fabrics(ACCELERATORS[key], bill)
    ]
