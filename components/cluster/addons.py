"""What a new cluster is given before anything runs on it: plain objects in waves, then Helm releases.

What that is, and why, is said in `stacks.clouds.gke.addons`. On the way down the last goes first: who hands out GPUs
before the driver,
a network before its parameters.
"""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.helm_releases import install
from components.objects import Object, register
from releases.charts import HelmRelease

#: Seconds until a DaemonSet of small images is Ready on every node: their driver takes minutes to install.
READY_SECONDS = 20 * 60


class ClusterAddonsArgs(TypedDict):
    """Plain: the waves of objects, the releases, and who owns them. Wired: what they come `after`."""

    waves: Sequence[Sequence[Object]]
    releases: Sequence[HelmRelease]
    owner: str
    after: Sequence[pulumi.Resource]


class ClusterAddons(pulumi.ComponentResource):
    """Every wave after the one before it, every release after all of them; `resources` is what model servers depend on."""

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
