"""Helm releases other than the router's: add-ons of a cluster and gateway implementations."""

import pulumi
import pulumi_kubernetes as k8s

from releases.charts import HelmRelease, in_repository


def install(
    prefix: str, release: HelmRelease, owner: str, seconds: int, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """Registers a Helm release that has to be Ready within `seconds`; its logical name begins with `prefix`."""
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
        # Like the router's: installs over a failed first install, and over no other (stacks/kube/repair.py).
        replace=True,
        timeout=seconds,
        opts=opts,
    )
