"""What a rule is: what it looks at, what it may find, and its row in the table (`stacks.rules.table`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from hardware.bill import Bill
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from releases import release
from stacks.findings import Problem
from stacks.serving import workload as resolve
from stacks.spec.stack import StackSpec


@dataclass(frozen=True)
class Finding:
    """What one rule has to say: a problem without the rule's own id and source."""

    path: str
    what: str
    why: str
    fix: str


class ClusterSubject(Protocol):
    """A spec under examination of which only the cluster is looked at: it may serve or only make nodes."""

    @property
    def spec(self) -> StackSpec:
        """The spec."""


class Subject:
    """A spec under examination, and what follows from it."""

    def __init__(self, spec: StackSpec) -> None:
        self.spec = spec

    @property
    def bill(self) -> Bill:
        """The bill of versions; only for rules that come after its look-up."""
        return release(self.spec.release)

    @cached_property
    def workload(self) -> Workload:
        """The resolved workload; only for rules that come after the look-ups."""
        return resolve.workload(self.spec)

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The rendered model servers; only for rules that come after the composition."""
        return model_server(self.workload)


_Examined = TypeVar("_Examined", contravariant=True)


@dataclass(frozen=True)
class Rule(Generic[_Examined]):
    """A row: its id, where it comes from, what it checks in what.

    Later rules cannot be asked about a spec in which a gate found something; its `gate` mends the spec so that they can,
    or returns None when nothing can be said any more.
    """

    id: str
    source: str
    check: Callable[[_Examined], Iterator[Finding]]
    gate: Callable[[StackSpec], StackSpec | None] | None = None

    def problems(self, subject: _Examined) -> list[Problem]:
        """What it finds, as problems of the stack file; once, where both roles find the same."""
        return [
            Problem(self.id, f"llmd-pd:{found.path}", found.what, found.why, found.fix, self.source)
            for found in dict.fromkeys(self.check(subject))
        ]
