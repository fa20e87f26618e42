"""The verdict of a rehearsal: where every pod runs or why it does not, missing references of the pods, and flaws around them,
such as a Gateway that lets no requests in or a node pool without its nodes.

Read from the API server after the scheduler has tried to place the pods.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hardware.render.kinds import KINDS, role_pods
from rehearsal.verdict.mismatch import mismatches
from rehearsal.verdict.reasons import plain_words, said
from rehearsal.verdict.references import missing
from stacks.kube.api import Api, Object

#: The last line of every rehearsal.
BLIND_SPOTS = "A rehearsal cannot see image pulls, drivers, firmware or links that do not work: docs/rehearse.md."


class Flaw(NamedTuple):
    """A flaw around the pods, in a sentence. `awaited`: `pulumi up` waits until it is mended. `underway`: it is being mended."""

    text: str
    awaited: bool = False
    underway: bool = False


class Surroundings(Protocol):
    """A part that a stack needs beside its pods: a Gateway, node pools."""

    def flaws(self, api: Api) -> Iterable[Flaw]:
        """Yields its present flaws. Raises what `Api` raises."""


@dataclass(frozen=True)
class PodState:
    """One pod: its node, whether it is Ready, and the scheduler's words if it has no node."""

    name: str
    owner: str
    node: str | None
    ready: bool
    reason: str = ""

    @property
    def pending(self) -> bool:
        """Whether it has no node."""
        return self.node is None


@dataclass(frozen=True)
class Shortfall:
    """Pods of a Deployment that do not exist, and the API server's words if it refused them."""

    owner: str
    count: int
    reason: str = ""


@dataclass(frozen=True)
class Refusal:
    """The reason why pods of one owner do not run, in plain words and in those of Kubernetes."""

    what: str
    why: str
    said: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" + (f" (scheduler: {self.said})" if self.said else "")


@dataclass(frozen=True)
class Verdict:
    """The pods of a stack, and everything that keeps it from serving."""

    pods: Sequence[PodState]
    missing: Sequence[str] = ()
    claims: int = 0
    shortfalls: Sequence[Shortfall] = ()
    flaws: Sequence[Flaw] = ()
    """Flaws of the stack's Gateway and of its node pools."""
    mismatches: Mapping[str, str] = field(default_factory=dict)
    """By owner, why its pods fit no node: the fields of the node that comes nearest, or the order in which pods were placed."""

    @property
    def serving(self) -> bool:
        """Whether all expected pods exist and are Ready, at least one."""
        return bool(self.pods) and all(pod.ready for pod in self.pods) and not self.shortfalls

    @property
    def passed(self) -> bool:
        """Whether all pods serve, no reference is missing, and there are no flaws."""
        return self.serving and not self.missing and not self.flaws

    @property
    def expected(self) -> int:
        """The number of pods that should exist."""
        return len(self.pods) + sum(shortfall.count for shortfall in self.shortfalls)

    def refusals(self) -> list[Refusal]:
        """Returns why pods do not run, one row for each reason and owner."""
        wanted = Counter(pod.owner for pod in self.pods)
        wanted.update({shortfall.owner: shortfall.count for shortfall in self.shortfalls})
        waiting = Counter((pod.owner, pod.pending, pod.reason) for pod in self.pods if not pod.ready)
        found = []
        for (owner, pending, reason), count in waiting.items():
            what = f"{count} of {wanted[owner]} pods of {owner} {'pending' if pending else 'placed but not Ready'}"
            why = plain_words(reason) if pending else "the containers have not started, or their probes fail"
            if pending and owner in self.mismatches:
                why += f"; {self.mismatches[owner]}"
            found.append(Refusal(what, why, said(reason)))
        for lack in self.shortfalls:
            what = f"{lack.count} of {wanted[lack.owner]} pods of {lack.owner} never created"
            found.append(Refusal(what, lack.reason or "the controller manager has not said why", ""))
        return found

    def reasons(self) -> list[str]:
        """Returns the refusals as lines."""
        return [str(refusal) for refusal in self.refusals()]


def verdict_of(api: Api, namespace: str, around: Sequence[Surroundings] = ()) -> Verdict:
    """Returns the verdict on a namespace's pods and on the parts `around` them."""
    place = f"/api/v1/namespaces/{namespace}"
    # Pods that have ended or are being deleted do not count.
    pods = [pod for pod in api.items(f"{place}/pods") if not _over(pod)]
    workloads = [
        {**item, "kind": kind.name} for kind in KINDS.values() for item in api.items(kind.collection(namespace))
    ]
    claims = api.items(f"/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims")
    states = sorted((_state(pod) for pod in pods), key=lambda pod: pod.name)
    specs = [(_owner(pod), pod["spec"]) for pod in pods]
    specs += [(pods.owner, pods.template["spec"]) for pods in role_pods(workloads)]
    refused = {pod.owner: pod.reason for pod in states if pod.pending and pod.reason}
    return Verdict(
        pods=states,
        missing=missing(api, namespace, specs),
        claims=sum(1 for claim in claims if claim.get("status", {}).get("allocation")),
        shortfalls=_shortfalls(workloads, Counter(pod.owner for pod in states)),
        flaws=[flaw for each in around for flaw in each.flaws(api)],
        mismatches=mismatches(api, namespace, workloads, refused),
    )


def _over(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _shortfalls(workloads: list[Object], there: "Counter[str]") -> list[Shortfall]:
    found = []
    for item in workloads:
        failures = [
            row.get("message", "")
            for row in item.get("status", {}).get("conditions") or []
            if row["type"] == "ReplicaFailure" and row["status"] == "True"
        ]
        for pods in role_pods([item]):
            if there[pods.owner] < pods.replicas:
                found.append(Shortfall(pods.owner, pods.replicas - there[pods.owner], "; ".join(failures)))
    return found


def _state(pod: Object) -> PodState:
    conditions = {row["type"]: row for row in pod.get("status", {}).get("conditions") or []}
    scheduled = conditions.get("PodScheduled", {})
    return PodState(
        name=pod["metadata"]["name"],
        owner=_owner(pod),
        node=pod["spec"].get("nodeName"),
        ready=conditions.get("Ready", {}).get("status") == "True",
        reason=scheduled.get("message", "") if scheduled.get("status") == "False" else "",
    )


def _owner(pod: Object) -> str:
    """Returns the name of the pod's Deployment: that of its ReplicaSet without the hash."""
    owners = pod["metadata"].get("ownerReferences") or []
    name: str = owners[0]["name"] if owners else pod["metadata"]["name"]
    return name.rpartition("-")[0] if owners and owners[0]["kind"] == "ReplicaSet" else name
