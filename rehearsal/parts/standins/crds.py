"""Permissive CustomResourceDefinitions of the kinds a stack expects its cluster to have, for a rehearsal's cluster.

Used if the published file is not available (`rehearsal.parts.cluster_crds`). Names, groups, versions and scopes are the official
ones. Schemas preserve unknown fields and check only the types of the fields that this project's objects set, and rules that
such an object once broke: the official CRD refuses every object that is refused here, but also others. Left out: the CRDs that
a stack installs itself. Those are the official files, pinned by their checksums, or the rehearsal does not start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema | ({"properties": properties} if properties else {}) | ({"required": [*required]} if required else {})


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


TEXT: Schema = {"type": "string"}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}
SELECTOR = _object(matchLabels=LABELS)
SCRAPE = _object(port=TEXT, path=TEXT, interval=TEXT)


@dataclass(frozen=True)
class Resource:
    """One custom resource with one version, served and stored. `columns` are what `kubectl get` shows, as JSON paths."""

    group: str
    version: str
    kind: str
    plural: str
    short: tuple[str, ...] = ()
    spec: Schema = field(default_factory=_object)
    scope: str = "Namespaced"
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the CRD."""
        return f"{self.plural}.{self.group}"

    @property
    def file(self) -> str:
        """The name that controller-gen, and so every release, gives to the CRD's file."""
        return f"{self.group}_{self.plural}.yaml"

    @property
    def definition(self) -> dict[str, Any]:
        """The CustomResourceDefinition."""
        names: dict[str, Any] = {
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "singular": self.kind.lower(),
        }
        version: dict[str, Any] = {
            "name": self.version,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": _object(("spec",), spec=self.spec, status=_object())},
            "subresources": {"status": {}},
        }
        if self.columns:
            version["additionalPrinterColumns"] = [
                {"name": name, "jsonPath": path, "type": "string"} for name, path in self.columns.items()
            ]
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
            "spec": {
                "group": self.group,
                "names": names | ({"shortNames": [*self.short]} if self.short else {}),
                "scope": self.scope,
                "versions": [version],
            },
        }


#: The kinds of the Prometheus operator that a stack has objects of.
MONITORING = (
    Resource(
        group="monitoring.coreos.com",
        version="v1",
        kind="PodMonitor",
        plural="podmonitors",
        short=("pmon",),
        spec=_object(("selector",), selector=SELECTOR, podMetricsEndpoints=_list(SCRAPE)),
    ),
    Resource(
        group="monitoring.coreos.com",
        version="v1",
        kind="ServiceMonitor",
        plural="servicemonitors",
        short=("smon",),
        spec=_object(("endpoints", "selector"), selector=SELECTOR, endpoints=_list(SCRAPE)),
    ),
)


TARGET = _object(("group", "kind", "name"), group=TEXT, kind=TEXT, name=TEXT)
TIMEOUT = _object(timeoutSec={"type": "integer", "minimum": 1, "maximum": 2**31 - 1})

#: A health check in GKE's CRD since 2026-04-23 (gke-gateway-api 983ac3d). Without `portSpecification` it uses the serving port.
CHECK: Schema = _object(port={"type": "integer", "minimum": 1, "maximum": 65535}, portSpecification=TEXT) | {
    "x-kubernetes-validations": [
        {
            "rule": "!has(self.port) || (has(self.portSpecification) && self.portSpecification == 'USE_FIXED_PORT')",
            "message": "a port needs portSpecification USE_FIXED_PORT",
        }
    ]
}
CHECKS = dict.fromkeys(
    ("grpcHealthCheck", "http2HealthCheck", "httpHealthCheck", "httpsHealthCheck", "tcpHealthCheck"), CHECK
)

#: The kinds of an implementation of the Gateway API that router charts or recipes have objects of, by the chart's name for it.
GATEWAY: Mapping[str, tuple[Resource, ...]] = {
    "gke": (
        Resource(
            group="networking.gke.io",
            version="v1",
            kind="GCPBackendPolicy",
            plural="gcpbackendpolicies",
            spec=_object(("targetRef",), targetRef=TARGET, default=TIMEOUT),
        ),
        Resource(
            group="networking.gke.io",
            version="v1",
            kind="HealthCheckPolicy",
            plural="healthcheckpolicies",
            spec=_object(("targetRef",), targetRef=TARGET, default=_object(config=_object() | {"properties": CHECKS})),
        ),
        Resource(
            group="monitoring.googleapis.com",
            version="v1",
            kind="PodMonitoring",
            plural="podmonitorings",
            spec=_object(("endpoints", "selector"), selector=SELECTOR, endpoints=_list(_object(("port",)))),
        ),
    ),
    "istio": (
        Resource(
            group="networking.istio.io",
            version="v1beta1",
            kind="DestinationRule",
            plural="destinationrules",
            short=("dr",),
            spec=_object(("host",), host=TEXT),
        ),
    ),
    "agentgateway": (
        Resource(
            group="agentgateway.dev",
            version="v1alpha1",
            kind="AgentgatewayParameters",
            plural="agentgatewayparameters",
            short=("agpar",),
        ),
    ),
    "na": (),
}


EFFECT = {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]} | TEXT
COUNT = {"type": "integer", "minimum": 0}
_CONDITION = ".status.conditions[?(@.type=='{}')].reason"

#: CoreWeave's NodePool. A change of the instance type is refused in CoreWeave's words.
NODE_POOL = Resource(
    group="compute.coreweave.com",
    version="v1alpha1",
    kind="NodePool",
    plural="nodepools",
    spec=_object(
        ("instanceType",),
        instanceType=TEXT,
        computeClass={"enum": ["default", "spot"]} | TEXT,
        autoscaling={"type": "boolean"},
        targetNodes=COUNT,
        minNodes=COUNT,
        maxNodes=COUNT,
        nodeLabels=LABELS,
        nodeTaints=_list(_object(("key", "effect"), key={"minLength": 1} | TEXT, value=TEXT, effect=EFFECT)),
    )
    | {
        "x-kubernetes-validations": [
            {"rule": "self.instanceType == oldSelf.instanceType", "message": "InstanceType cannot be changed"}
        ]
    },
    scope="Cluster",
    columns={
        "INSTANCE TYPE": ".spec.instanceType",
        "TARGET": ".spec.targetNodes",
        "QUEUED": ".status.queuedNodes",
        "INPROGRESS": ".status.inProgress",
        "CURRENT": ".status.currentNodes",
        "VALIDATED": _CONDITION.format("Validated"),
        "CAPACITY": _CONDITION.format("Capacity"),
        "QUOTA": _CONDITION.format("Quota"),
    },
)


#: The kinds that GKE installs with multi-networking, for the networks of a machine's additional NICs.
MULTI_NETWORKING = (
    Resource(
        group="networking.gke.io",
        version="v1",
        kind="GKENetworkParamSet",
        plural="gkenetworkparamsets",
        spec=_object(
            ("vpc", "vpcSubnet"),
            vpc=TEXT,
            vpcSubnet=TEXT,
            deviceMode={"enum": ["RDMA", "NetDevice", "DPDK-VFIO"]} | TEXT,
        ),
        scope="Cluster",
    ),
    Resource(
        group="networking.gke.io",
        version="v1",
        kind="Network",
        plural="networks",
        spec=_object(
            ("type",), type=TEXT, parametersRef=_object(("group", "kind", "name"), group=TEXT, kind=TEXT, name=TEXT)
        ),
        scope="Cluster",
    ),
)


#: Every kind with a published file.
BROUGHT = (*MONITORING, *(resource for brought in GATEWAY.values() for resource in brought), *MULTI_NETWORKING)
