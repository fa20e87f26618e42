"""The resources of a cloud, the cluster among them, registered as planned.

`stacks.clouds` decides on them, as data. The SDKs are extras: one is imported only if a stack makes resources of its cloud.
Credentials come from the environment, as each cloud's provider reads them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypedDict, runtime_checkable

import pulumi


@runtime_checkable
class Reference(Protocol):
    """An attribute of another resource (`stacks.clouds.resource.Ref`)."""

    @property
    def resource(self) -> str:
        """Its logical name."""
        ...

    @property
    def attribute(self) -> str:
        """The attribute's name in the SDK."""
        ...


class Sdk(NamedTuple):
    """A cloud's SDK: the module, its package, the extra of this project that installs it, and the key of a stack file that
    needs it.
    """

    module: str
    package: str
    extra: str
    needed_by: str

    def class_of(self, path: str) -> Any:
        """Returns a class by its path.

        Raises:
            pulumi.RunError: the SDK is not installed.
        """
        package, _, name = f"{self.module}.{path}".rpartition(".")
        try:
            return getattr(import_module(package), name)
        except ModuleNotFoundError:
            missing = f"`{self.needed_by}` needs the package {self.package}, which is not installed"
            fix = f"run `make {self.extra}`, or `.venv/bin/pip install -e '.[{self.extra}]'`"
            raise pulumi.RunError(f"{missing}; {fix}") from None


class CloudClusterArgs(TypedDict):
    """Plain: the SDK and the arguments of its provider; the resources (`stacks.clouds.resource.Resource`), in an order in which
    each comes after what it needs; which of them is the cluster; the attribute with its endpoint, as steps; and what makes a
    kubeconfig of the cluster's name and its endpoint, None if the stack makes none.
    """

    sdk: Sdk
    provider: Mapping[str, Any]
    resources: Sequence[Any]
    cluster: str
    endpoint: Sequence[str]
    kubeconfig: Callable[[str, str], str] | None


class CloudCluster(pulumi.ComponentResource):
    """The resources by their logical names, the `cluster` among them, the `endpoint` of its API server, and a whole `kubeconfig`
    as text, or None.
    """

    resources: dict[str, pulumi.CustomResource]
    cluster: pulumi.CustomResource
    endpoint: pulumi.Output[str]
    kubeconfig: pulumi.Output[str] | None

    def __init__(self, name: str, args: CloudClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:CloudCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        provider = args["sdk"].class_of("Provider")(f"{name}-provider", **args["provider"], opts=child)
        self.resources = _register(args["sdk"], args["resources"], self, provider)
        self.cluster = self.resources[args["cluster"]]
        first, *steps = args["endpoint"]
        self.endpoint = getattr(self.cluster, first).apply(lambda found: reduce(getattr, steps, found))
        make, cluster = args["kubeconfig"], self.cluster
        self.kubeconfig = make and pulumi.Output.all(cluster.name, self.endpoint).apply(lambda found: make(*found))  # type: ignore[attr-defined]
        self.register_outputs({"endpoint": self.endpoint})


def _register(
    sdk: Sdk, resources: Sequence[Any], parent: pulumi.Resource, provider: pulumi.ProviderResource
) -> dict[str, pulumi.CustomResource]:
    made: dict[str, pulumi.CustomResource] = {}
    for resource in resources:
        options = pulumi.ResourceOptions(
            parent=parent,
            provider=provider,
            depends_on=[made[before] for before in resource.after],
            protect=resource.protect,
            ignore_changes=[*resource.ignore_changes],
            delete_before_replace=resource.delete_before_replace,
            custom_timeouts=pulumi.CustomTimeouts(
                create=resource.timeouts.create,
                update=resource.timeouts.update,
                delete=resource.timeouts.delete,
            ),
        )
        wired = {key: _wired(value, made) for key, value in resource.args.items()}
        made[resource.name] = sdk.class_of(resource.type)(resource.name, **wired, opts=options)
    return made


def _wired(value: Any, made: Mapping[str, pulumi.CustomResource]) -> Any:
    """Returns the value with outputs in place of references, at any depth."""
    match value:
        case Reference():
            return getattr(made[value.resource], value.attribute)
        case Mapping():
            return {key: _wired(part, made) for key, part in value.items()}
        case list() | tuple():
            return [_wired(part, made) for part in value]
    return value
