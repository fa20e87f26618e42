"""Fit: why a pod does not fit a machine, and the number of nodes for all pods. Pure arithmetic over the scheduler's hard rules.

Owns: resources, claims of devices (with one shared attribute per claim, such as the PCIe root), node selectors, required node
affinity by values, and taints with the tolerations that the ExtendedResourceToleration admission (GKE's, the rehearsal's) adds.
Leaves out: other affinity, spread, CEL selectors of a claim, the use by other workloads and DaemonSets, and the extra pods of
a rolling update: for these the rehearsal asks the real scheduler.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hardware.fit import quantities
from hardware.fit.requests import ClaimRequest, PodRequest, Toleration
from hardware.machines import Machine, SliceDevice, Taint

#: The text for a label that a node does not have.
ABSENT = "no such label"
_ZERO = Decimal(0)
#: A device's identity on its node: driver and name.
_Id = tuple[str, str]


@dataclass(frozen=True)
class Misfit:
    """One reason why a pod cannot run on a machine, even on an empty node."""

    kind: Literal["resource", "device", "claim", "label", "taint"]
    #: The resource, DeviceClass, claim, or key of the label or taint it is about.
    what: str
    asked: str
    has: str

    def __str__(self) -> str:
        return f"{self.what}: a pod asks for {self.asked or 'an empty one'}, a node has {self.has or 'an empty one'}"


class PodDoesNotFitError(ValueError):
    """A pod fits no node of the machine, so no number of nodes is enough."""

    def __init__(self, machine: Machine, reasons: Sequence[Misfit]) -> None:
        super().__init__(f"a pod does not fit {machine.key} ({machine.title}): {'; '.join(map(str, reasons))}")
        self.misfits = tuple(reasons)


def misfits(pod: PodRequest, machine: Machine) -> list[Misfit]:
    """Lists all reasons why a pod does not fit an empty node; none if it fits. Raises ValueError for a bad quantity."""
    return [
        *_short_resources(pod, machine),
        *(_short_devices(pod, machine) or _impossible_claims(pod, machine)),
        *_wrong_labels(pod, machine),
        *_untolerated_taints(pod, machine),
    ]


def nodes_needed(pods: Sequence[PodRequest], machine: Machine) -> int:
    """Returns the number of nodes of a machine on which all pods fit together; 0 for no pods. Raises PodDoesNotFitError.

    First fit, most devices first: exact for device counts that are powers of two, as tensor-parallel sizes are. For other
    mixtures it can be more than the minimum, never less. Equal nodes are counted, not listed, so that the time does not grow
    with the number of replicas.
    """
    used: list[tuple[_Node, int]] = []
    for pod in sorted(pods, key=lambda pod: _share(pod, machine), reverse=True):
        if reasons := misfits(pod, machine):
            raise PodDoesNotFitError(machine, reasons)
        left = pod.count
        fresh = (_empty(machine), left)
        after: list[tuple[_Node, int]] = []
        for node, number in [*used, fresh]:
            touched, left = _spread(pod, left, node, number)
            untouched = number - sum(count for _, count in touched)
            after += touched
            if untouched and node is not fresh[0]:
                after.append((node, untouched))
        used = after
    return sum(number for _, number in used)


def unplaced(pods: Sequence[PodRequest], machines: Sequence[Machine]) -> int:
    """Returns how many pods find no place on these nodes, all empty at first. Raises ValueError for a bad quantity.

    First fit, most devices first, as in `nodes_needed`: exact for device counts that are powers of two; in odd mixtures it can be
    more than the least possible, never less.
    """
    nodes, left = [_empty(machine) for machine in machines], 0
    for pod in sorted(pods, key=lambda pod: _asked_devices(pod), reverse=True):
        remaining = pod.count
        for index, node in enumerate(nodes):
            if remaining and not misfits(pod, node.machine):
                nodes[index], count = node.filled(pod, remaining)
                remaining -= count
        left += remaining
    return left


def _asked_devices(pod: PodRequest) -> Decimal:
    """Devices of one pod by claims and as extended resources, which are those with a domain in their name."""
    extended = (amount for name, amount in _parsed(pod).items() if "/" in name)
    return sum(extended, Decimal(sum(pod.devices.values())))


@dataclass(frozen=True)
class _Node:
    """The free resources and taken devices of a node."""

    machine: Machine
    resources: Mapping[str, Decimal]
    taken: frozenset[_Id]

    def after(self, pod: PodRequest) -> "_Node | None":
        """Returns the node with one more of these pods; None if it does not fit."""
        asked = {**_parsed(pod), "pods": Decimal(1)}
        if any(amount > self.resources.get(name, _ZERO) for name, amount in asked.items()):
            return None
        taken = _allocate(pod.claims, self.machine, self.taken)
        if taken is None:
            return None
        free = {name: amount - asked.get(name, _ZERO) for name, amount in self.resources.items()}
        return _Node(self.machine, free, taken)

    def filled(self, pod: PodRequest, most: int) -> tuple["_Node", int]:
        """Returns the node with as many of these pods as fit, at most `most`, and their number."""
        node, count = self, 0
        while count < most and (fuller := node.after(pod)) is not None:
            node, count = fuller, count + 1
        return node, count


def _empty(machine: Machine) -> _Node:
    given = {**machine.allocatable, **machine.extended, "pods": str(machine.pods)}
    return _Node(machine, {name: quantities.parse(amount) for name, amount in given.items()}, frozenset())


def _spread(pod: PodRequest, left: int, node: _Node, number: int) -> tuple[list[tuple[_Node, int]], int]:
    """Puts pods on `number` nodes in equal state. Returns the nodes that took pods in their new states, and the pods left."""
    full, each = node.filled(pod, left)
    if each == 0:
        return [], left
    filled = min(number, left // each)
    touched, left = [(full, filled)], left - filled * each
    if left and filled < number:
        touched.append((node.filled(pod, left)[0], 1))
        left = 0
    return touched, left


def _parsed(pod: PodRequest) -> dict[str, Decimal]:
    return {name: quantities.parse(amount) for name, amount in pod.resources.items()}


def _share(pod: PodRequest, machine: Machine) -> tuple[Decimal, Decimal]:
    """Returns the sort key of a pod: its devices, which run out first, then its share of the scarcest resource."""
    has, asked = _empty(machine).resources, _parsed(pod)
    claimed = Decimal(pod.devices.get(machine.handed_out_as, 0))
    scarcest = max((amount / has[name] for name, amount in asked.items() if has.get(name)), default=_ZERO)
    return asked.get(machine.handed_out_as, claimed), scarcest


def _allocate(claims: Sequence[ClaimRequest], machine: Machine, taken: frozenset[_Id]) -> frozenset[_Id] | None:
    """Returns the devices taken after all claims have theirs, or None if one claim cannot be satisfied.

    The most restrictive claims go first, without backtracking. That is exact for claims that share one attribute, the only ones
    of the accelerators here; with several attributes in one pod the scheduler may find an allocation that this does not.
    """
    for claim in sorted(
        claims, key=lambda claim: (bool(claim.same_attribute), sum(claim.devices.values())), reverse=True
    ):
        options = [_pick(claim, group, taken) for group in _groups(claim, machine)]
        possible = [option for option in options if option is not None]
        if not possible:
            return None
        # The smallest group that is enough: a later claim for a whole PCIe root must find one untouched.
        taken |= min(possible, key=lambda option: option[0])[1]
    return taken


def _groups(claim: ClaimRequest, machine: Machine) -> list[dict[str, list[_Id]]]:
    """Returns a claim's candidate devices per DeviceClass, in groups with one value of the claim's shared attribute.

    As in Kubernetes, a device without the attribute is in no group.
    """
    groups: dict[object, dict[str, list[_Id]]] = {}
    for name in claim.devices:
        for device in machine.devices_of(name):
            if claim.same_attribute is None or claim.same_attribute in device.attributes:
                shared = device.attributes[claim.same_attribute] if claim.same_attribute else None
                groups.setdefault(shared, {}).setdefault(name, []).append(_id(device))
    return list(groups.values())


def _pick(claim: ClaimRequest, group: Mapping[str, list[_Id]], taken: frozenset[_Id]) -> tuple[int, set[_Id]] | None:
    """Returns the number of free devices of the group and the chosen devices, or None if it has too few."""
    free = {name: [device for device in group.get(name, ()) if device not in taken] for name in claim.devices}
    picked: set[_Id] = set()
    for name in sorted(free, key=lambda name: len(free[name])):
        choice = [device for device in free[name] if device not in picked]
        if len(choice) < claim.devices[name]:
            return None
        picked.update(choice[: claim.devices[name]])
    return sum(map(len, free.values())), picked


def _id(device: SliceDevice) -> _Id:
    return device.driver, device.name


def _short_resources(pod: PodRequest, machine: Machine) -> list[Misfit]:
    has = _empty(machine).resources
    return [
        Misfit("resource", name, quantities.text(amount), quantities.text(has.get(name, _ZERO)))
        for name, amount in _parsed(pod).items()
        if amount > has.get(name, _ZERO)
    ]


def _short_devices(pod: PodRequest, machine: Machine) -> list[Misfit]:
    has = {name: len(machine.devices_of(name)) for name in pod.devices}
    return [
        Misfit("device", name, str(count), str(has[name])) for name, count in pod.devices.items() if count > has[name]
    ]


def _impossible_claims(pod: PodRequest, machine: Machine) -> list[Misfit]:
    """Lists claims with enough devices on the node but not in one group, with the number of devices in the largest group."""
    if _allocate(pod.claims, machine, frozenset()) is not None:
        return []
    alone = [claim for claim in pod.claims if _allocate((claim,), machine, frozenset()) is None]
    return [
        Misfit(
            "claim",
            ", ".join(claim.devices),
            f"{claim}, in one of {len(pod.claims)} claims" if len(pod.claims) > 1 else str(claim),
            "at most " + " + ".join(f"{_most(name, claim, machine)} {name}" for name in claim.devices),
        )
        for claim in {str(claim): claim for claim in alone or pod.claims}.values()
    ]


def _most(name: str, claim: ClaimRequest, machine: Machine) -> int:
    return max((len(group.get(name, ())) for group in _groups(claim, machine)), default=0)


def _wrong_labels(pod: PodRequest, machine: Machine) -> list[Misfit]:
    labels = machine.all_labels
    wanted = [*((key, (value,)) for key, value in pod.node_selector.items()), *pod.node_affinity.items()]
    return [
        Misfit("label", key, " or ".join(values), labels.get(key, ABSENT))
        for key, values in wanted
        if labels.get(key) not in values
    ]


def _untolerated_taints(pod: PodRequest, machine: Machine) -> list[Misfit]:
    return [
        Misfit("taint", taint.key, "a node without it", f"{taint.key}={taint.value}:{taint.effect}")
        for taint in machine.taints
        # PreferNoSchedule is a preference. A taint named like a resource is tolerated by pods that request the resource.
        if taint.effect != "PreferNoSchedule"
        and taint.key not in pod.resources
        and not any(_tolerates(toleration, taint) for toleration in pod.tolerations)
    ]


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    return (
        toleration.key in ("", taint.key)
        and toleration.value in (None, taint.value)
        and toleration.effect in ("", taint.effect)
    )
