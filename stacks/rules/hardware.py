"""Accelerator, engine and fabric: do they exist, together, and in the stack's release."""

from collections.abc import Iterator

from hardware.accelerators import ACCELERATORS
from hardware.render.workload import accelerators, fabrics
from stacks.findings import ERROR, Finding, Rule
from stacks.rules.corrected import releases_having
from stacks.rules.facts import Facts
from stacks.rules.proposals import one_of, pair, write

WHY = "only what upstream tested together composes"


def _known_choices(facts: Facts) -> Iterator[Finding]:
    """Every key that is nowhere, else the first of accelerator and fabric that the release was not tested with."""
    serving, bill = facts.serving, facts.bill
    accelerator = ACCELERATORS.get(serving.accelerator)
    if accelerator is None:
        what = f"accelerator `{serving.accelerator}` does not exist"
        at = ("serving", "accelerator")
        fix = facts.known_that_helps(at, serving.accelerator, accelerators(bill))
        yield Finding(at=at, what=what, why=WHY, fix=fix)
        return
    for word, key, keys, here in (
        ("engine", serving.engine, accelerator.engines, accelerator.engines),
        ("fabric", serving.fabric, [*accelerator.fabrics], fabrics(accelerator, bill)),
    ):
        if key not in keys:
            what = f"{word} `{key}` does not exist for accelerator `{accelerator.key}`"
            at = ("serving", word)
            yield Finding(at=at, what=what, why=WHY, fix=facts.known_that_helps(at, key, here or keys))
    if not bill.has(accelerator.key):
        what = f"accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(facts, "accelerator", releases_having(accelerator.key), accelerators(bill))
        yield Finding(at=("serving", "accelerator"), what=what, why=WHY, fix=fix)
    elif serving.fabric in accelerator.fabrics and not bill.has(accelerator.key, serving.fabric):
        what = f"fabric `{serving.fabric}` of accelerator `{accelerator.key}` is not in {bill.name}"
        fix = _elsewhere(facts, "fabric", releases_having(accelerator.key, serving.fabric), fabrics(accelerator, bill))
        yield Finding(at=("serving", "fabric"), what=what, why=WHY, fix=fix)


def _elsewhere(facts: "Facts", key: str, releases: list[str], here: list[str]) -> str:
    at = ("serving", key)
    proposals = one_of(*(pair(("release",), name) for name in releases))
    words = facts.helping(at, proposals) or [*proposals]
    others = facts.words_that_help(at, here)
    return f"{write(*words)}, or " + (f"use one of {', '.join(others)}" if len(others) > 1 else f"write `{others[0]}`")


HW_01 = Rule(
    "HW-01", ERROR,
    "an accelerator that does not exist, an engine or fabric it does not have, either that the release was not "
    "tested with",
    "only what upstream tested together composes",
    "docs/stack-files.md", check=_known_choices, firm=True,
)  # fmt: skip
