"""Requests of pods, read from rendered Deployments and ResourceClaimTemplates.

Owns Kubernetes' sums over a pod's containers. Leaves out whether a machine can satisfy them (`hardware.fit.fit`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hardware.fit import quantities
from hardware.fit.quantities import Quantity
from hardware.render.kinds import KINDS, RolePods, is_workload


@dataclass(frozen=True)
class ClaimRequest:
    """One ResourceClaim of a pod: devices per DeviceClass, all with the same value of `same_attribute` if given."""

    devices: Mapping[str, int]
    same_attribute: str | None = None

    def __str__(self) -> str:
        shared = f" with one {self.same_attribute}" if self.same_attribute else ""
        return " + ".join(f"{count} {name}" for name, count in self.devices.items()) + shared


@dataclass(frozen=True)
class Toleration:
    """A pod's toleration. An empty key tolerates every taint, an empty effect all effects, a value of None every value."""

    key: str = ""
    value: str | None = None
    effect: str = ""


@dataclass(frozen=True)
class PodRequest:
    """The requests of `count` equal pods; resources are Kubernetes quantities."""

    count: int
    resources: Mapping[str, Quantity] = field(default_factory=dict)
    claims: tuple[ClaimRequest, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    #: Allowed values by label: the `In` of a required node affinity of one term.
    node_affinity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()

    @property
    def devices(self) -> Mapping[str, int]:
        """The number of devices per DeviceClass, over all claims of one pod."""
        totals: dict[str, int] = {}
        for claim in self.claims:
            for name, count in claim.devices.items():
                totals[name] = totals.get(name, 0) + count
        return totals


def pod_requests(objects: Iterable[Mapping[str, Any]]) -> list[PodRequest]:
    """Returns one request per role among the workloads, with claims from the ResourceClaimTemplates among the objects.

    Raises ValueError for a claim whose devices cannot be counted: a missing template, `firstAvailable`, mode `All`.
    """
    objects = list(objects)
    templates = {item["metadata"]["name"]: item for item in objects if item["kind"] == "ResourceClaimTemplate"}
    return [
        _pod_request(pods, f"{item['kind']} {pods.owner}", templates)
        for item in objects
        if is_workload(item)
        for pods in KINDS[item["kind"]].roles(item)
    ]


def _pod_request(pods: RolePods, owner: str, templates: Mapping[str, Mapping[str, Any]]) -> PodRequest:
    pod = pods.template["spec"]
    return PodRequest(
        count=pods.replicas,
        resources=_resources(pod),
        claims=tuple(_claim(reference, templates, owner) for reference in pod.get("resourceClaims", ())),
        node_selector=pod.get("nodeSelector", {}),
        node_affinity=_node_affinity(pod),
        tolerations=tuple(_toleration(toleration) for toleration in pod.get("tolerations", ())),
    )


def _node_affinity(pod: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    affinity = pod.get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", ())
    rows = terms[0].get("matchExpressions", ()) if len(terms) == 1 else ()  # of several, any is enough
    return {row["key"]: tuple(row["values"]) for row in rows if row["operator"] == "In"}


def _resources(pod: Mapping[str, Any]) -> dict[str, Decimal]:
    """Returns the scheduler's sum: of all containers and sidecars, or the maximum during initialisation if that is more."""
    running: dict[str, Decimal] = {}
    peak: dict[str, Decimal] = {}
    for container in pod.get("initContainers", ()):
        if container.get("restartPolicy") == "Always":
            running = _sum(running, _asked(container))
            peak = _larger(peak, running)
        else:
            peak = _larger(peak, _sum(running, _asked(container)))
    for container in pod["containers"]:
        running = _sum(running, _asked(container))
    return _larger(running, peak)


def _asked(container: Mapping[str, Any]) -> dict[str, Decimal]:
    resources = container.get("resources", {})
    # A limit without a request is the request: the API server fills it in.
    asked = {**resources.get("limits", {}), **resources.get("requests", {})}
    return {name: quantities.parse(amount) for name, amount in asked.items()}


def _sum(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in {**one, **other}}


def _larger(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in {**one, **other}}


def _claim(reference: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]], owner: str) -> ClaimRequest:
    name = reference.get("resourceClaimTemplateName", "")
    if name not in templates:
        raise ValueError(
            f"{owner}: claim {reference['name']!r} names no ResourceClaimTemplate of this stack; render it with the pod"
        )
    wanted = templates[name]["spec"]["spec"]["devices"]
    devices: dict[str, int] = {}
    for request in wanted["requests"]:
        exactly = request.get("exactly")
        if exactly is None or exactly.get("allocationMode", "ExactCount") != "ExactCount":
            raise ValueError(
                f"{owner}: request {request['name']!r} of claim template {name!r} has no fixed count; use `exactly` with one"
            )
        devices[exactly["deviceClassName"]] = devices.get(exactly["deviceClassName"], 0) + exactly.get("count", 1)
    return ClaimRequest(devices, _same_attribute(wanted.get("constraints", ()), f"{owner}: claim template {name!r}"))


def _same_attribute(constraints: Sequence[Mapping[str, Any]], where: str) -> str | None:
    if not constraints:
        return None
    if len(constraints) > 1 or constraints[0].get("requests") or "matchAttribute" not in constraints[0]:
        raise ValueError(
            f"{where} has constraints other than one matchAttribute over all requests; their fit cannot be told"
        )
    return str(constraints[0]["matchAttribute"])


def _toleration(toleration: Mapping[str, Any]) -> Toleration:
    exists = toleration.get("operator", "Equal") == "Exists"
    value = None if exists else toleration.get("value", "")
    return Toleration(toleration.get("key", ""), value, toleration.get("effect", ""))
