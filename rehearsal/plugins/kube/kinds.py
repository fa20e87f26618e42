"""Facts about Kubernetes kinds that the official provider has in tables: scope, and fields that only a new object can change.

`readiness` has the conditions for an object to be ready.
"""

from collections.abc import Mapping
from typing import Any

Path = tuple[str | int, ...]

# Groups served by the API server itself. Any other kind may be namespaced or not: its server has to be asked.
BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    }
)

CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "CustomResourceDefinition",
        "DeviceClass",
        "DeviceTaintRule",
        "FlowSchema",
        "IPAddress",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "ServiceCIDR",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)

# The official provider's table (provider/pkg/provider/diff.go), for the versions Kubernetes still serves. What is not in it is
# updated in place, and the API server refuses where the field is immutable: a ResourceClaimTemplate's spec, for one.
_SELECTOR = ("spec.selector",)
_FORCE_NEW: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): ("spec",),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
}
_IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
# Kinds whose content is replaced rather than changed, unless the provider's switch says otherwise.
_CONTENT: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("", "Secret"): ("enableSecretMutable", ("type", "stringData", "data")),
    ("", "ConfigMap"): ("enableConfigMapMutable", ("binaryData", "data")),
}


def group(obj: Mapping[str, Any]) -> str:
    """Returns the API group of an object; empty for the core group."""
    prefix, slash, _ = str(obj["apiVersion"]).partition("/")
    return prefix if slash else ""


def kind_key(obj: Mapping[str, Any]) -> tuple[str, str]:
    return group(obj), str(obj["kind"])


def known_scope(obj: Mapping[str, Any]) -> bool | None:
    """Whether a kind is namespaced; None if only its server knows."""
    if group(obj) not in BUILT_IN_GROUPS:
        return None
    return obj["kind"] not in CLUSTER_SCOPED


def mutable_switch(obj: Mapping[str, Any]) -> str | None:
    """Returns the provider's setting that allows this object's content to change in place."""
    content = _CONTENT.get(kind_key(obj))
    return content[0] if content else None


def force_new(obj: Mapping[str, Any], *, content_mutable: bool) -> list[Path]:
    """Returns the paths whose change needs a new object. `content_mutable`: the setting for Secrets or ConfigMaps is on."""
    fields = [*_IDENTITY, *_FORCE_NEW.get(kind_key(obj), ())]
    if kind_key(obj) in _CONTENT and (not content_mutable or obj.get("immutable")):
        fields += _CONTENT[kind_key(obj)][1]
    return [tuple(field.split(".")) for field in fields]
