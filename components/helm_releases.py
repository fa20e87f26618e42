"""Helm releases beside the router's: what makes a cluster able to do something, installed as a plan says."""

import pulumi
import pulumi_kubernetes as k8s

from releases.charts import HelmRelease, in_repository


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
        values=release.values,
        description=owner,
        # As the router's: over a first install that failed, and over no other (stacks/kube/repair.py).
        replace=True,
        timeout=seconds,
        opts=opts,
    )
