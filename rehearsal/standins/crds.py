"""Permissive CustomResourceDefinitions for a rehearsal cluster, for when the official files cannot be had.

Names, groups, versions and scopes are the official ones. Schemas keep what they do not know and check only the types of the
fields this project's objects set, so an object refused here is refused by the official CRD too, but not the other way round.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hardware.bill import Bill

Schema = dict[str, Any]

#: The API server refuses a CRD of a community group that does not say who approved it.
COMMUNITY = ".k8s.io"
APPROVAL = {
    "api-approved.kubernetes.io": "unapproved, stand-in of a rehearsal",
    "inference.networking.k8s.io/bundle-version": "v1.5.0",  # of the official CRDs these stand for
}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return schema | ({"properties": properties} if properties else {}) | ({"required": [*required]} if required else {})


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, "minItems": least}


TEXT: Schema = {"type": "string"}
PORT = _object(("number",), number={"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535})
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}
LABELLED = _object(("matchLabels",), matchLabels=LABELS | {"minProperties": 1})
SELECTOR = _object(matchLabels=LABELS)
SCRAPE = _object(port=TEXT, path=TEXT, interval=TEXT)


@dataclass(frozen=True)
class Resource:
    """One namespaced custom resource with one version, served and stored."""

    group: str
    version: str
    kind: str
    plural: str
    short: tuple[str, ...] = ()
    spec: Schema = field(default_factory=_object)

    @property
    def file(self) -> str:
        """What controller-gen, and so every release, calls the CRD's file."""
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
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{self.plural}.{self.group}",
                "annotations": APPROVAL if self.group.endswith(COMMUNITY) else {},
            },
            "spec": {
                "group": self.group,
                "names": names | ({"shortNames": [*self.short]} if self.short else {}),
                "scope": "Namespaced",
                "versions": [version],
            },
        }


INFERENCE_POOL = _object(
    ("endpointPickerRef", "selector", "targetPorts"),
    targetPorts=_list(PORT, least=1),
    selector=LABELLED,
    endpointPickerRef=_object(("name",), name=TEXT, port=PORT),
)

#: The CRDs of the Gateway API Inference Extension.
INFERENCE = (
    Resource("inference.networking.k8s.io", "v1", "InferencePool", "inferencepools", ("infpool",), INFERENCE_POOL),
    Resource("inference.networking.x-k8s.io", "v1alpha2", "InferenceModelRewrite", "inferencemodelrewrites"),
    Resource("inference.networking.x-k8s.io", "v1alpha2", "InferenceObjective", "inferenceobjectives"),
    Resource("inference.networking.x-k8s.io", "v1alpha1", "InferencePoolImport", "inferencepoolimports", ("infpimp",)),
)

#: The two of the Prometheus operator that a stack makes objects of, and so expects the cluster to have.
MONITORING = (
    Resource(
        "monitoring.coreos.com",
        "v1",
        "PodMonitor",
        "podmonitors",
        ("pmon",),
        _object(("selector",), selector=SELECTOR, podMetricsEndpoints=_list(SCRAPE)),
    ),
    Resource(
        "monitoring.coreos.com",
        "v1",
        "ServiceMonitor",
        "servicemonitors",
        ("smon",),
        _object(("endpoints", "selector"), selector=SELECTOR, endpoints=_list(SCRAPE)),
    ),
)


def write(directory: Path, bill: Bill) -> Path:
    """Write a stand-in for every CRD file of the bill, under the bill's names, into `directory` (made if absent).

    Returns the directory, for `llmd-pd:crds: {directory: …}`. Raises LookupError for a file there is no stand-in for.
    """
    known = {resource.file: resource for resource in INFERENCE}
    missing = [crd.file for crd in bill.crds if crd.file not in known]
    if missing:
        raise LookupError(f"release {bill.name} has CRD files without a stand-in: {', '.join(missing)}; add them here")
    directory.mkdir(parents=True, exist_ok=True)
    for crd in bill.crds:
        (directory / crd.file).write_text(yaml.safe_dump(known[crd.file].definition, sort_keys=False))
    return directory


def monitoring_crds() -> list[dict[str, Any]]:
    """PodMonitor and ServiceMonitor, which a rehearsal's cluster gets before the stack."""
    return [resource.definition for resource in MONITORING]
