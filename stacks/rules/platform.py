"""Rules of a platform stack: it says nothing of what it does not do, and names its machine."""

from collections.abc import Iterator

from stacks.findings import ERROR, Finding, Rule
from stacks.rules.facts import Facts
from stacks.schema import Section
from stacks.spec.stack import StackSpec

#: The sections that say what serves. `mirror` is one too, unless the cluster itself is given charts.
SERVING_SECTIONS = ("namespace", "release", "router", "monitoring", "crds", "mirror")


def _only_nodes(facts: Facts) -> Iterator[Finding]:
    spec, usual = facts.spec, StackSpec()
    if spec.serving is not None:
        return
    cloud = spec.cluster.cloud
    for key in SERVING_SECTIONS:
        if key == "mirror" and cloud.pulls:
            continue
        stated = getattr(spec, key)
        # The project gives sections the default {}, but no key in them.
        if stated != getattr(usual, key) or (isinstance(stated, Section) and stated.model_fields_set):
            what, why = f"`{key}` of a platform stack", "nothing of it serves"
            yield Finding(
                at=(key,),
                what=what,
                why=why,
                fix="take it out, or add what it serves: `llmd-pd:serving: {accelerator: nvidia}`",
            )
    if spec.cluster.machine is None:
        what, why = "the machine is missing", "with nothing that serves, it follows from nothing"
        yield Finding(
            at=("cluster", "machine"),
            what=what,
            why=why,
            fix=f"name one, such as `machine: {cloud.example}`",
        )


PLATFORM_01 = Rule(
    "PLATFORM-01", ERROR,
    "in a platform stack: a router, monitoring or anything else that serves, or no machine",
    "nothing of it serves",
    "docs/platform-stacks.md", check=_only_nodes, firm=True,
)  # fmt: skip
