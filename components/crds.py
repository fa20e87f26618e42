"""CustomResourceDefinitions: cluster-wide, adopted when they exist, left behind on destroy, waited for until Established."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, register


class CrdsArgs(TypedDict):
    """Plain: the CRD objects, each under its own name."""

    objects: Sequence[Object]


class Crds(pulumi.ComponentResource):
    """CRDs through an upserting provider (`opts.providers`/`provider`); `resources` is what custom resources depend on.

    Retained on delete: deleting a CRD deletes every custom resource of every stack in the cluster.
    """

    resources: list[pulumi.CustomResource]

    def __init__(self, name: str, args: CrdsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Crds", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        self.resources = [
            # The provider's own awaiter does not wait for CRDs.
            register(crd["metadata"]["name"], annotated(crd, waitFor="condition=Established"), child)
            for crd in args["objects"]
        ]
        self.register_outputs({})
