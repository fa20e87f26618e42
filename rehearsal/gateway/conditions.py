"""Conditions of the Kubernetes API: whether something holds, why, since when, and for which generation of the object."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from stacks.kube.api import Object


class Condition(NamedTuple):
    """The content of one condition. `reason` is a word of the Gateway API's specification, `message` a sentence."""

    holds: bool
    reason: str
    message: str


def merged(before: Sequence[Object], wanted: Mapping[str, Condition], generation: int) -> list[Object]:
    """Returns the conditions `wanted`, by type, and those of other types in `before`.

    `lastTransitionTime` changes only with the status. `generation` is the object's, so that a reader can tell an outdated
    condition.
    """
    known = {row["type"]: row for row in before}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = []
    for kind, condition in wanted.items():
        status = str(condition.holds)
        same = known.get(kind, {}).get("status") == status
        made.append(
            {
                "type": kind,
                "status": status,
                "reason": condition.reason,
                "message": condition.message,
                "observedGeneration": generation,
                "lastTransitionTime": known[kind]["lastTransitionTime"] if same else now,
            }
        )
    return [*made, *(row for row in before if row["type"] not in wanted)]
