"""What Gateways, routes and pools refer to: whether it is there, whether it may be referred to, and what it says.

Asks the API server, each thing once in the life of a `References`: one look of the controller.
"""

from typing import Any

import yaml

from rehearsal.gateway import API, GROUP
from rehearsal.gateway.conditions import Answer
from rehearsal.gateway.statuses import RESOLVED
from stacks.kube.api import Api, Object

POOLS = "/apis/inference.networking.k8s.io/v1"
#: What a route may send requests to, by group and kind: where it is kept.
BACKENDS = {
    ("", "Service"): ("/api/v1", "services"),
    ("inference.networking.k8s.io", "InferencePool"): (POOLS, "inferencepools"),
}


class References:
    """The objects of one look at the cluster."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._seen: dict[str, Object | None] = {}

    def labels(self, namespace: str) -> dict[str, str]:
        """The labels of a namespace."""
        found = self._get(f"/api/v1/namespaces/{namespace}") or {}
        return dict(found.get("metadata", {}).get("labels") or {})

    def service_exists(self, namespace: str, name: str) -> bool:
        """Whether there is such a Service."""
        return self._get(f"/api/v1/namespaces/{namespace}/services/{name}") is not None

    def parameters(self, gateway: Object) -> tuple[Answer | None, bool]:
        """Why a Gateway's parameters are refused, None where they are not; and whether they want no address of a cloud.

        That is said of the Service an implementation makes: as Istio's ConfigMap says it, or as a resource of its own kind.
        """
        reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
        if not reference:
            return None, False
        group, kind, name = reference["group"], reference["kind"], reference["name"]
        place = gateway["metadata"]["namespace"]
        collection = self._collection(group, kind, place)
        found = self._get(f"{collection}/{name}") if collection else None
        if found is None:
            missing = (
                f"{kind} {place}/{name} does not exist" if collection else f"the cluster has no kind {kind} of {group}"
            )
            return Answer(False, "InvalidParameters", f"Of spec.infrastructure.parametersRef: {missing}"), False
        try:
            service = yaml.safe_load((found.get("data") or {}).get("service") or "") if not group else None
        except yaml.YAMLError as error:
            words = " ".join(str(error).split())
            return Answer(
                False, "InvalidParameters", f"ConfigMap {place}/{name}, key service, is no YAML: {words}"
            ), False
        service = service if isinstance(service, dict) else (found.get("spec") or {}).get("service") or {}
        return None, (service.get("spec") or {}).get("type") == "ClusterIP"

    def backends(self, route: Object) -> Answer:
        """Whether everything a route sends requests to is there and may be used by it."""
        place = route["metadata"]["namespace"]
        for rule in route["spec"].get("rules") or []:
            for reference in rule.get("backendRefs") or []:
                problem = self._backend(reference, place)
                if problem is not None:
                    return problem
        return RESOLVED

    def _backend(self, reference: Object, place: str) -> Answer | None:
        group, kind = reference.get("group", ""), reference.get("kind", "Service")
        namespace, name = reference.get("namespace") or place, reference["name"]
        if (group, kind) not in BACKENDS:
            return Answer(
                False, "InvalidKind", f"A route cannot send requests to {kind} of {group or 'the core group'}"
            )
        if namespace != place and not self._granted(group, kind, namespace, name, place):
            message = f"No ReferenceGrant in {namespace} lets HTTPRoutes of {place} refer to {kind} {name}"
            return Answer(False, "RefNotPermitted", message)
        api, plural = BACKENDS[group, kind]
        if self._get(f"{api}/namespaces/{namespace}/{plural}/{name}") is None:
            return Answer(False, "BackendNotFound", f"{kind} {namespace}/{name} does not exist")
        return None

    def _granted(self, group: str, kind: str, namespace: str, name: str, place: str) -> bool:
        grants = (self._get(f"{API}/namespaces/{namespace}/referencegrants") or {}).get("items") or []
        asking = {"group": GROUP, "kind": "HTTPRoute", "namespace": place}
        return any(
            asking in grant["spec"]["from"]
            and any(
                (row["group"], row["kind"], row.get("name", name)) == (group, kind, name) for row in grant["spec"]["to"]
            )
            for grant in grants
        )

    def _collection(self, group: str, kind: str, namespace: str) -> str | None:
        """Where objects of a kind are kept; None where the API server serves no such kind."""
        roots = [f"/apis/{row['groupVersion']}" for row in (self._get(f"/apis/{group}") or {}).get("versions") or []]
        for root in roots if group else ["/api/v1"]:
            for row in (self._get(root) or {}).get("resources") or []:
                if row["kind"] == kind and "/" not in row["name"]:
                    return (
                        f"{root}/namespaces/{namespace}/{row['name']}" if row["namespaced"] else f"{root}/{row['name']}"
                    )
        return None

    def _get(self, path: str) -> Any:
        if path not in self._seen:
            self._seen[path] = self._api.get(path)
        return self._seen[path]
