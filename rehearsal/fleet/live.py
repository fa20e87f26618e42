"""The simulated nodes of an API server: creating, changing and removing them, and waiting until they are Ready.

The one place that does so: for the machines of an existing cluster, for CoreWeave's NodePools and for GKE's node pools. kwok then
looks after the nodes. The callers decide which nodes there should be.
"""

import time
from collections.abc import Collection
from urllib.parse import quote

from hardware.machines import Machine
from rehearsal.fleet.nodes import node_objects
from stacks.kube.api import Api, Object

NODES, SLICES = "/api/v1/nodes", "/apis/resource.k8s.io/v1/resourceslices"
#: Annotation of a node: the pool it belongs to. Nodes without it belong to the fleet itself.
OF_A_POOL = "llmd-pd.rehearsal/pool"
#: Annotation of a node: the keys of the labels it was given here, so that one that is given no more can be removed.
GIVEN_LABELS = "llmd-pd.rehearsal/labels"
POLL_SECONDS = 0.2


class LiveNodes:
    """The nodes of one API server. Methods raise what `Api` raises."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def create(self, machine: Machine, name: str, pool: str = "") -> None:
        """Creates a node of a machine with its ResourceSlices, unless they exist; `pool` is the pool it belongs to."""
        for obj in _objects(machine, name, pool):
            self._api.create(NODES if obj["kind"] == "Node" else SLICES, obj)

    def change(self, live: Object, machine: Machine) -> None:
        """Gives a live node the labels and taints of a machine; those that Kubernetes or a user wrote stay.

        In one change: between two the scheduler would find a node that is neither the old nor the new one.
        """
        wanted, change = _objects(machine, live["metadata"]["name"], "")[0], Object()
        labels, annotations = live["metadata"].get("labels") or {}, live["metadata"].get("annotations") or {}
        given = wanted["metadata"]["annotations"][GIVEN_LABELS]
        gone = [key for key in annotations.get(GIVEN_LABELS, "").split() if key not in wanted["metadata"]["labels"]]
        if gone or any(labels.get(key) != value for key, value in wanted["metadata"]["labels"].items()):
            change["metadata"] = {
                "labels": {**wanted["metadata"]["labels"], **dict.fromkeys(gone)},
                "annotations": {GIVEN_LABELS: given},
            }
        taints: list[Object] = live.get("spec", {}).get("taints") or []
        kept = [row for row in taints if row["key"].startswith("node.kubernetes.io/")]
        told: list[Object] = wanted["spec"].get("taints") or []
        if [_taint(row) for row in taints if row not in kept] != [_taint(row) for row in told]:
            change["spec"] = {"taints": [*told, *kept]}
        if change:
            self._api.merge(f"{NODES}/{live['metadata']['name']}", change)

    def remove(self, name: str) -> None:
        """Deletes a node and its ResourceSlices."""
        for obj in self.slices(name):
            self._api.delete(f"{SLICES}/{obj['metadata']['name']}")
        self._api.delete(f"{NODES}/{name}")

    def slices(self, name: str) -> list[Object]:
        """Returns the ResourceSlices of a node."""
        found = self._api.items(f"{SLICES}?fieldSelector={quote(f'spec.nodeName={name}')}")
        return [obj for obj in found if obj["spec"].get("nodeName") == name]

    def wait(self, names: Collection[str], seconds: float) -> list[str]:
        """Waits until pods can be scheduled to these nodes; returns the names of those that are not Ready after `seconds`."""
        deadline = time.monotonic() + seconds
        while missing := set(names) - {node["metadata"]["name"] for node in self._api.items(NODES) if ready(node)}:
            if time.monotonic() > deadline:
                return sorted(missing)
            time.sleep(POLL_SECONDS)
        return []


def ready(node: Object) -> bool:
    """Whether a pod can be scheduled to a node: its condition, and that the node controller has taken its taint away."""
    taints = {taint["key"] for taint in node.get("spec", {}).get("taints") or []}
    conditions = {row["type"]: row["status"] for row in node.get("status", {}).get("conditions") or []}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints


def _taint(row: Object) -> tuple[str, str, str]:
    return row["key"], row.get("value") or "", row["effect"]


def _objects(machine: Machine, name: str, pool: str) -> list[Object]:
    """The Node, marked as given by a pool if it is, then its ResourceSlices."""
    node, *slices = node_objects(machine, name)
    own = sorted(machine.all_labels)
    node["metadata"]["annotations"] |= {GIVEN_LABELS: " ".join(own), **({OF_A_POOL: pool} if pool else {})}
    return [node, *slices]
