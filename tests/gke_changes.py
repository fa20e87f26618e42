"""The rules about a change of a GKE stack since its last run, asked with a Google of the test's."""

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.clouds.cloud import Previous
from stacks.clouds.gke import readiness
from stacks.clouds.gke.leftovers.google import Google
from stacks.clouds.gke.rules import RULES
from stacks.clouds.rules import IMM
from stacks.findings import Outcome, StackFileError, run
from stacks.rules.facts import Facts
from stacks.spec.stack import StackSpec

OWNER = "acme/llmd-pd/prod"


class Answers(Google):
    """Answers by the last part of the path."""

    def __init__(self, project: str, found: dict[str, Any]) -> None:
        self.project, self.found = project, found

    def read(self, api: str, path: str, **_: Any) -> dict[str, Any] | None:
        return self.found.get(f"{api}/{path.rpartition('/')[2]}")


def asked(
    after: StackSpec, connect: readiness.Connect, planned: Mapping[str, Any], outputs: Mapping[str, Any] | None = None
) -> Outcome:
    """Returns what the rules find, of a stack whose last plan and outputs were these. Laws of the plan alone are not asked."""
    previous = Previous(OWNER, outputs or {}, planned)
    rules = (IMM, *(rule for rule in RULES if rule.id in ("GKE-30", "GKE-17", "GKE-31", "GKE-32")))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(readiness, "connection", lambda *_: connect)
        return run(rules, Facts(after, planned=True, previous=previous))


def look_at_project(after: StackSpec, planned: Mapping[str, Any], connect: readiness.Connect) -> list[str]:
    """Returns the warnings about unanswered questions. Raises StackFileError with the problems."""
    found = asked(after, connect, planned)
    if found.errors:
        raise StackFileError(found.errors)
    return [f"{one.what}, because {one.why}; {one.fix}." for one in found.warnings if one.rule == "GKE-32"]
