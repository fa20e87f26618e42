"""Value trees for the router's chart, pure: Helm's merge of `-f` files, and a bill's trees merged for one stack.

Knows no chart's keys: those belong to the bill.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hardware.bill import Bill


def merge(*trees: Mapping[str, Any]) -> dict[str, Any]:
    """The trees merged as Helm merges `-f` files, the last one winning; none of them is changed or shared.

    Maps merge key by key, everything else (lists too) replaces. A null stays in the result, as in Helm: it is what deletes
    the *chart's* default, so whoever hands the result to Helm must not drop it.
    """
    merged: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            below = merged.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                merged[key] = merge(below, value)
            else:
                merged[key] = deepcopy(value)
    return merged


def router_values(
    bill: Bill, *, name: str, monitoring: bool = False, overrides: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The values of a stack's router release: the bill's trees, its selector, monitoring if asked, then `overrides`.

    `name` is the guide label of the stack's model servers: the router serves those pods and no others.
    """
    selector: Mapping[str, Any] = {bill.guide_label: name}
    for key in reversed(bill.router.match_labels):
        selector = {key: selector}
    features = [bill.router.features["monitoring"]] if monitoring else []
    return merge(*bill.router.values, selector, *features, overrides or {})
