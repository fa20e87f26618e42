"""Plain Kubernetes objects into Pulumi resources: the one boundary where API fields meet the SDK's arguments.

Fields pass through the SDK as the API spells them, so no translation layer is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

Object = Mapping[str, Any]


class KubernetesObject(pulumi.CustomResource):
    """An object under the type token that `pulumi_kubernetes` has for its kind; its outputs are the live object's fields.

    Not through that package's own classes: they would only pass the fields on, and importing them takes longer than
    everything else in the program (`make bench`).
    """

    metadata: pulumi.Output[dict[str, Any]]
    spec: pulumi.Output[dict[str, Any] | None]
    status: pulumi.Output[dict[str, Any] | None]

    def __init__(self, name: str, obj: Object, opts: pulumi.ResourceOptions) -> None:
        # An output has to have a property from the start, stated or not.
        outputs = dict.fromkeys(("metadata", "spec", "status"))
        super().__init__(_token(obj), name, {**outputs, **obj}, opts)


class KubernetesRead(pulumi.CustomResource):
    """A look at an object that another owner makes: its outputs are the live object's fields.

    `object_id` is `namespace/name`. Nothing else is sent: the official provider takes name and namespace from the id only where
    the inputs have neither `apiVersion` nor `kind`, and else looks in the namespace `default`.

    It has no parent: a read is never a target, and `pulumi up --target` loses a parent that is none.
    """

    metadata: pulumi.Output[dict[str, Any]]
    spec: pulumi.Output[dict[str, Any] | None]
    status: pulumi.Output[dict[str, Any] | None]

    def __init__(
        self, name: str, kind: "Kind", object_id: pulumi.Input[str], provider: pulumi.ProviderResource | None
    ) -> None:
        outputs = dict.fromkeys(("metadata", "spec", "status"))
        super().__init__(kind.token, name, outputs, pulumi.ResourceOptions(id=object_id, provider=provider))


class KubernetesPatch(pulumi.CustomResource):
    """Some fields of an object that somebody else makes and owns."""

    def __init__(self, name: str, fields: Object, opts: pulumi.ResourceOptions) -> None:
        super().__init__(f"{_token(fields)}Patch", name, dict(fields), opts)


@dataclass(frozen=True)
class Kind:
    """A kind of object, by its `apiVersion` and `kind`."""

    api_version: str
    kind: str

    @property
    def token(self) -> str:
        """The type token that `pulumi_kubernetes` has for it."""
        version = self.api_version if "/" in self.api_version else f"core/{self.api_version}"
        return f"kubernetes:{version}:{self.kind}"


def _token(obj: Object) -> str:
    return Kind(obj["apiVersion"], obj["kind"]).token


#: Fields the API server never lets change, and which the provider does not know to replace.
IMMUTABLE: dict[str, list[str]] = {"ResourceClaimTemplate": ["spec"]}


def register(logical_name: str, obj: Object, opts: pulumi.ResourceOptions) -> KubernetesObject:
    """Registers one object as it is. A custom resource needs its CRD in the cluster."""
    if immutable := IMMUTABLE.get(obj["kind"]):
        # The name is fixed, so the old one goes first; running pods keep the claims they have.
        replaced = pulumi.ResourceOptions(replace_on_changes=immutable, delete_before_replace=True)
        opts = pulumi.ResourceOptions.merge(opts, replaced)
    return KubernetesObject(logical_name, {key: value for key, value in obj.items() if key != "status"}, opts)


def placed(obj: Object, namespace: str) -> dict[str, Any]:
    """The object in a namespace."""
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def annotated(obj: Object, **annotations: str) -> dict[str, Any]:
    """The object with annotations of the provider's (`waitFor`, `skipAwait`), which Pulumi keeps under `pulumi.com/`."""
    metadata = obj["metadata"]
    added = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    return {**obj, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), **added}}}
