"""Why the pods of a Deployment fit no node: the field of the node that keeps them off it, or the order in which pods were placed.

Of taints and labels the scheduler says that there are some, and of claims that they cannot be allocated. Here the pods of a
Deployment are compared with live nodes by the arithmetic of `hardware.fit.fit`, and the node that comes nearest says what has to
change. Left out is what that arithmetic leaves out.
"""

from collections.abc import Iterable, Mapping, Sequence

from hardware.fit.fit import ABSENT, Misfit, misfits
from hardware.fit.requests import PodRequest, pod_requests
from hardware.machines import Machine
from rehearsal.fleet.nodes import machine_of_node
from rehearsal.verdict.placement_order import STRANDED, fit_together
from stacks.kube.api import Api, Object

_DRA = "/apis/resource.k8s.io/v1"
#: Misfits that need other hardware; the others need other labels or taints.
_HARDWARE = ("resource", "device", "claim")
#: The scheduler's words if a node has too little left.
_NO_ROOM = ("Insufficient ", "cannot allocate all claims")


def mismatches(api: Api, namespace: str, workloads: Sequence[Object], refused: Mapping[str, str]) -> dict[str, str]:
    """Returns by Deployment why its pods are on no node, as one sentence; nothing where the scheduler's own words are enough.

    `refused` has the scheduler's words by the name of each Deployment whose pods it cannot place. Raises what `Api` raises.
    """
    if not refused:
        return {}
    templates = api.items(f"{_DRA}/namespaces/{namespace}/resourceclaimtemplates")
    nodes = api.items("/api/v1/nodes")
    machines = machines_of(nodes, api.items(f"{_DRA}/resourceslices"), api.items(f"{_DRA}/deviceclasses"))
    pods = {item["metadata"]["name"]: _request(item, templates) for item in workloads}
    everything = [pod for pod in pods.values() if pod]
    cordoned = {node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")}
    open_nodes = [machine for machine in machines if machine.key not in cordoned]
    found = {}
    for name, said in refused.items():
        if (pod := pods.get(name)) is None:
            continue
        if sentence := nearest(pod, machines):
            found[name] = sentence
        elif (
            len(everything) == len(pods)
            and any(map(said.__contains__, _NO_ROOM))
            and fit_together(everything, open_nodes)
        ):
            found[name] = STRANDED
    return found


def _request(workload: Object, templates: Sequence[Object]) -> PodRequest | None:
    """The pods of a Deployment; None if a claim's devices cannot be counted, so that the scheduler alone can tell."""
    objects = [workload, *(obj | {"kind": "ResourceClaimTemplate"} for obj in templates)]
    try:
        (pod,) = pod_requests(objects)
    except ValueError:
        return None
    return pod


def machines_of(nodes: Iterable[Object], slices: Iterable[Object], device_classes: Iterable[Object]) -> list[Machine]:
    """Returns live nodes as machines."""
    slices, names = list(slices), [obj["metadata"]["name"] for obj in device_classes]
    return [
        machine_of_node(node, [obj for obj in slices if obj["spec"].get("nodeName") == node["metadata"]["name"]], names)
        for node in nodes
    ]


def nearest(pod: PodRequest, machines: Sequence[Machine]) -> str:
    """Returns what keeps a pod off the nodes that come nearest to it, a sentence per kind of node; empty if it fits a node."""
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
