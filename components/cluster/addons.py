"""Add-ons of a new cluster, installed before anything runs on it: plain objects in waves, then Helm releases.

`stacks.clouds.gke.addons` chooses them. A destroy deletes them in reverse order: the DRA driver before the GPU driver, a network
before its parameters.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.helm_releases import install
from components.objects import Object, register
from releases.charts import HelmRelease

#: Seconds for a DaemonSet to be Ready on every node: small images, but their driver takes minutes to install.
READY_SECONDS = 20 * 60


class ClusterAddonsArgs(TypedDict):
    """Plain: the waves of objects, the releases, and their `owner`. Wired: the resources that they come `after`."""

    waves: Sequence[Sequence[Object]]
    releases: Sequence[HelmRelease]
    owner: str
    after: Sequence[pulumi.Resource]


class ClusterAddons(pulumi.ComponentResource):
    """Each wave after the previous one, each release after all waves. Model servers depend on `resources`."""

    resources: list[pulumi.Resource]

    def __init__(self, name: str, args: ClusterAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:ClusterAddons", name, None, opts)
        self.resources = []
        for wave in args["waves"]:
            after = pulumi.ResourceOptions(parent=self, depends_on=[*args["after"], *self.resources])
            self.resources += [
                register(f"{name}-{obj['kind']}-{obj['metadata']['name']}".lower(), obj, after) for obj in wave
            ]
        for release in args["releases"]:
            after = pulumi.ResourceOptions(parent=self, depends_on=[*args["after"], *self.resources])
            self.resources.append(install(name, release, args["owner"], READY_SECONDS, after))
        self.register_outputs({})
