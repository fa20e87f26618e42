"""The pods of one role that are replaced while those of the other stay: which change does it, and what is pointed out of it.

A stack keeps a digest of each role's pod template among its outputs. The state has the templates too, but no program may read
it, and a live Deployment has the API server's defaults in it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hardware.render.kinds import role_pods
from hardware.role_replacement import REPORTS, connector, known_of
from hardware.vocabulary import ROLES, Role
from stacks.findings import WARNING, Finding, Rule
from stacks.rules.facts import Facts

if TYPE_CHECKING:
    pass

#: The output that holds the digests, by role.
OUTPUT = "podTemplates"
GUIDE = "docs/operate.md"


def pod_templates(objects: Sequence[Mapping[str, Any]]) -> dict[Role, str]:
    """The digest of each role's pod template, as it is rendered. The number of pods is not part of it."""
    found = {pods.role: _digest(pods.template) for pods in role_pods(objects)}
    return {role: found[role] for role in ROLES}


def _digest(template: Mapping[str, Any]) -> str:
    import hashlib  # late: no check needs it

    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:12]


def rolled_alone(before: Any, after: Mapping[Role, str]) -> Role | None:
    """The role whose pods a change replaces while the other's stay. `before` is what the stack exported, if it ever did."""
    if not isinstance(before, Mapping) or not all(isinstance(before.get(role), str) for role in ROLES):
        return None
    changed = [role for role in ROLES if before[role] != after[role]]
    return changed[0] if len(changed) == 1 else None


def _one_role(facts: Facts) -> Iterator[Finding]:
    """Pods that have met the old ones go on with the new ones."""
    role = rolled_alone(facts.previous.outputs.get(OUTPUT), pod_templates(facts.objects))
    build = facts.workload.hardware.build
    if role is None or (reports := REPORTS.get(connector(build))) is None:
        return
    other = next(each for each in ROLES if each != role)
    yield Finding(
        at=("serving", role),
        what=f"the change replaces the {role} pods and not the {other} pods, which is a risk",
        why=f"{reports[role]}, and {known_of(build, facts.workload.image)}",
        fix=f"make a second stack beside this one and move the clients, or replace both roles at once: {GUIDE}, *Roll one role*",
    )


ROLL_01 = Rule(
    "ROLL-01", WARNING,
    "when Pulumi runs: a change that replaces the pods of one role and leaves the other's",
    "those that stay may crash, or fail every request",
    GUIDE, check=_one_role, when_run=True,
)  # fmt: skip
