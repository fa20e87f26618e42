"""A CKS cluster and its VPC, registered as a plan says. CoreWeave's token comes from the environment, as its provider reads it.

No kubeconfig follows from it: one for CKS holds a token that lives long, and none is made here.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from components.cluster.cloud import CloudResource, Sdk, make
from releases.coreweave import SDK as MODULE

SDK = Sdk(MODULE, "pulumi-coreweave", "coreweave", "`cluster.coreweave.cluster`")


class CksClusterArgs(TypedDict):
    """Plain: the resources in an order in which each comes after what it needs, and which of them the cluster is."""

    resources: Sequence[CloudResource]
    cluster: str


class CksCluster(pulumi.ComponentResource):
    """`cluster` is what everything in it comes after; `endpoint` where its API server answers."""

    cluster: pulumi.CustomResource
    endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: CksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:CksCluster", name, None, opts)
        provider = SDK.class_of("Provider")(f"{name}-coreweave", opts=pulumi.ResourceOptions(parent=self))
        made: Any = make(SDK, args["resources"], self, provider)
        self.cluster = made[args["cluster"]]
        self.endpoint = made[args["cluster"]].api_server_endpoint
        self.register_outputs({"endpoint": self.endpoint})
