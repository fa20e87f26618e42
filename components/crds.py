"""CustomResourceDefinitions: cluster-wide, adopted when they exist, left behind on destroy, waited for until Established."""

from collections.abc import Collection, Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register


class CrdsArgs(TypedDict):
    """Plain: the CRD objects, each under its own name, and the names of those that are `established` already."""

    objects: Sequence[Object]
    established: Collection[str]


class Crds(pulumi.ComponentResource):
    """CRDs through an upserting provider (`opts.providers`/`provider`); `resources` is what custom resources depend on.

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
    """The CRD with an order to wait for it, which the provider does not do of its own; not where it is established already.

    The order is an annotation, and one more annotation does not raise an object's generation. The provider then often takes the
    object as it was before for the new one, and the next preview says that the annotation is missing.
    """
    return crd if crd["metadata"]["name"] in established else annotated(crd, waitFor="condition=Established")
