"""Plain Kubernetes objects as Pulumi resources: the only place where API fields become the SDK's arguments.

The SDK passes fields on with the API's names, so no translation is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi

Object = Mapping[str, Any]


class KubernetesObject(pulumi.CustomResource):
    """An object with the type token of `pulumi_kubernetes` for its kind; its outputs are the live object's fields.

    That package's classes are not used: they would only pass the fields on, and their import takes longer than everything
    else in the program (`make bench`).
    """

    metadata: pulumi.Output[dict[str, Any]]
    spec: pulumi.Output[dict[str, Any] | None]
    status: pulumi.Output[dict[str, Any] | None]

    def __init__(self, name: str, obj: Object, opts: pulumi.ResourceOptions) -> None:
        # An output needs a property from the start, even without a value.
        outputs = dict.fromkeys(("metadata", "spec", "status"))
        super().__init__(_token(obj), name, {**outputs, **obj}, opts)


class KubernetesRead(pulumi.CustomResource):
    """A read of another owner's object: its outputs are the live object's fields.

    Name and namespace are inputs beside the id. With `apiVersion` and `kind` only, the official provider looks in namespace
    `default` and ignores the id's; without inputs, a refresh shows all three as changes.

    It has no parent: a read is never a target, and `pulumi up --target` loses a parent that is no target.
    """

    metadata: pulumi.Output[dict[str, Any]]
    spec: pulumi.Output[dict[str, Any] | None]
    status: pulumi.Output[dict[str, Any] | None]

    def __init__(self, name: str, kind: "Kind", place: "Place", provider: pulumi.ProviderResource | None) -> None:
        identity = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {**place}}
        outputs = dict.fromkeys(("spec", "status"))
        opts = pulumi.ResourceOptions(
            id=pulumi.Output.concat(place["namespace"], "/", place["name"]), provider=provider
        )
        super().__init__(kind.token, name, {**outputs, **identity}, opts)


class Place(TypedDict):
    """A name in a namespace."""

    namespace: pulumi.Input[str]
    name: pulumi.Input[str]


class KubernetesPatch(pulumi.CustomResource):
    """A patch of fields of another owner's object."""

    def __init__(self, name: str, fields: Object, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"{_token(fields)}Patch", name, dict(fields), opts)


@dataclass(frozen=True)
class Kind:
    """A kind of object, by its `apiVersion` and `kind`."""

    api_version: str
    kind: str

    @property
    def token(self) -> str:
        """Its type token in `pulumi_kubernetes`."""
        version = self.api_version if "/" in self.api_version else f"core/{self.api_version}"
        return f"kubernetes:{version}:{self.kind}"


def _token(obj: Object) -> str:
    return Kind(obj["apiVersion"], obj["kind"]).token


#: Fields that are immutable in the API server, by kind, for which the provider does not know that a change replaces the object.
IMMUTABLE: dict[str, list[str]] = {"ResourceClaimTemplate": ["spec"]}


def register(logical_name: str, obj: Object, opts: pulumi.ResourceOptions) -> KubernetesObject:
    """Registers one object unchanged. A custom resource needs its CRD in the cluster."""
    if immutable := IMMUTABLE.get(obj["kind"]):
        # The name is fixed, so the old one is deleted first; running pods keep their claims.
        replaced = pulumi.ResourceOptions(replace_on_changes=immutable, delete_before_replace=True)
        opts = pulumi.ResourceOptions.merge(opts, replaced)
    return KubernetesObject(logical_name, {key: value for key, value in obj.items() if key != "status"}, opts)


def placed(obj: Object, namespace: str) -> dict[str, Any]:
    """Returns the object in a namespace."""
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def annotated(obj: Object, **annotations: str) -> dict[str, Any]:
    """Returns the object with annotations for the provider (`waitFor`, `skipAwait`), under `pulumi.com/`."""
    metadata = obj["metadata"]
    added = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **added}}}
