"""Which field of which node keeps a pod off it: what the scheduler counts, and does not name.

Of taints and labels the scheduler says that there are some, and of claims that they cannot be allocated. Here the pods of a
Deployment are compared with live nodes by the arithmetic of `hardware.fit.fit`; the node that comes nearest says
what has to change.
Leaves out what that leaves out, and what other pods use: of that the scheduler's own words are enough.
"""

from collections.abc import Iterable, Sequence

from hardware.fit.fit import ABSENT, Misfit, misfits
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import Machine
from rehearsal.fleet.nodes import machine_of_node
from stacks.kube.api import Api, Object

_DRA = "/apis/resource.k8s.io/v1"
#: What a node needs other hardware for, and not just other words.
_HARDWARE = ("resource", "device", "claim")


def mismatches(api: Api, namespace: str, deployments: Sequence[Object]) -> dict[str, str]:
    """By Deployment why none of its pods can be on any node, in a sentence; none where a node would do if it were empty.

    Raises what `Api` raises.
    """
    if not deployments:
        return {}
    templates = api.items(f"{_DRA}/namespaces/{namespace}/resourceclaimtemplates")
    machines = machines_of(
        api.items("/api/v1/nodes"), api.items(f"{_DRA}/resourceslices"), api.items(f"{_DRA}/deviceclasses")
    )
    found = {}
    for deployment in deployments:
        try:
            (pod,) = pod_requests(
                [deployment | {"kind": "Deployment"}, *(obj | {"kind": "ResourceClaimTemplate"} for obj in templates)]
            )
        except ValueError:
            continue  # a claim whose devices cannot be counted: the scheduler alone can tell
        if sentence := nearest(pod, machines):
            found[deployment["metadata"]["name"]] = sentence
    return found


def machines_of(nodes: Iterable[Object], slices: Iterable[Object], device_classes: Iterable[Object]) -> list[Machine]:
    """What live nodes show themselves to be."""
    slices, names = list(slices), [obj["metadata"]["name"] for obj in device_classes]
    return [
        machine_of_node(node, [obj for obj in slices if obj["spec"].get("nodeName") == node["metadata"]["name"]], names)
        for node in nodes
    ]


def nearest(pod: PodRequest, machines: Sequence[Machine]) -> str:
    """What keeps such a pod off the nodes that come nearest to it, a sentence per kind of them; empty where it fits one."""
    reasons = {machine.key: misfits(pod, machine) for machine in machines}
    if not all(reasons.values()):
        return ""

    def distance(machine: Machine) -> tuple[int, int]:
        lacks = [misfit.kind in _HARDWARE for misfit in reasons[machine.key]]
        return sum(lacks), len(lacks)

    least = min(map(distance, machines), default=None)
    groups: dict[str, list[str]] = {}
    for machine in machines:
        if distance(machine) == least:
            what = "; ".join(_words(misfit) for misfit in reasons[machine.key])
            group = f"(machine type {machine.instance_type or 'unknown'}): {what}"
            groups.setdefault(group, []).append(machine.key)
    return "; ".join(f"nearest comes node {_first(nodes)} {group}" for group, nodes in groups.items())


def _first(nodes: Sequence[str]) -> str:
    more = len(nodes) - 1
    return f"{nodes[0]} and {more} more" if more else nodes[0]


def _words(misfit: Misfit) -> str:
    match misfit.kind:
        case "label" if misfit.has == ABSENT:
            return f"it has no label {misfit.what}, and the pods select {misfit.asked}"
        case "label":
            return f"its label {misfit.what} is {misfit.has or 'empty'}, and the pods select {misfit.asked}"
        case "taint":
            return f"the pods do not tolerate its taint {misfit.has}"
    return f"of {misfit.what} it has {misfit.has}, and a pod asks for {misfit.asked}"
