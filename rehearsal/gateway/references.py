"""The objects that Gateways, routes and pools refer to: whether they exist, whether they may be referred to, what they say."""

from typing import Any

import yaml

from rehearsal.gateway import API, GROUP
from rehearsal.gateway.conditions import Condition
from rehearsal.gateway.statuses import RESOLVED
from stacks.kube.api import Api, Object

POOLS = "/apis/inference.networking.k8s.io/v1"
#: Group and kind of what a route may send requests to -> its API and plural.
BACKENDS = {
    ("", "Service"): ("/api/v1", "services"),
    ("inference.networking.k8s.io", "InferencePool"): (POOLS, "inferencepools"),
}


class References:
    """Looks up objects for one call of `Controller.reconcile`; each is requested once."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: dict[str, Object | None] = {}

    def labels(self, namespace: str) -> dict[str, str]:
        """Returns the labels of a namespace."""
        found = self._get(f"/api/v1/namespaces/{namespace}") or {}
        return dict(found.get("metadata", {}).get("labels") or {})

    def picker(self, pool: Object) -> Condition:
        """Returns whether the Service of an InferencePool's endpoint picker exists."""
        namespace, name = pool["metadata"]["namespace"], pool["spec"]["endpointPickerRef"]["name"]
        if self._get(f"/api/v1/namespaces/{namespace}/services/{name}"):
            return RESOLVED
        message = f"Service {namespace}/{name} of its endpoint picker does not exist"
        return Condition(False, "InvalidExtensionRef", message)

    def parameters(self, gateway: Object) -> tuple[Condition | None, bool]:
        """Returns why a Gateway's parameters are refused, None if they are valid; and whether they ask for a ClusterIP.

        The Service's type is in Istio's ConfigMap under `service`, and in agentgateway's own kind in `spec.service`.
        """
        reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
        if not reference:
            return None, False
        group, kind, place = reference["group"], reference["kind"], gateway["metadata"]["namespace"]
        name = f"{kind} {place}/{reference['name']}"
        collection = self._collection(group, kind, place)
        if collection is None:
            return _invalid(f"the cluster has no kind {kind} of {group}"), False
        found = self._get(f"{collection}/{reference['name']}")
        if found is None:
            return _invalid(f"{name} does not exist"), False
        service = (found.get("spec") or {}).get("service")
        if not group:
            try:
                service = yaml.safe_load((found.get("data") or {}).get("service") or "")
            except yaml.YAMLError as error:
                return _invalid(f"key service of {name} is not YAML: {' '.join(str(error).split())}"), False
        spec = service.get("spec") if isinstance(service, dict) else None
        return None, (spec or {}).get("type") == "ClusterIP"

    def backends(self, route: Object) -> Condition:
        """Returns whether everything a route sends requests to exists, and the route may refer to it."""
        place = route["metadata"]["namespace"]
        backends = [row for rule in route["spec"].get("rules") or [] for row in rule.get("backendRefs") or []]
        return next(filter(None, (self._problem(row, place) for row in backends)), RESOLVED)

    def _problem(self, reference: Object, place: str) -> Condition | None:
        group, kind = reference.get("group", ""), reference.get("kind", "Service")
        namespace, name = reference.get("namespace") or place, reference["name"]
        if (group, kind) not in BACKENDS:
            message = f"A route cannot send requests to {kind} of {group or 'the core group'}"
            return Condition(False, "InvalidKind", message)
        if namespace != place and not self._granted(
            group=group, kind=kind, namespace=namespace, name=name, place=place
        ):
            message = f"No ReferenceGrant in {namespace} lets HTTPRoutes of {place} refer to {kind} {name}"
            return Condition(False, "RefNotPermitted", message)
        api, plural = BACKENDS[group, kind]
        if self._get(f"{api}/namespaces/{namespace}/{plural}/{name}") is None:
            return Condition(False, "BackendNotFound", f"{kind} {namespace}/{name} does not exist")
        return None

    def _granted(self, group: str, kind: str, namespace: str, name: str, place: str) -> bool:
        """Whether a ReferenceGrant lets HTTPRoutes of namespace `place` refer to this object."""
        grants = (self._get(f"{API}/namespaces/{namespace}/referencegrants") or {}).get("items") or []
        source, target = {"group": GROUP, "kind": "HTTPRoute", "namespace": place}, (group, kind, name)
        return any(
            source in grant["spec"]["from"]
            and any((row["group"], row["kind"], row.get("name", name)) == target for row in grant["spec"]["to"])
            for grant in grants
        )

    def _collection(self, group: str, kind: str, namespace: str) -> str | None:
        """Returns the path of a kind's objects in a namespace; None if the API server serves no such kind."""
        roots = ["/api/v1"]
        if group:
            versions = (self._get(f"/apis/{group}") or {}).get("versions") or []
            roots = [f"/apis/{row['groupVersion']}" for row in versions]
        for root in roots:
            for row in (self._get(root) or {}).get("resources") or []:
                if row["kind"] == kind and "/" not in row["name"]:
                    place = f"/namespaces/{namespace}" if row["namespaced"] else ""
                    return f"{root}{place}/{row['name']}"
        return None

    def _get(self, path: str) -> Any:
        if path not in self._seen:
            self._seen[path] = self._api.get(path)
        return self._seen[path]


def _invalid(message: str) -> Condition:
    return Condition(False, "InvalidParameters", f"spec.infrastructure.parametersRef: {message}")
