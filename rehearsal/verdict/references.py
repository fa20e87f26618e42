"""References of pods by name that do not exist: Secrets, ConfigMaps, volumes, ServiceAccounts, device claims.

Simulated pods start without them, real ones do not. Pod templates are read as well as pods: without its ServiceAccount a pod is
not even created. Left out: kinds whose absence admission refuses at once (RuntimeClass, PriorityClass).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from stacks.kube.api import Api, Object


class Reference(NamedTuple):
    """An object that a pod cannot start without: kind, name, and the key of a Secret or ConfigMap if one is named."""

    kind: str
    name: str
    key: str = ""


def missing(api: Api, namespace: str, pod_specs: Iterable[tuple[str, Object]]) -> list[str]:
    """Returns a sentence for each object that a pod spec, by its owner, refers to and that does not exist."""
    place = f"/api/v1/namespaces/{namespace}"
    resources = f"/apis/resource.k8s.io/v1/namespaces/{namespace}"
    paths = {
        "Secret": f"{place}/secrets",
        "ConfigMap": f"{place}/configmaps",
        "PersistentVolumeClaim": f"{place}/persistentvolumeclaims",
        "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
        "ServiceAccount": f"{place}/serviceaccounts",
        "ResourceClaim": f"{resources}/resourceclaims",
        "ResourceClaimTemplate": f"{resources}/resourceclaimtemplates",
        "DeviceClass": "/apis/resource.k8s.io/v1/deviceclasses",
    }
    known: dict[str, dict[str, Object]] = {}

    def there(kind: str) -> dict[str, Object]:
        if kind not in known:
            known[kind] = {item["metadata"]["name"]: item for item in api.items(paths[kind])}
        return known[kind]

    return sorted({text for owner, spec in pod_specs for text in _absent(owner, spec, there)})


def _absent(owner: str, spec: Object, there: Callable[[str], dict[str, Object]]) -> Iterator[str]:
    wanted = list(references(spec))
    for kind, name, _ in list(wanted):
        if kind in ("ResourceClaim", "ResourceClaimTemplate") and name in there(kind):
            wanted += device_classes(there(kind)[name])
    for kind, name, key in wanted:
        found = there(kind).get(name)
        if found is None:
            yield f"{kind} {name} does not exist; {owner} refers to it"
        elif key and key not in (found.get("data") or {}) and key not in (found.get("binaryData") or {}):
            yield f"{kind} {name} has no key {key}; {owner} refers to it"


def references(spec: Object) -> Iterator[Reference]:
    """Yields every object that a pod of this spec cannot start without; not those marked optional."""
    yield Reference("ServiceAccount", spec.get("serviceAccountName") or "default")
    # A missing pull secret is no error for a kubelet, but then the image cannot be pulled.
    for secret in spec.get("imagePullSecrets") or []:
        yield Reference("Secret", secret["name"])
    for volume in spec.get("volumes") or []:
        yield from _of_volume(volume)
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            yield from _named("Secret", source.get("secretKeyRef"))
            yield from _named("ConfigMap", source.get("configMapKeyRef"))
        for source in container.get("envFrom") or []:
            yield from _named("Secret", source.get("secretRef"))
            yield from _named("ConfigMap", source.get("configMapRef"))
    for claim in spec.get("resourceClaims") or []:
        for kind, field in (
            ("ResourceClaim", "resourceClaimName"),
            ("ResourceClaimTemplate", "resourceClaimTemplateName"),
        ):
            if claim.get(field):
                yield Reference(kind, claim[field])


def device_classes(claim: Object) -> Iterator[Reference]:
    """Yields the DeviceClasses of a ResourceClaim or its template; not those of `firstAvailable`, of which one is enough."""
    spec = claim.get("spec") or {}
    devices = (spec.get("spec") or spec).get("devices") or {}
    for request in devices.get("requests") or []:
        if "exactly" in request:
            yield Reference("DeviceClass", request["exactly"]["deviceClassName"])


def _of_volume(volume: Object) -> Iterator[Reference]:
    if claim := volume.get("persistentVolumeClaim"):
        yield Reference("PersistentVolumeClaim", claim["claimName"])
    template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}
    if storage := (template.get("spec") or {}).get("storageClassName"):
        yield Reference("StorageClass", storage)
    if publishing := (volume.get("csi") or {}).get("nodePublishSecretRef"):
        yield Reference("Secret", publishing["name"])
    if secret := volume.get("secret"):
        yield from _with_items("Secret", {"name": secret["secretName"]} | secret)
    if config := volume.get("configMap"):
        yield from _with_items("ConfigMap", config)
    for source in (volume.get("projected") or {}).get("sources") or []:
        yield from _with_items("Secret", source.get("secret"))
        yield from _with_items("ConfigMap", source.get("configMap"))


def _with_items(kind: str, source: Object | None) -> Iterator[Reference]:
    for item in (source or {}).get("items") or [{}]:
        yield from _named(kind, source and source | {"key": item.get("key", "")})


def _named(kind: str, source: Object | None) -> Iterator[Reference]:
    if source and not source.get("optional"):
        yield Reference(kind, source["name"], source.get("key") or "")
