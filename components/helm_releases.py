"""Helm releases beside the router's: what makes a cluster able to do something, installed as a plan says."""

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi
import pulumi_kubernetes as k8s

from releases.charts import in_repository


class HelmRelease(Protocol):
    """One Helm release of a plan (`stacks.serving.router.HelmRelease`)."""

    @property
    def name(self) -> str:
        """What Helm calls it, and the end of its logical name."""
        ...

    @property
    def namespace(self) -> str:
        """Where it is installed; made if it is not there."""
        ...

    @property
    def chart(self) -> str:
        """A reference or a path."""
        ...

    @property
    def version(self) -> str | None:
        """The chart's; None takes what the path holds."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """What the chart is told."""
        ...


def install(
    prefix: str, release: HelmRelease, owner: str, seconds: int, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """Registers a release of `owner`'s, Ready within `seconds`; its logical name begins with `prefix`."""
    chart, repository = in_repository(release.chart)
    return k8s.helm.v3.Release(
        f"{prefix}-{release.name}",
        name=release.name,
        namespace=release.namespace,
        create_namespace=True,
        chart=chart,
        repository_opts={"repo": repository} if repository else None,
        version=release.version,
        values=dict(release.values),
        description=owner,
        # As the router's: over a first install that failed, and over no other (stacks/kube/repair.py).
        replace=True,
        timeout=seconds,
        opts=opts,
    )
