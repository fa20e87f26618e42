"""Kinds of Kubernetes objects that run the pods of roles. A bill names its kind (`Bill.workload_kind`); readers ask this table.

One object may run one role (a Deployment) or more: what it says of each role is read by `WorkloadKind.roles`, in one place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hardware.vocabulary import ROLE_LABEL

Object = Mapping[str, Any]


@dataclass(frozen=True)
class RolePods:
    """The pods of one role in an object: the role's key (empty if no label names it), the name their owner has, how many,
    template.
    """

    role: str
    owner: str
    replicas: int
    template: Object


@dataclass(frozen=True)
class WorkloadKind:
    """A kind: its name, version and plural in the API, the path that the API server never lets change, and how to read its roles.

    `scale` is the path of the number of pods, as the engine spells it.
    """

    name: str
    api_version: str
    plural: str
    fixed: tuple[str, ...]
    scale: str
    roles: Callable[[Object], Sequence[RolePods]]

    def collection(self, namespace: str) -> str:
        """Returns the path of its objects in a namespace of the API."""
        return f"/apis/{self.api_version}/namespaces/{namespace}/{self.plural}"


def _one_role(obj: Object) -> Sequence[RolePods]:
    metadata, spec = obj["metadata"], obj["spec"]
    role = (metadata.get("labels") or {}).get(ROLE_LABEL, "")
    return (RolePods(role, metadata["name"], spec.get("replicas", 1), spec["template"]),)


#: By the word of a bill.
KINDS: Mapping[str, WorkloadKind] = {
    kind.name: kind
    for kind in (
        WorkloadKind("Deployment", "apps/v1", "deployments", ("spec", "selector"), "spec.replicas", _one_role),
    )
}


def is_workload(obj: Object) -> bool:
    """Whether an object runs the pods of roles."""
    return obj["kind"] in KINDS


def role_pods(objects: Iterable[Object]) -> list[RolePods]:
    """Returns the pods of every role among the objects."""
    return [pods for obj in objects if is_workload(obj) for pods in KINDS[obj["kind"]].roles(obj)]
