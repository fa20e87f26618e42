"""What a new cluster is given before anything runs on it: plain objects in waves, then Helm releases.

What that is, and why, is said in `stacks.gke_objects`. On the way down the last goes first: who hands out GPUs before the driver,
a network before its parameters.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from components.objects import Object, register
from releases.charts import in_repository

#: Seconds until a DaemonSet of small images is Ready on every node: their driver takes minutes to install.
READY_SECONDS = 20 * 60


class AddonRelease(TypedDict):
    """One Helm release: name, `namespace`, chart, version, values."""

    name: str
    namespace: str
    chart: str
    version: str | None
    values: Mapping[str, Any]


class ClusterAddonsArgs(TypedDict):
    """Plain: the waves of objects, the releases, and who owns them. Wired: what they come `after`."""

    waves: Sequence[Sequence[Object]]
    releases: Sequence[AddonRelease]
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
            chart, repository = in_repository(release["chart"])
            self.resources.append(
                k8s.helm.v3.Release(
                    f"{name}-{release['name']}",
                    name=release["name"],
                    namespace=release["namespace"],
                    create_namespace=True,
                    chart=chart,
                    repository_opts={"repo": repository} if repository else None,
                    version=release["version"],
                    values=dict(release["values"]),
                    description=args["owner"],
                    # As the router's: over a first install that failed, and over no other (stacks/unblock.py).
                    replace=True,
                    timeout=READY_SECONDS,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[*args["after"], *self.resources]),
                )
            )
        self.register_outputs({})
