"""What makes Gateways of a class work (Istio, agentgateway), on request: Helm releases in a namespace of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from releases.charts import in_repository

#: Seconds a control plane of a gateway may take to become Ready: one image under 500 MB.
READY_SECONDS = 10 * 60


class ImplementationRelease(TypedDict):
    """One Helm release: name, `namespace`, chart, version, values."""

    name: str
    namespace: str
    chart: str
    version: str | None
    values: Mapping[str, Any]


class GatewayImplementationArgs(TypedDict):
    """Plain: the releases in order, who owns them, and whether they stay on destroy. Wired: what they come `after`."""

    releases: Sequence[ImplementationRelease]
    owner: str
    retain: bool
    after: Sequence[pulumi.Resource]


class GatewayImplementation(pulumi.ComponentResource):
    """The releases, one after the other; `resources` is what a Gateway depends on."""

    resources: list[pulumi.Resource]

    def __init__(self, name: str, args: GatewayImplementationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:GatewayImplementation", name, None, opts)
        self.resources = []
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
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        depends_on=[*args["after"], *self.resources],
                        retain_on_delete=args["retain"],
                    ),
                )
            )
        self.register_outputs({})
