"""What of a stack file a release refuses, and the stack file without it, so that the rest can be compared."""

from collections.abc import Iterator
from typing import Any

from hardware.bill import Bill
from releases import RELEASES
from stacks.rules import problems_of
from stacks.spec import StackSpec
from stacks.upgrade.change import Change, Kind
from stacks.upgrade.trees import leaves
from stacks.upgrade.values import counterpart

#: The rule that keeps the keys of two releases' charts apart.
FOREIGN_VALUES = "BILL-02"


def fitted(spec: StackSpec, bill: Bill) -> StackSpec:
    """The stack on a release, without values that are another release's chart's."""
    values = {key: value for key, value in spec.router.values.items() if key not in _foreign(bill)}
    return spec.model_copy(update={"release": bill.name, "router": spec.router.model_copy(update={"values": values})})


def _foreign(bill: Bill) -> frozenset[str]:
    """Top-level keys of other releases' charts."""
    return frozenset(key for other in RELEASES.values() for key in other.router.sections) - bill.router.sections


def without_edits(spec: StackSpec) -> StackSpec:
    """The stack with the recipe's command line as it is."""
    edits: dict[str, Any] = {"extra_args": (), "drop_args": ()}
    return spec.model_copy(update={"serving": spec.serving.model_copy(update=edits)})


def problems(spec: StackSpec, before: Bill, after: Bill) -> Iterator[Change]:
    """What `check` says of the file once it is on the release `after`."""
    for problem in problems_of(spec.model_copy(update={"release": after.name})):
        fix = _rewritten(spec, before, after) if problem.rule == FOREIGN_VALUES else ""
        what = f"{problem.what}, and `llmd-pd check` refuses it ({problem.rule})"
        yield Change(Kind.BREAKS, problem.path, what, problem.why, fix or problem.fix)


def _rewritten(spec: StackSpec, before: Bill, after: Bill) -> str:
    """Each value in the other chart's keys, where its counterpart is known."""
    foreign = {key: value for key, value in spec.router.values.items() if key in _foreign(after)}
    pairs = [(".".join(path), counterpart(path, before, after)) for path in leaves(foreign)]
    known = [f"{new} for {old}" for old, new in pairs if new]
    unknown = [old for old, new in pairs if not new]
    words = [f"write {', '.join(known)}"] if known else []
    words += [f"{', '.join(unknown)} has no counterpart that is known: see the chart's own values"] if unknown else []
    return "; ".join(words)
