"""A GKE cluster with everything under it, registered as a plan says; and the kubeconfig that leads to it.

What is made is decided in `stacks.gke`. The SDK is an extra: it is imported when a stack makes a cluster, and only then. The
kubeconfig holds no credential: whoever uses it is asked for by Google's plugin.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, TypedDict, runtime_checkable

import pulumi

from releases.gke import AUTH_PLUGIN, SDK


@runtime_checkable
class Reference(Protocol):
    """An attribute of another resource."""

    @property
    def resource(self) -> str:
        """Its logical name."""
        ...

    @property
    def attribute(self) -> str:
        """The attribute's name in the SDK."""
        ...


class Patience(Protocol):
    """Timeouts, as the engine spells them; None is the provider's own."""

    @property
    def create(self) -> str | None:
        """Until it is there."""
        ...

    @property
    def update(self) -> str | None:
        """Until it is changed."""
        ...

    @property
    def delete(self) -> str | None:
        """Until it is gone."""
        ...


class CloudResource(Protocol):
    """One resource of a plan (`stacks.cloud.Resource`)."""

    @property
    def name(self) -> str:
        """Its logical name."""
        ...

    @property
    def type(self) -> str:
        """The path of its class in the SDK."""
        ...

    @property
    def args(self) -> Mapping[str, Any]:
        """Plain values and references, with the SDK's names."""
        ...

    @property
    def after(self) -> Sequence[str]:
        """The logical names of what is there before it, beside what its arguments refer to."""
        ...

    @property
    def protect(self) -> bool:
        """Whether the engine refuses to delete or replace it."""
        ...

    @property
    def ignore_changes(self) -> Sequence[str]:
        """Arguments that somebody else changes."""
        ...

    @property
    def timeouts(self) -> Patience:
        """How long to wait."""
        ...

    @property
    def delete_before_replace(self) -> bool:
        """Whether the old one goes before the new one comes."""
        ...


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
        provider = _class("Provider")(f"{name}-google", project=args["project"], opts=child)
        self.resources = {}
        for resource in args["resources"]:
            options = pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                depends_on=[self.resources[before] for before in resource.after],
                protect=resource.protect,
                ignore_changes=[*resource.ignore_changes],
                delete_before_replace=resource.delete_before_replace,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=resource.timeouts.create,
                    update=resource.timeouts.update,
                    delete=resource.timeouts.delete,
                ),
            )
            wired = {key: _wired(value, self.resources) for key, value in resource.args.items()}
            self.resources[resource.name] = _class(resource.type)(resource.name, **wired, opts=options)
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


def _wired(value: Any, made: Mapping[str, pulumi.CustomResource]) -> Any:
    """The value with outputs in the place of references, however deep."""
    match value:
        case Reference():
            return getattr(made[value.resource], value.attribute)
        case Mapping():
            return {key: _wired(part, made) for key, part in value.items()}
        case list() | tuple():
            return [_wired(part, made) for part in value]
    return value


def _class(path: str) -> Any:
    """A class of the SDK by its path."""
    package, _, name = f"{SDK}.{path}".rpartition(".")
    try:
        return getattr(import_module(package), name)
    except ModuleNotFoundError:
        needed = "`provider: gke` needs the package pulumi-gcp, which is not installed"
        raise pulumi.RunError(f"{needed}; run `make gke`, or `pip install -e '.[gke]'`") from None
