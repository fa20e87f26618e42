"""Accelerator, engine and fabric: do they exist, together, and in the stack's release."""

from collections.abc import Iterator

from hardware.accelerators import ACCELERATORS
from hardware.render.workload import accelerators, fabrics
from releases import RELEASES
from stacks.findings import known
from stacks.rules.facts import Finding, Subject
from stacks.spec.stack import StackSpec

WHY = "only what upstream tested together composes"


def known_choices(subject: Subject) -> Iterator[Finding]:
    """Every key that is nowhere, else the first of accelerator and fabric that the release was not tested with."""
    serving, bill = subject.spec.served, subject.bill
    accelerator = ACCELERATORS.get(serving.accelerator)
    if accelerator is None:
        what = f"accelerator `{serving.accelerator}` does not exist"
        yield Finding("serving.accelerator", what, WHY, known(serving.accelerator, accelerators(bill)))
        return
    for word, key, keys, here in (
        ("engine", serving.engine, accelerator.engines, accelerator.engines),
        ("fabric", serving.fabric, [*accelerator.fabrics], fabrics(accelerator, bill)),
    ):
        if key not in keys:
            what = f"{word} `{key}` does not exist for accelerator `{accelerator.key}`"
            yield Finding(f"serving.{word}", what, WHY, known(key, here or keys))
    if not bill.has(accelerator.key):
        what = f"accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(_having(accelerator.key), accelerators(bill))
        yield Finding("serving.accelerator", what, WHY, fix)
    elif serving.fabric in accelerator.fabrics and not bill.has(accelerator.key, serving.fabric):
        what = f"fabric `{serving.fabric}` of accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(_having(accelerator.key, serving.fabric), fabrics(accelerator, bill))
        yield Finding("serving.fabric", what, WHY, fix)


def with_known_choices(spec: StackSpec) -> StackSpec | None:
    """The spec with what the accelerator does not know replaced by its default, of a release that has the rest; None when
    the accelerator is unknown."""
    accelerator = ACCELERATORS.get(spec.served.accelerator)
    if accelerator is None:
        return None
    engine, fabric = spec.served.engine, spec.served.fabric
    if engine not in accelerator.engines:
        engine = accelerator.engines[0]
    if fabric not in accelerator.fabrics:
        fabric = next(iter(accelerator.fabrics))
    having = _having(accelerator.key, fabric)
    release = spec.release if spec.release in having else having[0]
    serving = spec.served.model_copy(update={"engine": engine, "fabric": fabric})
    return spec.model_copy(update={"release": release, "serving": serving})


def _having(accelerator: str, fabric: str | None = None) -> list[str]:
    """The releases that were tested with an accelerator, and with that fabric of it."""
    return [name for name, bill in RELEASES.items() if bill.has(accelerator, fabric)]


def _elsewhere(releases: list[str], here: list[str]) -> str:
    written = " or ".join(f"`release: {name}`" for name in releases)
    return f"write {written}, or use one of {', '.join(here)}"
