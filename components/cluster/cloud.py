"""Resources of a cloud, registered as a plan says.

What is made is decided in `stacks`, as data (`stacks.clouds.resource`). The SDKs are extras: one is imported when a
stack makes something
of its cloud, and only then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import pulumi


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
    """One resource of a plan (`stacks.clouds.resource.Resource`)."""

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


@dataclass(frozen=True)
class Sdk:
    """A cloud's SDK: the module, its package, our extra that installs it, and what of a stack file needs it."""

    module: str
    package: str
    extra: str
    needed_by: str

    def class_of(self, path: str) -> Any:
        """A class by its path.

        Raises:
            pulumi.RunError: the SDK is not installed.
        """
        package, _, name = f"{self.module}.{path}".rpartition(".")
        try:
            return getattr(import_module(package), name)
        except ModuleNotFoundError:
            missing = f"{self.needed_by} needs the package {self.package}, which is not installed"
            fix = f"run `make {self.extra}`, or `pip install -e '.[{self.extra}]'`"
            raise pulumi.RunError(f"{missing}; {fix}") from None


def make(
    sdk: Sdk, resources: Sequence[CloudResource], parent: pulumi.Resource, provider: pulumi.ProviderResource
) -> dict[str, pulumi.CustomResource]:
    """Registers the resources, which are in an order in which each comes after what it needs; they are told by logical name."""
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
    """The value with outputs in the place of references, however deep."""
    match value:
        case Reference():
            return getattr(made[value.resource], value.attribute)
        case Mapping():
            return {key: _wired(part, made) for key, part in value.items()}
        case list() | tuple():
            return [_wired(part, made) for part in value]
    return value
