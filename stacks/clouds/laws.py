"""Laws: rules about the resources of a cloud's API, wherever they come from: a plan, or a program as a provider is told of it.

Each cloud has its own, one function for one rule; a row takes them by `law`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from stacks.clouds.resource import Resource
from stacks.findings import OUTSIDE, Finding

if TYPE_CHECKING:
    from stacks.rules.facts import Facts

Law = Callable[[Sequence[Resource]], Iterator[Finding]]


def law(*laws: Law) -> Callable[["Facts"], Iterator[Finding]]:
    """Returns the check of a rule that consists of these laws."""

    def check(facts: "Facts") -> Iterator[Finding]:
        for one in laws:
            yield from one(facts.resources)

    return check


def broken(resource: str, field: str, what: str) -> Finding:
    """Returns the finding at an argument of a resource, for which no key of a stack file is to blame."""
    why, fix = (
        "the cloud would refuse it, or make something else of it",
        "report it: it is a defect of this program",
    )
    return Finding(at=(OUTSIDE, resource, *field.split(".")), what=what, why=why, fix=fix)
