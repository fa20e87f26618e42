"""Gateways as data: upstream's eight recipes, and the implementations that a stack can install.

A recipe holds the objects that the guide applies before the router in gateway mode. Its Gateway serves all namespaces; each
router's chart makes its own route. The implementations are those of the guide's pages, at its versions.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from hardware.bill import Chart, ChartImage
from releases.gateway_api import GROUP

Object = dict[str, Any]

#: Upstream's name of the Gateway, which its values for the router's chart refer to.
GATEWAY = "llm-d-inference-gateway"


@dataclass(frozen=True)
class Provider:
    """An implementation of Gateways as the router's charts know it, and what it can do.

    - `in_cluster`: the cluster brings it, with the Gateway API's CRDs. `turn_on` is how its owner turns it on.
    - `policies`: the charts write a backend policy with a time limit and a health check, which the stack corrects by patches.
    - `route_timeout`: its routes have timeouts.
    - `own_monitoring`: the router's chart makes objects of its own monitoring kinds, not the Prometheus operator's.
    """

    key: str
    title: str
    in_cluster: bool = False
    turn_on: str = ""
    policies: bool = False
    route_timeout: bool = True
    own_monitoring: bool = False


#: By the word for an implementation in the router's charts and upstream's recipes; `na` is one that they do not know.
PROVIDERS: Mapping[str, Provider] = {
    provider.key: provider
    for provider in (
        Provider(
            key="gke",
            title="GKE",
            in_cluster=True,
            turn_on="run `gcloud container clusters update CLUSTER --location=LOCATION --gateway-api=standard`",
            policies=True,
            route_timeout=False,
            own_monitoring=True,
        ),
        Provider("istio", "Istio"),
        Provider("agentgateway", "agentgateway"),
        Provider("na", "an unknown implementation"),
    )
}


@dataclass(frozen=True)
class Recipe:
    """One of upstream's Gateways.

    `provider` is the router chart's name for the implementation. `gateway_class` None: the stack file must name a class.
    `parameters` are objects that the Gateway refers to, the first by `infrastructure.parametersRef`; `{gateway}` in their names
    and labels stands for the Gateway's name.
    """

    key: str
    provider: str
    gateway_class: str | None
    labels: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Object, ...] = ()


#: Resources and log level of the proxy that Istio starts for the Gateway, in Istio's format: YAML as text.
ISTIO_DEPLOYMENT = """\
spec:
  template:
    spec:
      containers:
      - name: istio-proxy
        args:
          - proxy
          - router
          - --domain
          - $(POD_NAMESPACE).svc.cluster.local
          - --proxyLogLevel
          - warn
          - --proxyComponentLogLevel
          - misc:warn
          - --log_output_level
          - default:warn
        resources:
          limits:
            cpu: "8"
            memory: 16Gi
          requests:
            cpu: 2
            memory: 4Gi
"""

COMPONENT = {"app.kubernetes.io/component": "inference-gateway"}

ISTIO_PARAMETERS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "{gateway}", "labels": {**COMPONENT, "app.kubernetes.io/gateway": "{gateway}"}},
    "data": {"deployment": ISTIO_DEPLOYMENT, "service": "spec:\n  type: ClusterIP\n"},
}

#: OpenShift assigns user ids itself, so the recipe removes agentgateway's from its pods.
OPENSHIFT_PARAMETERS: Object = {
    "apiVersion": "agentgateway.dev/v1alpha1",
    "kind": "AgentgatewayParameters",
    "metadata": {"name": "agentgateway-params", "labels": COMPONENT},
    "spec": {
        "deployment": {
            "spec": {
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "name": "agentgateway",
                                "securityContext": {
                                    "$patch": "replace",
                                    "allowPrivilegeEscalation": False,
                                    "capabilities": {"drop": ["ALL"]},
                                    "readOnlyRootFilesystem": True,
                                    "runAsNonRoot": True,
                                    "seccompProfile": {"type": "RuntimeDefault"},
                                },
                            }
                        ],
                        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    }
                }
            }
        },
        "service": {"spec": {"type": "ClusterIP"}},
    },
}

#: The first recipe of a provider is its default. kgateway's are agentgateway's: upstream deprecated kgateway.
RECIPES: dict[str, Recipe] = {
    recipe.key: recipe
    for recipe in (
        Recipe("base", "na", None),
        Recipe("gke-l7-regional-external-managed", "gke", "gke-l7-regional-external-managed"),
        Recipe("gke-l7-rilb", "gke", "gke-l7-rilb"),
        Recipe("istio", "istio", "istio", {"istio.io/enable-inference-extproc": "true"}, (ISTIO_PARAMETERS,)),
        Recipe("agentgateway", "agentgateway", "agentgateway"),
        Recipe("agentgateway-openshift", "agentgateway", "agentgateway", {}, (OPENSHIFT_PARAMETERS,)),
        Recipe("kgateway", "agentgateway", "agentgateway"),
        Recipe("kgateway-openshift", "agentgateway", "agentgateway", {}, (OPENSHIFT_PARAMETERS,)),
    )
}


@dataclass(frozen=True)
class ChartRelease:
    """One Helm release of an implementation, and the images of its chart at this version."""

    name: str
    chart: Chart
    values: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[ChartImage, ...] = ()


@dataclass(frozen=True)
class Implementation:
    """A Gateway implementation: name and version for messages, namespace, and Helm releases in the order of installation."""

    title: str
    namespace: str
    releases: tuple[ChartRelease, ...]


ISTIO = "1.29.2"
AGENTGATEWAY = "v1.1.0"
ISTIO_CHARTS = "https://istio-release.storage.googleapis.com/charts"
AGENTGATEWAY_CHARTS = "oci://cr.agentgateway.dev/charts"
AGENTGATEWAY_IMAGES = "cr.agentgateway.dev"
INFERENCE = "ENABLE_GATEWAY_API_INFERENCE_EXTENSION"

#: Implementations by the router chart's provider. GKE brings its own; `na` stands for an unknown one.
IMPLEMENTATIONS: dict[str, Implementation] = {
    "istio": Implementation(
        f"Istio {ISTIO}",
        "istio-system",
        (
            ChartRelease("istio-base", Chart(f"{ISTIO_CHARTS}/base", ISTIO)),
            ChartRelease(
                "istiod",
                Chart(f"{ISTIO_CHARTS}/istiod", ISTIO),
                {
                    "pilot": {"env": {INFERENCE: "true"}},
                    "meshConfig": {"defaultConfig": {"proxyMetadata": {INFERENCE: "true"}}},
                },
                # One value names the registry of both.
                tuple(
                    ChartImage(f"docker.io/istio/{name}:{ISTIO}", {("global", "hub"): "{place}"})
                    for name in ("pilot", "proxyv2")
                ),
            ),
        ),
    ),
    "agentgateway": Implementation(
        f"agentgateway {AGENTGATEWAY}",
        "agentgateway-system",
        (
            ChartRelease("agentgateway-crds", Chart(f"{AGENTGATEWAY_CHARTS}/agentgateway-crds", AGENTGATEWAY)),
            ChartRelease(
                "agentgateway",
                Chart(f"{AGENTGATEWAY_CHARTS}/agentgateway", AGENTGATEWAY),
                {"inferenceExtension": {"enabled": True}},
                # The controller, and the proxy it starts for each Gateway: one value names the registry of both.
                tuple(
                    ChartImage(f"{AGENTGATEWAY_IMAGES}/{name}:{AGENTGATEWAY}", {("image", "registry"): "{place}"})
                    for name in ("controller", "agentgateway")
                ),
            ),
        ),
    ),
}


def default_recipe(provider: str) -> Recipe:
    """Returns a provider's first recipe."""
    return next(recipe for recipe in RECIPES.values() if recipe.provider == provider)


def gateway_objects(recipe: Recipe, *, name: str = GATEWAY, gateway_class: str | None = None) -> list[Object]:
    """Returns the recipe's objects without a namespace: the objects that the Gateway refers to, then the Gateway.

    `gateway_class` replaces the recipe's.
    """
    parameters = [_named(obj, name) for obj in recipe.parameters]
    metadata: Object = {"name": name} | ({"labels": dict(recipe.labels)} if recipe.labels else {})
    listener = {"name": "default", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    chosen = gateway_class or recipe.gateway_class
    spec: Object = {"gatewayClassName": chosen} if chosen else {}
    if parameters:
        first = parameters[0]
        group = first["apiVersion"].rpartition("/")[0]
        reference = {"group": group, "kind": first["kind"], "name": first["metadata"]["name"]}
        spec["infrastructure"] = {"parametersRef": reference}
    gateway = {"apiVersion": f"{GROUP}/v1", "kind": "Gateway", "metadata": metadata}
    return [*parameters, {**gateway, "spec": {**spec, "listeners": [listener]}}]


def http_route(
    *, name: str, pool: str, gateway: str, gateway_namespace: str, base_model: str | None, request_timeout: str | None
) -> Object:
    """Returns the router chart's HTTPRoute with the Gateway's namespace, which charts before June's cannot set."""
    header = {"type": "Exact", "name": "X-Gateway-Base-Model-Name", "value": base_model}
    match: Object = {"path": {"type": "PathPrefix", "value": "/"}} | ({"headers": [header]} if base_model else {})
    backend = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": pool}
    parent = {"group": GROUP, "kind": "Gateway", "name": gateway, "namespace": gateway_namespace}
    rule = {"backendRefs": [backend], "matches": [match]}
    timeouts = {"timeouts": {"request": request_timeout}} if request_timeout else {}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [parent], "rules": [rule | timeouts]},
    }


def http_health_check(port: int) -> Object:
    """Returns the `config` of GKE's HealthCheckPolicy of the router's charts, with the `portSpecification` that they leave out.

    GKE's CRD refuses a `port` without `portSpecification` since 2026-04-23 (gke-gateway-api 983ac3d, "Cross-validate
    portSpecification vs port+portName"); earlier ones take both forms.
    """
    return {
        "type": "HTTP",
        "httpHealthCheck": {"portSpecification": "USE_FIXED_PORT", "port": port, "requestPath": "/health"},
    }


def hangs_on(route: Mapping[str, Any], *, gateway: str, namespace: str) -> bool:
    """Returns whether a live route of any kind names this Gateway as a parent."""
    own = route["metadata"]["namespace"]
    return any(
        (parent.get("kind", "Gateway"), parent.get("namespace", own), parent["name"]) == ("Gateway", namespace, gateway)
        for parent in route.get("spec", {}).get("parentRefs") or ()
    )


def _named(obj: Object, gateway: str) -> Object:
    named = deepcopy(obj)
    metadata = named["metadata"]
    metadata["name"] = metadata["name"].format(gateway=gateway)
    metadata["labels"] = {key: value.format(gateway=gateway) for key, value in metadata["labels"].items()}
    return named
