"""The loop of the gateway controller: looks at every class, Gateway, route and pool, and writes what is new to say of them.

Polls: a fleet has a handful of them, and a look needs no memory of the one before, so nothing is missed when the API server
or this process restarts, or when the kinds come late. All that is remembered are the addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rehearsal.gateway import API, CONTROLLER, FINALIZER, GROUP, statuses
from rehearsal.gateway.addresses import Addresses
from rehearsal.gateway.conditions import Answer
from rehearsal.gateway.references import POOLS, References
from rehearsal.gateway.statuses import Programming
from stacks.kube.api import Api, Object

#: Under which name the API server keeps what this controller sets.
MANAGER = "llmd-pd-rehearsal-gateway"

Key = tuple[str, str]


class Controller:
    """Serves the classes of ours on one API server; those named in `classes` it makes itself once their kind is there."""

    def __init__(self, api: Api, classes: Sequence[str], addresses: Addresses, tell: Callable[[str], None]) -> None:
        self._api = api
        self._classes = classes
        self._addresses = addresses
        self._tell = tell

    def look(self) -> None:
        """One look at everything, and whatever follows from it.

        Raises what `Api` raises; what was done until then stays, and the next look does the rest.
        """
        found = self._api.get(f"{API}/gatewayclasses")
        if found is None:
            return
        ours = self._serve_classes(found["items"])
        references = References(self._api)
        everyone = {_key(row): row for row in self._api.items(f"{API}/gateways")}
        gateways = {
            key: row
            for key, row in everyone.items()
            if row["spec"]["gatewayClassName"] in ours or FINALIZER in _finalizers(row)
        }
        routes = self._api.items(f"{API}/httproutes")
        attached = self._serve_routes(routes, everyone, gateways, references)
        self._serve_pools(routes, gateways, references)
        for key, gateway in gateways.items():
            if "deletionTimestamp" in gateway["metadata"]:
                self._let_go(gateway)
            elif self._hold(gateway):
                self._program(gateway, attached.get(key, {}), references)

    def _serve_classes(self, classes: Sequence[Object]) -> set[str]:
        names = {row["metadata"]["name"] for row in classes}
        for name in self._classes:
            if name not in names:
                kind = {"apiVersion": f"{GROUP}/v1", "kind": "GatewayClass", "metadata": {"name": name}}
                self._api.create(f"{API}/gatewayclasses", {**kind, "spec": {"controllerName": CONTROLLER}})
        ours = [row for row in classes if row["spec"]["controllerName"] == CONTROLLER]
        for row in ours:
            self._say(f"{API}/gatewayclasses/{row['metadata']['name']}", row, statuses.class_status(row))
        return {row["metadata"]["name"] for row in ours}

    def _serve_routes(
        self,
        routes: Sequence[Object],
        everyone: Mapping[Key, Object],
        gateways: Mapping[Key, Object],
        references: References,
    ) -> dict[Key, dict[str, int]]:
        """Says of each route what its Gateways think of it; returns how many hang on each listener of each Gateway."""
        attached: dict[Key, dict[str, int]] = {}
        for route in routes:
            answers = []
            for reference in filter(statuses.names_a_gateway, route["spec"].get("parentRefs") or []):
                key = statuses.parent_key(route, reference)
                if key in everyone and key not in gateways:
                    continue  # another controller's
                labels = references.labels(route["metadata"]["namespace"])
                found = statuses.attachment(route, reference, gateways.get(key), labels)
                for listener in found.listeners:
                    counts = attached.setdefault(key, {})
                    counts[listener] = counts.get(listener, 0) + 1
                answers.append((reference, {"Accepted": found.accepted, "ResolvedRefs": references.backends(route)}))
            self._say(_path("httproutes", route), route, statuses.route_status(route, answers))
        return attached

    def _serve_pools(self, routes: Sequence[Object], gateways: Mapping[Key, Object], references: References) -> None:
        used: list[tuple[Key, Key]] = sorted(
            {
                (pool, parent)
                for route in routes
                for pool in _pools(route)
                for parent in _parents(route)
                if parent in gateways
            }
        )
        parents = {pool: [parent for _, parent in rows] for pool, rows in groupby(used, lambda row: row[0])}
        for pool in self._api.items(f"{POOLS}/inferencepools"):
            namespace = pool["metadata"]["namespace"]
            picker = pool["spec"]["endpointPickerRef"]["name"]
            resolved = statuses.RESOLVED
            if not references.service_exists(namespace, picker):
                message = f"Service {namespace}/{picker} of its endpoint picker does not exist"
                resolved = Answer(False, "InvalidExtensionRef", message)
            answers = [
                (
                    {"group": GROUP, "kind": "Gateway", "namespace": parent[0], "name": parent[1]},
                    {"Accepted": statuses.ACCEPTED, "ResolvedRefs": resolved},
                )
                for parent in parents.get(_key(pool), [])
            ]
            path = f"{POOLS}/namespaces/{namespace}/inferencepools/{pool['metadata']['name']}"
            self._say(path, pool, statuses.pool_status(pool, answers))

    def _program(self, gateway: Object, attached: Mapping[str, int], references: References) -> None:
        problem, cluster_ip = references.parameters(gateway)
        address = None if problem else self._address(gateway, cluster_ip)
        self._say(
            _path("gateways", gateway),
            gateway,
            statuses.gateway_status(gateway, Programming(problem, address, attached)),
        )

    def _address(self, gateway: Object, cluster_ip: bool) -> Object | None:
        metadata, spec = gateway["metadata"], gateway["spec"]
        before = [row["value"] for row in (gateway.get("status") or {}).get("addresses") or []]
        if before:
            self._addresses.adopt(metadata["uid"], before[0])
        if cluster_ip:
            host = f"{metadata['name']}-{spec['gatewayClassName']}.{metadata['namespace']}.svc.cluster.local"
            return {"type": "Hostname", "value": self._addresses.assign(metadata["uid"], host)}
        stated: Object = next((row for row in spec.get("addresses") or [] if row.get("value")), {})
        if stated.get("type") == "Hostname":
            return {"type": "Hostname", "value": self._addresses.assign(metadata["uid"], stated["value"])}
        # A name, as GKE's NamedAddress, is one of a reservation that only a cloud knows.
        wanted = stated.get("value") if stated.get("type", "IPAddress") == "IPAddress" else None
        value = self._addresses.assign(metadata["uid"], wanted)
        return {"type": "IPAddress", "value": value} if value else None

    def _hold(self, gateway: Object) -> bool:
        """Whether the finalizer is on the Gateway; if not, it is put there, and the next look sees it."""
        if FINALIZER in _finalizers(gateway):
            return True
        self._change("gateways", gateway, {"metadata": {"finalizers": [*_finalizers(gateway), FINALIZER]}})
        return False

    def _let_go(self, gateway: Object) -> None:
        """Takes the finalizer off a Gateway that is to be deleted, and not before its address is released."""
        if FINALIZER not in _finalizers(gateway):
            return
        uid, status = gateway["metadata"]["uid"], gateway.get("status") or {}
        for row in status.get("addresses") or []:
            # Of before a restart.
            self._addresses.adopt(uid, row["value"])
        if self._addresses.release(uid):
            left = [name for name in _finalizers(gateway) if name != FINALIZER]
            if self._change("gateways", gateway, {"metadata": {"finalizers": left}}):
                self._tell(f"{_path('gateways', gateway)}: address released")

    def _say(self, path: str, obj: Object, status: Object) -> None:
        """Writes a status, if it is another one."""
        before = obj.get("status") or {}
        if all(_said(before.get(key)) == _said(value) for key, value in status.items()):
            return
        version = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        if self._api.merge(f"{path}/status?fieldManager={MANAGER}", {"metadata": version, "status": status}):
            self._tell(f"{path}: {_summary(status)}")

    def _change(self, plural: str, obj: Object, change: Object) -> bool:
        """Changes what this controller has seen, and nothing newer; False when there is something newer."""
        metadata = {**change["metadata"], "resourceVersion": obj["metadata"]["resourceVersion"]}
        return self._api.merge(f"{_path(plural, obj)}?fieldManager={MANAGER}", {"metadata": metadata})


def _key(obj: Object) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _path(plural: str, obj: Object) -> str:
    namespace, name = _key(obj)
    return f"{API}/namespaces/{namespace}/{plural}/{name}"


def _finalizers(obj: Object) -> list[str]:
    return list(obj["metadata"].get("finalizers") or [])


def _parents(route: Object) -> list[Key]:
    references = filter(statuses.names_a_gateway, route["spec"].get("parentRefs") or [])
    return [statuses.parent_key(route, reference) for reference in references]


def _pools(route: Object) -> list[Key]:
    backends = [row for rule in route["spec"].get("rules") or [] for row in rule.get("backendRefs") or []]
    named = [row for row in backends if row.get("kind") == "InferencePool"]
    return [(row.get("namespace") or route["metadata"]["namespace"], row["name"]) for row in named]


def _said(value: Any) -> Any:
    """Without what the API server leaves out."""
    return value or None


def _summary(status: Object) -> str:
    rows = status.get("conditions") or [row for parent in status.get("parents") or [] for row in parent["conditions"]]
    return ", ".join(f"{row['type']} {row['status']} ({row['reason']})" for row in rows) or "nothing to say any more"
