"""The pods of one role that are replaced while those of the other stay: which change does it, and what is pointed out of it.

A stack keeps a digest of each role's pod template among its outputs. The state has the templates too, but no program may read
it, and a live object has the API server's defaults in it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.peers import REPORTS, connector, known_of
from hardware.render.kinds import role_pods
from hardware.render.workload import Workload
from hardware.vocabulary import ROLES, Role
from stacks.findings import Problem
from stacks.rules.facts import Finding, Rule

#: The output that holds the digests, by role.
OUTPUT = "podTemplates"
GUIDE = "docs/operate.md"


def pod_templates(objects: Sequence[Mapping[str, Any]]) -> dict[Role, str]:
    """The digest of each role's pod template, as it is rendered. The number of pods is not part of it."""
    found = {pods.role: _digest(pods.template) for pods in role_pods(objects)}
    return {role: found[role] for role in ROLES}


def _digest(template: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:12]


def rolled_alone(before: Any, after: Mapping[Role, str]) -> Role | None:
    """The role whose pods a change replaces while the other's stay. `before` is what the stack exported, if it ever did."""
    if not isinstance(before, Mapping) or not all(isinstance(before.get(role), str) for role in ROLES):
        return None
    changed = [role for role in ROLES if before[role] != after[role]]
    return changed[0] if len(changed) == 1 else None


@dataclass(frozen=True)
class Rolled:
    """A role whose pods are replaced alone, and the workload as it is to be."""

    role: Role
    workload: Workload


def _one_role(subject: Rolled) -> Iterator[Finding]:
    """ROLL-01: pods that have met the old ones go on with the new ones."""
    role, build = subject.role, subject.workload.hardware.build
    other = next(each for each in ROLES if each != role)
    if (reports := REPORTS.get(connector(build))) is None:
        return
    yield Finding(
        f"serving.{role}",
        f"the change replaces the {role} pods and not the {other} pods, which is a risk",
        f"{reports[role]}, and {known_of(build, subject.workload.image)}",
        f"make a second stack beside this one and move the clients, or replace both roles at once: {GUIDE}, *Roll one role*",
    )


#: What is pointed out of a change; rows like `stacks.rules.warnings`, but `check` knows no stack's state.
ROLLS: tuple[Rule[Rolled], ...] = (Rule("ROLL-01", f"public reports, {GUIDE}", _one_role),)


def warnings_of(role: Role, workload: Workload) -> Iterator[Problem]:
    """Everything to be pointed out of a change that replaces the pods of this role alone."""
    subject = Rolled(role, workload)
    for row in ROLLS:
        yield from row.problems(subject)


def changed_roles(
    outputs: Mapping[str, Any], objects: Sequence[Mapping[str, Any]], workload: Workload
) -> Iterator[Problem]:
    """Everything to be pointed out of a change from what the stack exported to these objects. It asks no cluster."""
    role = rolled_alone(outputs.get(OUTPUT), pod_templates(objects))
    if role is not None:
        yield from warnings_of(role, workload)
