"""CustomResourceDefinitions: cluster-wide, adopted if they exist, retained on destroy, awaited until Established."""

from collections.abc import Collection, Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register


class CrdsArgs(TypedDict):
    """Plain: the CRD objects, each under its own name, and the names of those that are `established` already."""

    objects: Sequence[Object]
    established: Collection[str]


class Crds(pulumi.ComponentResource):
    """CRDs through an upserting provider (`opts.providers`/`provider`). Custom resources depend on `resources`.

    Retained on delete: deleting a CRD deletes every custom resource of every stack in the cluster.
    """

    resources: list[pulumi.CustomResource]

    def __init__(self, name: str, args: CrdsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Crds", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        self.resources = [
            register(crd["metadata"]["name"], _awaited(crd, args["established"]), child) for crd in args["objects"]
        ]
        self.register_outputs({})


def _awaited(crd: Object, established: Collection[str]) -> Object:
    """Returns the CRD with the provider's annotation to wait for it, unless it is established already.

    The provider does not wait for CRDs by default. An annotation does not raise an object's generation: on an existing object the
    provider often keeps the old state, and the next preview shows the annotation as missing.
    """
    return crd if crd["metadata"]["name"] in established else annotated(crd, waitFor="condition=Established")
