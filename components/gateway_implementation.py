"""The implementation of Gateways (Istio, agentgateway), installed on request: Helm releases in their own namespace."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.helm_releases import install
from releases.charts import HelmRelease

#: Seconds for a gateway's control plane to become Ready: one image under 500 MB.
READY_SECONDS = 10 * 60


class GatewayImplementationArgs(TypedDict):
    """Plain: the releases in order, their `owner`, whether a destroy retains them. Wired: the resources they come `after`."""

    releases: Sequence[HelmRelease]
    owner: str
    retain: bool
    after: Sequence[pulumi.Resource]


class GatewayImplementation(pulumi.ComponentResource):
    """The releases, one after the other. A Gateway depends on `resources`."""

    resources: list[pulumi.Resource]

    def __init__(self, name: str, args: GatewayImplementationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:GatewayImplementation", name, None, opts)
        self.resources = []
        for release in args["releases"]:
            options = pulumi.ResourceOptions(
                parent=self, depends_on=[*args["after"], *self.resources], retain_on_delete=args["retain"]
            )
            self.resources.append(install(name, release, args["owner"], READY_SECONDS, options))
        self.register_outputs({})
