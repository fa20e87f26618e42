"""A GKE cluster with everything under it, registered as a plan says; and the kubeconfig that leads to it.

What is made is decided in `stacks.clouds.gke.plan`. The SDK is an extra: it is imported when a stack makes a
cluster, and only then. The
kubeconfig holds no credential: whoever uses it is asked for by Google's plugin.
"""

import json
from collections.abc import Sequence
from typing import Any, TypedDict

import pulumi

from components.cluster.cloud import CloudResource, Sdk, make
from releases.gke import AUTH_PLUGIN
from releases.gke import SDK as MODULE

SDK = Sdk(MODULE, "pulumi-gcp", "gke", "`provider: gke`")


class GkeClusterArgs(TypedDict):
    """Plain: the project, the resources in an order in which each comes after what it needs, and which of them the cluster is."""

    project: str
    resources: Sequence[CloudResource]
    cluster: str


class GkeCluster(pulumi.ComponentResource):
    """The resources by their logical names in `resources`; `kubeconfig` is a whole one, as text."""

    resources: dict[str, pulumi.CustomResource]
    kubeconfig: pulumi.Output[str]

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:GkeCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        provider = SDK.class_of("Provider")(f"{name}-google", project=args["project"], opts=child)
        self.resources = make(SDK, args["resources"], self, provider)
        cluster: Any = self.resources[args["cluster"]]
        endpoint = cluster.control_plane_endpoints_config.apply(lambda found: found.dns_endpoint_config.endpoint)
        self.kubeconfig = pulumi.Output.all(cluster.name, endpoint).apply(lambda found: kubeconfig(*found))
        self.register_outputs({"kubeconfig": self.kubeconfig})


def kubeconfig(cluster: str, endpoint: str) -> str:
    """A kubeconfig for a cluster's DNS endpoint, whose certificate is one that everybody trusts."""
    user = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": AUTH_PLUGIN,
        "installHint": "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
        "provideClusterInfo": True,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": {"server": f"https://{endpoint}"}}],
            "users": [{"name": cluster, "user": {"exec": user}}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
            "current-context": cluster,
        }
    )
