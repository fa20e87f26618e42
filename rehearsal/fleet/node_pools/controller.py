"""The loop of the NodePool controller: as many simulated nodes as a pool wants, and a status as CoreWeave writes it.

What it reads is the object alone, never the stack's plan: a wrong pool makes wrong nodes. Conditions and their words are those
of CoreWeave's documentation; that the API server refuses a node of the pool's words is said as `Validated`. Left out: that nodes
are bare metal which boots for 20 to 30 minutes. An autoscaler here adds a node for a pod that finds no room, and takes none away.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from hardware.machines import COREWEAVE_CPU, MACHINES, Machine, Taint
from rehearsal.fleet.nodes import node_objects
from stacks.clouds.coreweave.idle import keeps_its_node, namespaces_of_coreweave
from stacks.clouds.coreweave.pools import API, POOL
from stacks.kube.api import Api, Object

#: The annotation of the nodes made here, and of the labels they have from their pool.
OF_A_POOL = "llmd-pd.rehearsal/pool"
FINALIZER = "llmd-pd.rehearsal/nodes"
#: What a pool says whose instance type the zone does not have (`VALIDATED` is `Invalid` then), in CoreWeave's own words: the
#: tutorial on secrets of coreweave/reference-architecture. `cd-gp-i64-erapids`, for one, is not in every zone.
NOT_IN_ZONE = "instance type does not exist in zone"
#: Seconds after which each further node of an accelerator pool comes, with fault `slow-pool`.
SLOW_SECONDS = 10

TYPES: Mapping[str, Machine] = {
    **{row.instance_type: row for row in MACHINES.values() if row.provider == "coreweave"},
    **COREWEAVE_CPU,
}


class Controller:
    """Serves every NodePool of one API server. A fault is about pools of accelerators, and CPU nodes come: but for `not-in-zone`,
    which is about both."""

    def __init__(self, api: Api, fault: str | None = None) -> None:
        self._api = api
        self._fault = fault

    def look(self) -> None:
        """One look at everything, and whatever follows from it.

        Raises what `Api` raises; what was done until then stays, and the next look does the rest.
        """
        pools = self._api.items(API)
        nodes = self._api.items(f"/api/v1/nodes?labelSelector={quote(POOL)}") if pools else []
        for pool in pools:
            own = sorted((node for node in nodes if node["metadata"]["labels"][POOL] == _name(pool)), key=_name)
            if "deletionTimestamp" in pool["metadata"]:
                self._let_go(pool, own)
            elif self._hold(pool):
                self._serve(pool, own)

    def _hold(self, pool: Object) -> bool:
        """Marks the pool as having nodes; False until the mark is there."""
        finalizers = pool["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            return True
        self._change(pool, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        return False

    def _let_go(self, pool: Object, nodes: Sequence[Object]) -> None:
        for node in nodes:
            self._api.delete(f"/api/v1/nodes/{_name(node)}")
        finalizers = pool["metadata"].get("finalizers") or []
        if not nodes and FINALIZER in finalizers:
            self._change(pool, {"metadata": {"finalizers": [one for one in finalizers if one != FINALIZER]}})

    def _serve(self, pool: Object, nodes: Sequence[Object]) -> None:
        from kubernetes.client.exceptions import ApiException

        spec, machine = pool["spec"], TYPES.get(pool["spec"]["instanceType"])
        fault = self._fault if machine is not None and machine.silicon is not None else None
        if spec.get("autoscaling") and sum(map(_ready, nodes)) == spec["targetNodes"]:
            self._scale(pool)  # what is on its way may be enough
        missing = max(spec["targetNodes"] - len(nodes), 0)
        invalid = NOT_IN_ZONE if self._fault == "not-in-zone" and missing else ""
        try:
            if machine is not None and fault not in ("quota", "stockout") and not invalid:
                self._make(pool, _as_told(machine, pool), nodes, slowly=fault == "slow-pool")
            for node in nodes:
                self._relabel(pool, node)
        except ApiException as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            invalid = json.loads(error.body or "{}").get("message", str(error.reason))
        ready = sum(map(_ready, nodes))
        without_quota = machine is None or fault == "quota"
        queued = missing if fault == "stockout" else 0
        self._say(
            pool,
            {
                "currentNodes": ready,
                "queuedNodes": queued,
                "inProgress": 0 if queued or without_quota or invalid else missing,
                "conditions": [
                    _condition("Validated", not invalid, "Invalid" if invalid else "Valid", invalid),
                    _quota(spec["instanceType"], without_quota),
                    _capacity(queued),
                    _condition("AtTarget", ready == spec["targetNodes"], "AtTarget" if not missing else "NotAtTarget"),
                ],
            },
        )

    def _scale(self, pool: Object) -> None:
        """One node more, up to the most there may be, while a pod finds no room. Never one less."""
        spec, pods = pool["spec"], self._api.items("/api/v1/pods")
        if spec["targetNodes"] < spec.get("maxNodes", 0) and any(map(_without_room, pods)):
            self._change(pool, {"metadata": {}, "spec": {"targetNodes": spec["targetNodes"] + 1}})

    def _make(self, pool: Object, machine: Machine, nodes: Sequence[Object], *, slowly: bool) -> None:
        wanted, there = pool["spec"]["targetNodes"], {_name(node) for node in nodes}
        if slowly and wanted > len(there):
            born = max([pool, *nodes], key=lambda obj: str(obj["metadata"]["creationTimestamp"]))
            wanted = len(there) + (_age(born) > SLOW_SECONDS)
        names = (f"{_name(pool)}-{index}" for index in range(wanted + len(there)))
        for name in [name for name in names if name not in there][: max(wanted - len(there), 0)]:
            (node,) = node_objects(machine, name)  # nothing on CoreWeave is handed out by DRA
            node["metadata"]["annotations"][OF_A_POOL] = _keys(pool)
            self._api.create("/api/v1/nodes", node)
        for name in self._idle(there)[: len(there) - wanted] if len(there) > wanted else ():
            self._api.delete(f"/api/v1/nodes/{name}")

    def _idle(self, names: set[str]) -> list[str]:
        """Idle nodes, the last one first: CoreWeave's scale-down strategy IdleOnly takes no others."""
        coreweaves = namespaces_of_coreweave(self._api)
        pods = self._api.items("/api/v1/pods")
        busy = {pod["spec"].get("nodeName") for pod in pods if keeps_its_node(pod, coreweaves)}
        return sorted(names - busy, reverse=True)

    def _relabel(self, pool: Object, node: Object) -> None:
        """Labels and taints that were changed in the pool, on the nodes that are there."""
        # In one change: between two the scheduler would find a node that the pool never described.
        change: Object = {}
        labels, taints = pool["spec"].get("nodeLabels") or {}, pool["spec"].get("nodeTaints") or []
        there, before = node["metadata"]["labels"], node["metadata"]["annotations"].get(OF_A_POOL, "")
        if before != _keys(pool) or any(there.get(key) != value for key, value in labels.items()):
            gone = dict.fromkeys(key for key in before.split() if key not in labels)
            change["metadata"] = {"labels": {**gone, **labels}, "annotations": {OF_A_POOL: _keys(pool)}}
        own = TYPES[pool["spec"]["instanceType"]].taints
        wanted = [*({"key": row.key, "value": row.value, "effect": row.effect} for row in own), *taints]
        others = [row for row in node["spec"].get("taints") or [] if row["key"].startswith("node.kubernetes.io/")]
        if [row for row in node["spec"].get("taints") or [] if row not in others] != wanted:
            change["spec"] = {"taints": [*wanted, *others]}
        if change:
            self._api.merge(f"/api/v1/nodes/{_name(node)}", change)

    def _say(self, pool: Object, status: Object) -> None:
        before = pool.get("status") or {}
        if any(before.get(key) != value for key, value in status.items()):
            self._api.merge(f"{API}/{_name(pool)}/status", {"status": status})

    def _change(self, pool: Object, change: Object) -> None:
        metadata = {**change["metadata"], "resourceVersion": pool["metadata"]["resourceVersion"]}
        self._api.merge(f"{API}/{_name(pool)}", {**change, "metadata": metadata})


def _keys(pool: Object) -> str:
    """The labels that a pool's nodes have from it."""
    return " ".join(sorted(pool["spec"].get("nodeLabels") or {}))


def _age(obj: Object) -> float:
    """Seconds since it was made."""
    return (datetime.now(UTC) - datetime.fromisoformat(obj["metadata"]["creationTimestamp"])).total_seconds()


def _as_told(machine: Machine, pool: Object) -> Machine:
    """The machine as nodes of this pool show it."""
    spec: Mapping[str, Any] = pool["spec"]
    taints = [Taint(row["key"], row.get("value", ""), row["effect"]) for row in spec.get("nodeTaints") or []]
    labels = {**machine.labels, **(spec.get("nodeLabels") or {}), POOL: _name(pool)}
    return replace(machine, labels=labels, taints=(*machine.taints, *taints))


def _quota(instance_type: str, without: bool) -> Object:
    if without:
        return _condition("Quota", False, "NotSet", f"quota limit is 0 for instance type {instance_type}")
    return _condition("Quota", True, "Under", f"nodePool is under quota for instance type {instance_type}")


def _capacity(queued: int) -> Object:
    if queued:
        return _condition("Capacity", False, "QueuedAwaitingCapacity", f"{queued} nodes wait for capacity of the zone")
    return _condition("Capacity", True, "Sufficient", "capacity is sufficient")


def _condition(kind: str, holds: bool, reason: str, message: str = "") -> Object:
    return {"type": kind, "status": str(holds), "reason": reason, "message": message}


def _without_room(pod: Object) -> bool:
    rows = pod.get("status", {}).get("conditions") or []
    return any((row["type"], row.get("reason")) == ("PodScheduled", "Unschedulable") for row in rows)


def _ready(node: Object) -> bool:
    conditions = {row["type"]: row["status"] for row in node.get("status", {}).get("conditions") or []}
    return conditions.get("Ready") == "True"


def _name(obj: Object) -> str:
    name: str = obj["metadata"]["name"]
    return name
