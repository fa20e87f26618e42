"""Accelerator, engine and fabric: do they exist, together, and in the stack's release."""

from collections.abc import Iterator

from hardware.accelerators import ACCELERATORS
from hardware.render.workload import accelerators, fabrics
from stacks.findings import ERROR, Finding, Rule, known
from stacks.rules.corrected import releases_having
from stacks.rules.facts import Facts

WHY = "only what upstream tested together composes"


def _known_choices(facts: Facts) -> Iterator[Finding]:
    """Every key that is nowhere, else the first of accelerator and fabric that the release was not tested with."""
    serving, bill = facts.serving, facts.bill
    accelerator = ACCELERATORS.get(serving.accelerator)
    if accelerator is None:
        what = f"accelerator `{serving.accelerator}` does not exist"
        yield Finding(
            at=("serving", "accelerator"), what=what, why=WHY, fix=known(serving.accelerator, accelerators(bill))
        )
        return
    for word, key, keys, here in (
        ("engine", serving.engine, accelerator.engines, accelerator.engines),
        ("fabric", serving.fabric, [*accelerator.fabrics], fabrics(accelerator, bill)),
    ):
        if key not in keys:
            what = f"{word} `{key}` does not exist for accelerator `{accelerator.key}`"
            yield Finding(at=("serving", word), what=what, why=WHY, fix=known(key, here or keys))
    if not bill.has(accelerator.key):
        what = f"accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(releases_having(accelerator.key), accelerators(bill))
        yield Finding(at=("serving", "accelerator"), what=what, why=WHY, fix=fix)
    elif serving.fabric in accelerator.fabrics and not bill.has(accelerator.key, serving.fabric):
        what = f"fabric `{serving.fabric}` of accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(releases_having(accelerator.key, serving.fabric), fabrics(accelerator, bill))
        yield Finding(at=("serving", "fabric"), what=what, why=WHY, fix=fix)


def _elsewhere(releases: list[str], here: list[str]) -> str:
    written = " or ".join(f"`release: {name}`" for name in releases)
    return f"write {written}, or use one of {', '.join(here)}"


HW_01 = Rule(
    "HW-01", ERROR,
    "an accelerator that does not exist, an engine or fabric it does not have, either that the release was not "
    "tested with",
    "only what upstream tested together composes",
    "docs/stack-files.md", check=_known_choices, firm=True,
)  # fmt: skip
