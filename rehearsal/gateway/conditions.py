"""Conditions as the Kubernetes API has them: what is said of an object, since when, and of which generation of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from stacks.kube.api import Object


class Answer(NamedTuple):
    """The content of one condition: whether it holds, the specification's word for why, and a sentence for people."""

    holds: bool
    reason: str
    message: str


def conditions(before: Sequence[Object], answers: Mapping[str, Answer], generation: int) -> list[Object]:
    """Conditions by type, made of `answers`. The time of one changes only with its status; types of others stay.

    `generation` is the object's: a reader can tell whether the answers are about what it says now.
    """
    known = {row["type"]: row for row in before}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = []
    for kind, answer in answers.items():
        status = str(answer.holds)
        same = known.get(kind, {}).get("status") == status
        made.append(
            {
                "type": kind,
                "status": status,
                "reason": answer.reason,
                "message": answer.message,
                "observedGeneration": generation,
                "lastTransitionTime": known[kind]["lastTransitionTime"] if same else now,
            }
        )
    return [*made, *(row for row in before if row["type"] not in answers)]
