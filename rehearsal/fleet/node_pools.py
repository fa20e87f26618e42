"""CoreWeave's NodePool controller in a rehearsal: simulated nodes for each pool, and a status as CoreWeave writes it.

It reads the NodePool object alone, never the stack's plan: a wrong pool gets wrong nodes. Conditions and their words are those of
CoreWeave's documentation; if the API server refuses a node, the pool's condition `Validated` says why. Left out: real nodes are
bare metal and boot for 20 to 30 minutes. An autoscaler here adds a node for a pod that finds no room, and removes none.

It is a process of its own: `python -m rehearsal.fleet.node_pools --kubeconfig=FILE --context=NAME [--fault=FAULT]`.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hardware.machines import COREWEAVE_CPU, MACHINES, Machine, Taint
from rehearsal.clouds.coreweave.faults import OF_POOLS
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.resident import Resident, serve, tell
from rehearsal.fleet.live import NODES, LiveNodes, ready
from stacks.clouds.coreweave.cloud import COREWEAVE
from stacks.clouds.coreweave.live import keeps_its_node, namespaces_of_coreweave
from stacks.clouds.coreweave.pools import API, POOL
from stacks.kube.api import Api, Object

CONTROLLER = Resident("nodepool-controller", "rehearsal.fleet.node_pools")
FINALIZER = "llmd-pd.rehearsal/nodes"
#: The message of a pool whose instance type the zone does not have (`VALIDATED` is `Invalid` then), in CoreWeave's own words: the
#: tutorial on secrets of coreweave/reference-architecture. `cd-gp-i64-erapids`, for one, is not in every zone.
NOT_IN_ZONE = "instance type does not exist in zone"
#: Seconds after which each further node of an accelerator pool comes, with fault `slow-pool`.
SLOW_SECONDS = 10

TYPES: Mapping[str, Machine] = {
    **{row.instance_type: row for row in MACHINES.values() if row.provider == COREWEAVE.key},
    **COREWEAVE_CPU,
}


def restart(plane: ControlPlane, fault: str | None) -> None:
    """Starts the controller in the place of the one of an earlier rehearsal, with a fault if one is asked for."""
    CONTROLLER.restart(plane, [f"--fault={fault}"] if fault else [])


class Controller:
    """Serves every NodePool of one API server.

    A fault concerns pools of accelerators, while CPU nodes come; `not-in-zone` concerns both.
    """

    def __init__(self, api: Api, fault: str | None = None) -> None:
        self._api = api
        self._nodes = LiveNodes(api)
        self._fault = fault

    def reconcile(self) -> None:
        """Reads every pool and brings its nodes and its status up to date.

        Raises what `Api` raises; what was done until then stays, and the next call does the rest.
        """
        pools = self._api.items(API)
        nodes = self._api.items(f"{NODES}?labelSelector={quote(POOL)}") if pools else []
        for pool in pools:
            own = sorted((node for node in nodes if node["metadata"]["labels"][POOL] == _name(pool)), key=_name)
            if "deletionTimestamp" in pool["metadata"]:
                self._let_go(pool, own)
            elif self._hold(pool):
                self._serve(pool, own)

    def _hold(self, pool: Object) -> bool:
        """Puts the finalizer on a pool; returns whether the pool has it already."""
        finalizers = pool["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            return True
        self._change(pool, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        return False

    def _let_go(self, pool: Object, nodes: Sequence[Object]) -> None:
        for node in nodes:
            self._nodes.remove(_name(node))
        finalizers = pool["metadata"].get("finalizers") or []
        if not nodes and FINALIZER in finalizers:
            self._change(pool, {"metadata": {"finalizers": [one for one in finalizers if one != FINALIZER]}})

    def _serve(self, pool: Object, nodes: Sequence[Object]) -> None:
        from kubernetes.client.exceptions import ApiException

        spec, machine = pool["spec"], TYPES.get(pool["spec"]["instanceType"])
        fault = self._fault if machine is not None and machine.chip is not None else None
        if spec.get("autoscaling") and sum(map(ready, nodes)) == spec["targetNodes"]:
            self._scale(pool)  # not before: nodes that are underway may be enough
        missing = max(spec["targetNodes"] - len(nodes), 0)
        invalid = NOT_IN_ZONE if self._fault == "not-in-zone" and missing else ""
        try:
            if machine is not None:
                told = _as_told(machine, pool)
                if fault not in ("quota", "stockout") and not invalid:
                    self._make(pool, told, nodes, slowly=fault == "slow-pool")
                for node in nodes:
                    self._nodes.change(node, told)
        except ApiException as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            invalid = json.loads(error.body or "{}").get("message", str(error.reason))
        current = sum(map(ready, nodes))
        without_quota = machine is None or fault == "quota"
        queued = missing if fault == "stockout" else 0
        self._say(
            pool,
            {
                "currentNodes": current,
                "queuedNodes": queued,
                "inProgress": 0 if queued or without_quota or invalid else missing,
                "conditions": [
                    _condition("Validated", not invalid, "Invalid" if invalid else "Valid", invalid),
                    _quota(spec["instanceType"], without_quota),
                    _capacity(queued),
                    _condition(
                        "AtTarget", current == spec["targetNodes"], "AtTarget" if not missing else "NotAtTarget"
                    ),
                ],
            },
        )

    def _scale(self, pool: Object) -> None:
        """Asks for one node more, up to `maxNodes`, while a pod finds no room; never for one less."""
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
            self._nodes.create(machine, name, pool=_name(pool))
        for name in self._idle(there)[: len(there) - wanted] if len(there) > wanted else ():
            self._nodes.remove(name)

    def _idle(self, names: set[str]) -> list[str]:
        """Returns the idle nodes, the last one first: CoreWeave's scale-down strategy IdleOnly removes no others."""
        coreweaves = namespaces_of_coreweave(self._api)
        pods = self._api.items("/api/v1/pods")
        busy = {pod["spec"].get("nodeName") for pod in pods if keeps_its_node(pod, coreweaves)}
        return sorted(names - busy, reverse=True)

    def _say(self, pool: Object, status: Object) -> None:
        before = pool.get("status") or {}
        if any(before.get(key) != value for key, value in status.items()):
            self._api.merge(f"{API}/{_name(pool)}/status", {"status": status})

    def _change(self, pool: Object, change: Object) -> None:
        metadata = {**change["metadata"], "resourceVersion": pool["metadata"]["resourceVersion"]}
        self._api.merge(f"{API}/{_name(pool)}", {**change, "metadata": metadata})


def _age(obj: Object) -> float:
    """Returns the seconds since an object was created."""
    return (datetime.now(UTC) - datetime.fromisoformat(obj["metadata"]["creationTimestamp"])).total_seconds()


def _as_told(machine: Machine, pool: Object) -> Machine:
    """Returns the machine with the labels and taints that nodes of this pool have."""
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


def _name(obj: Object) -> str:
    name: str = obj["metadata"]["name"]
    return name


def main() -> None:
    """Serves until the rehearsal is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", required=True)
    parser.add_argument("--context", required=True)
    parser.add_argument("--fault", choices=[fault.id for fault in OF_POOLS])
    parser.add_argument("--log-file", help="where the output goes; it shows in a list of processes")
    options = parser.parse_args()
    tell(f"serving{f', with fault {options.fault}' if options.fault else ''}")
    serve(Path(options.kubeconfig), Controller(Api(options.kubeconfig, options.context), options.fault).reconcile)


if __name__ == "__main__":
    main()
