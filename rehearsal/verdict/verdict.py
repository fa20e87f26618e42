"""The verdict of a rehearsal: where every pod runs, why one does not, what its pods refer to that is not there, and what is
wrong around them: a Gateway that lets no requests in, a pool without its nodes.

Read from the API server after the scheduler had its say.
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

#: One line every rehearsal ends with.
BLIND_SPOTS = "A rehearsal cannot see image pulls, drivers, firmware or links that do not work: docs/rehearse.md."


class Flaw(NamedTuple):
    """What else is wrong, in a sentence. `awaited`: `pulumi up` waits for it to be right. `underway`: it is about to be."""

    text: str
    awaited: bool = False
    underway: bool = False


class Surroundings(Protocol):
    """Something beside the pods that a stack needs: a way in, nodes."""

    def flaws(self, api: Api) -> Iterable[Flaw]:
        """Everything that is wrong with it, now. Raises what `Api` raises."""


@dataclass(frozen=True)
class PodState:
    """One pod: where it is, whether it serves, and the scheduler's words where it is nowhere."""

    name: str
    owner: str
    node: str | None
    ready: bool
    reason: str = ""

    @property
    def pending(self) -> bool:
        """Whether no node was found for it."""
        return self.node is None


@dataclass(frozen=True)
class Shortfall:
    """Pods of a Deployment that do not even exist, and the API server's words where it refused them."""

    owner: str
    count: int
    reason: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why pods of one owner do not run: in plain words, and as Kubernetes said it."""

    what: str
    why: str
    said: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" + (f" (scheduler: {self.said})" if self.said else "")


@dataclass(frozen=True)
class Verdict:
    """Everything placed and Ready, every reference there and the way in open, or what is not."""

    pods: Sequence[PodState]
    missing: Sequence[str] = ()
    claims: int = 0
    shortfalls: Sequence[Shortfall] = ()
    flaws: Sequence[Flaw] = ()
    """What keeps requests from coming in through the Gateway of a stack that has one, and nodes from coming."""
    mismatches: Mapping[str, str] = field(default_factory=dict)
    """By owner, why its pods fit no node: the fields of the node that comes nearest, or the luck of the placement."""

    @property
    def serving(self) -> bool:
        """True when there are pods, all that there should be, and all Ready."""
        return bool(self.pods) and all(pod.ready for pod in self.pods) and not self.shortfalls

    @property
    def passed(self) -> bool:
        """True when everything serves, nothing is missing, and nothing is wrong around it."""
        return self.serving and not self.missing and not self.flaws

    @property
    def expected(self) -> int:
        """How many pods there should be."""
        return len(self.pods) + sum(shortfall.count for shortfall in self.shortfalls)

    def refusals(self) -> list[Refusal]:
        """Why pods do not run, one for each reason and owner."""
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
        """`refusals`, a line each."""
        return [str(refusal) for refusal in self.refusals()]


def look(api: Api, namespace: str, around: Sequence[Surroundings] = ()) -> Verdict:
    """The state of a namespace's pods, whatever they refer to that does not exist, and what is wrong `around` them."""
    place = f"/api/v1/namespaces/{namespace}"
    # Pods that are done or on their way out are nobody's any more.
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
    """The Deployment's name: its ReplicaSet's without the hash."""
    owners = pod["metadata"].get("ownerReferences") or []
    name: str = owners[0]["name"] if owners else pod["metadata"]["name"]
    return name.rpartition("-")[0] if owners and owners[0]["kind"] == "ReplicaSet" else name
