"""The gateway controller: its process in a rehearsal, and the loop that reconciles classes, Gateways, routes and pools.

It polls, and keeps nothing in memory: there are a handful of objects, and nothing is missed if the API server or this process
restarts, or if the CRDs are installed later.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.resident import Resident
from rehearsal.gateway import API, CONTROLLER, FINALIZER, GROUP, addresses, statuses
from rehearsal.gateway.references import POOLS, References
from rehearsal.gateway.statuses import Key
from stacks.kube.api import Api, Object

PROCESS = Resident("gateway-controller", "rehearsal.gateway")
"""The controller as a process of a rehearsal's control plane."""

#: The field manager of all that this controller sets.
MANAGER = "llmd-pd-rehearsal-gateway"


def restart(plane: ControlPlane, classes: Sequence[str]) -> None:
    """Starts the controller's process, and ends the one of an earlier rehearsal. It creates the GatewayClasses named."""
    PROCESS.restart(plane, [f"--class={name}" for name in classes])


class Controller:
    """Serves the GatewayClasses of `CONTROLLER` on one API server, and creates those named in `classes`."""

    def __init__(self, api: Api, classes: Sequence[str], tell: Callable[[str], None]) -> None:
        self._api = api
        self._classes = classes
        self._tell = tell

    def reconcile(self) -> None:
        """Reads everything once and writes the statuses that have changed.

        Raises what `Api` raises; what was written until then stays, and the next call does the rest.
        """
        classes = self._api.get(f"{API}/gatewayclasses")
        if classes is None:
            return  # the CRDs are not installed yet
        served = self._reconcile_classes(classes["items"])
        references = References(self._api)
        existing = {_key(row): row for row in self._api.items(f"{API}/gateways")}
        gateways = {
            key: row
            for key, row in existing.items()
            if row["spec"]["gatewayClassName"] in served or FINALIZER in _finalizers(row)
        }
        routes = self._api.items(f"{API}/httproutes")
        attached = self._reconcile_routes(routes, existing, gateways, references)
        self._reconcile_pools(routes, gateways, references)
        not_free = addresses.taken(gateways.values())
        for key, gateway in gateways.items():
            if "deletionTimestamp" in gateway["metadata"]:
                self._finalize(gateway)
            elif FINALIZER not in _finalizers(gateway):
                self._set_finalizers(
                    gateway, [*_finalizers(gateway), FINALIZER]
                )  # its address comes with the next call
            else:
                self._program(gateway, attached[key], references, not_free)

    def _reconcile_classes(self, classes: Sequence[Object]) -> set[str]:
        names = {row["metadata"]["name"] for row in classes}
        for name in self._classes:
            if name not in names:
                kind = {"apiVersion": f"{GROUP}/v1", "kind": "GatewayClass", "metadata": {"name": name}}
                self._api.create(f"{API}/gatewayclasses", {**kind, "spec": {"controllerName": CONTROLLER}})
        served = [row for row in classes if row["spec"]["controllerName"] == CONTROLLER]
        for row in served:
            self._write(f"{API}/gatewayclasses/{row['metadata']['name']}", row, statuses.class_status(row))
        return {row["metadata"]["name"] for row in served}

    def _reconcile_routes(
        self,
        routes: Sequence[Object],
        existing: Mapping[Key, Object],
        gateways: Mapping[Key, Object],
        references: References,
    ) -> defaultdict[Key, Counter[str]]:
        """Writes each route's status; returns by Gateway and listener how many routes are attached."""
        attached: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        for route in routes:
            parents = []
            for key, reference in statuses.parents(route):
                if key in existing and key not in gateways:
                    continue  # another controller's
                labels = references.labels(route["metadata"]["namespace"])
                accepted, listeners = statuses.attachment(route, reference, gateways.get(key), labels)
                attached[key].update(listeners)
                parents.append((reference, {"Accepted": accepted, "ResolvedRefs": references.backends(route)}))
            self._write(_path(API, "httproutes", route), route, statuses.parents_status(route, parents))
        return attached

    def _reconcile_pools(
        self, routes: Sequence[Object], gateways: Mapping[Key, Object], references: References
    ) -> None:
        """Writes each InferencePool's status: a parent for each Gateway that a route connects it with."""
        for pool in self._api.items(f"{POOLS}/inferencepools"):
            using = [route for route in routes if _key(pool) in _pools(route)]
            keys = sorted({key for route in using for key, _ in statuses.parents(route) if key in gateways})
            parents = [
                (
                    {"group": GROUP, "kind": "Gateway", "namespace": namespace, "name": name},
                    {"Accepted": statuses.ACCEPTED, "ResolvedRefs": references.picker(pool)},
                )
                for namespace, name in keys
            ]
            self._write(_path(POOLS, "inferencepools", pool), pool, statuses.parents_status(pool, parents))

    def _program(
        self, gateway: Object, attached: Mapping[str, int], references: References, not_free: set[str]
    ) -> None:
        refused, cluster_ip = references.parameters(gateway)
        address = None if refused else addresses.address(gateway, not_free, cluster_ip=cluster_ip)
        if address:
            not_free.add(address["value"])
        status = statuses.gateway_status(gateway, refused, address, attached)
        self._write(_path(API, "gateways", gateway), gateway, status)

    def _finalize(self, gateway: Object) -> None:
        """Removes the finalizer of a Gateway that is being deleted, once its address is released."""
        left = [name for name in _finalizers(gateway) if name != FINALIZER]
        if len(left) == len(_finalizers(gateway)) or not addresses.released(gateway, datetime.now(UTC)):
            return
        if self._set_finalizers(gateway, left):
            self._tell(f"{_path(API, 'gateways', gateway)}: address released")

    def _write(self, path: str, obj: Object, status: Object) -> None:
        """Writes a status if it differs. The API server leaves out what is empty."""
        before = obj.get("status") or {}
        if all((before.get(key) or None) == (value or None) for key, value in status.items()):
            return
        if self._merge(f"{path}/status", obj, {"status": status}):
            self._tell(f"{path}: {_summary(status)}")

    def _set_finalizers(self, gateway: Object, finalizers: Sequence[str]) -> bool:
        return self._merge(_path(API, "gateways", gateway), gateway, {"metadata": {"finalizers": finalizers}})

    def _merge(self, path: str, obj: Object, change: Object) -> bool:
        """Changes an object; False if it has changed since it was read."""
        version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return self._api.merge(
            f"{path}?fieldManager={MANAGER}", {**change, "metadata": {**change.get("metadata", {}), **version}}
        )


def _key(obj: Object) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _path(api: str, plural: str, obj: Object) -> str:
    namespace, name = _key(obj)
    return f"{api}/namespaces/{namespace}/{plural}/{name}"


def _pools(route: Object) -> set[Key]:
    """Returns the InferencePools a route sends requests to."""
    backends = [row for rule in route["spec"].get("rules") or [] for row in rule.get("backendRefs") or []]
    named = [row for row in backends if row.get("kind") == "InferencePool"]
    return {(row.get("namespace") or route["metadata"]["namespace"], row["name"]) for row in named}


def _summary(status: Object) -> str:
    rows = status.get("conditions") or [row for parent in status.get("parents") or [] for row in parent["conditions"]]
    return ", ".join(f"{row['type']} {row['status']} ({row['reason']})" for row in rows) or "no parents"
