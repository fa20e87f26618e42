"""What is to be pointed out of a stack file and is no mistake: one concept, whoever's cluster it is.

Rows like the rules', of which none refuses a stack; a preview and `llmd-pd check` say the same ones. What a changed file would do
to what is there is looked up instead (`stacks.clouds.gke.look`, `stacks.clouds.coreweave.look_pools`, `stacks.rules.previous`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from stacks.clouds.coreweave import warnings as coreweave_warnings
from stacks.clouds.gke import warnings as gke_warnings
from stacks.file.load import StackFile
from stacks.file.messages import location
from stacks.findings import Problem
from stacks.rules.examined import Examined
from stacks.rules.facts import Rule
from stacks.spec.stack import StackSpec

#: By `cluster.provider`.
WARNINGS: Mapping[str, tuple[Rule[Examined], ...]] = {
    "existing": coreweave_warnings.OF_NODES_THERE,
    # The pods of such a stack are kept on one fabric.
    "coreweave": coreweave_warnings.OF_CLUSTERS,
    "gke": gke_warnings.WARNINGS,
    # What there is to be said of its nodes is said of the stack that makes them.
    "stack": (),
}


def warnings_of(spec: StackSpec) -> Iterator[Problem]:
    """Everything to be pointed out of a stack that obeys the rules, whether it serves or only makes nodes."""
    subject = Examined(spec)
    for row in WARNINGS.get(spec.cluster.provider, ()):
        yield from row.problems(subject)


def pointed_out(file: StackFile) -> tuple[Problem, ...]:
    """The same of a stack file, each with file and line, from the top down."""
    found = [
        replace(warning, file=str(file.path), line=file.line_of(location(warning.path)))
        for warning in warnings_of(file.spec)
    ]
    return tuple(sorted(found, key=lambda warning: warning.line))
