"""Rules of a platform stack: it says nothing of what it does not do, and names its machine."""

from collections.abc import Iterator

from hardware.machines import MACHINES
from stacks.findings import ERROR, PROJECT, Finding, Rule
from stacks.rules.facts import Facts
from stacks.rules.proposals import Proposals, either, write
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
            what, why = f"`{key}` is there in a platform stack", "nothing of it serves"
            served = facts.helping((key,), _what_it_could_serve(spec))
            yield Finding(at=(key,), what=what, why=why, fix=either(["leave it out", *map(write, served)]))
    if spec.cluster.machine is None:
        what, why = "`machine` is missing", "with nothing that serves, it follows from nothing"
        yield Finding(
            at=("cluster", "machine"),
            what=what,
            why=why,
            fix=f"name one, such as `machine: {cloud.example}`",
        )


def _what_it_could_serve(spec: StackSpec) -> Proposals:
    """The proposal to serve what the machine serves first."""
    machine = MACHINES.get(spec.cluster.machine or spec.cluster.cloud.example)
    if machine is None or not machine.serves:
        return {}
    accelerator, fabric = machine.serves[0]
    words = f"`{PROJECT}:serving: {{accelerator: {accelerator}, fabric: {fabric}}}`"
    return {words: {("serving",): {"accelerator": accelerator, "fabric": fabric}}}


PLATFORM_01 = Rule(
    "PLATFORM-01", ERROR,
    "in a platform stack: a router, monitoring or anything else that serves, or no machine",
    "nothing of it serves",
    "docs/platform-stacks.md", check=_only_nodes, firm=True,
)  # fmt: skip
