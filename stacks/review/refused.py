"""The parts of a stack file that a release refuses, and the stack file without them, so that the rest can be compared."""

from collections.abc import Iterator
from typing import Any

from hardware.bill import Bill
from hardware.render.argv import ArgumentError, command_line
from hardware.vocabulary import ROLES
from releases import RELEASES
from stacks.findings import place_text
from stacks.review.change import Change, Kind
from stacks.review.trees import dotted, leaves
from stacks.review.values import counterpart
from stacks.rules.router import BILL_02
from stacks.rules.table import examine
from stacks.serving.workload import workload
from stacks.spec.stack import StackSpec


def fitted(spec: StackSpec, bill: Bill, other: Bill) -> StackSpec:
    """Returns the stack on the release `bill`, without the parts that the release refuses.

    Values that only one of the two releases' charts knows are left out for both, because they have no counterpart.

    Raises:
        UnknownChoiceError: the release lacks a part of the stack.
    """
    foreign = _foreign(bill) | _foreign(other)
    values = {key: value for key, value in spec.router.values.items() if key not in foreign}
    router = spec.router.model_copy(update={"values": values})
    return _with_edits_it_takes(spec.model_copy(update={"release": bill.name, "router": router}))


def _foreign(bill: Bill) -> frozenset[str]:
    """Returns the top-level keys of other releases' charts."""
    return frozenset(key for other in RELEASES.values() for key in other.router.sections) - bill.router.sections


def _with_edits_it_takes(spec: StackSpec) -> StackSpec:
    """Returns the spec without edits of the engine's command line that do not fit the release's command line."""
    drops = tuple(name for name in spec.served.drop_args or () if _takes(spec, (name,), ()))
    extras = tuple(word for word in spec.served.extra_args or () if _takes(spec, drops, (word,)))
    return _edited(spec, drops, extras)


def _takes(spec: StackSpec, drops: tuple[str, ...], extras: tuple[str, ...]) -> bool:
    edited = workload(_edited(spec, drops, extras), None)
    try:
        for role in ROLES:
            command_line(edited, role)
    except ArgumentError:
        return False
    return True


def _edited(spec: StackSpec, drops: tuple[str, ...], extras: tuple[str, ...]) -> StackSpec:
    edits: dict[str, Any] = {"drop_args": drops, "extra_args": extras}
    return spec.model_copy(update={"serving": spec.served.model_copy(update=edits)})


def problems(spec: StackSpec, before: Bill, after: Bill) -> Iterator[Change]:
    """Yields the problems that `check` will report about the file on the release `after`."""
    for problem in examine(spec.model_copy(update={"release": after.name})).errors:
        if problem.row is not BILL_02:
            what = f"{problem.what}, and `llmd-pd check` refuses it ({problem.rule})"
            yield Change(Kind.BREAKS, problem.path, what=what, why=problem.why, fix=problem.fix)
    for key in spec.router.values:
        if key in _foreign(after):
            what = f"`{key}` is no key of {after.name}'s chart, and `llmd-pd check` refuses it ({BILL_02.id})"
            why = "the charts of two releases keep the same thing in different places"
            tree = {key: spec.router.values[key]}
            place, fix = place_text(("router", "values", key)), _rewritten(tree, before, after)
            yield Change(Kind.BREAKS, place, what=what, why=why, fix=fix)


def _rewritten(tree: dict[str, Any], before: Bill, after: Bill) -> str:
    """Returns a fix: each value under the other chart's key, if its counterpart is known."""
    pairs = [(dotted(path), counterpart(path, before, after)) for path in leaves(tree)]
    known = [f"{new} for {old}" for old, new in pairs if new]
    unknown = [old for old, new in pairs if not new]
    words = [f"write {', '.join(known)}"] if known else []
    words += [f"look {', '.join(unknown)} up in the values of the new chart"] if unknown else []
    return " and ".join(words)
