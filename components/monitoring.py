"""Prometheus monitors of the model servers. Leaves out the operator and its CRDs, which the cluster has."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, placed, register


class MonitoringArgs(TypedDict):
    """Plain: the PodMonitors and their `namespace`. Wired: the resources that they come `after`."""

    objects: Sequence[Object]
    namespace: str
    after: Sequence[pulumi.Resource]


class Monitoring(pulumi.ComponentResource):
    """A PodMonitor per role."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Monitoring", name, None, opts)
        for obj in args["objects"]:
            logical = f"{name}-{obj['metadata']['name']}"
            child = pulumi.ResourceOptions(parent=self, depends_on=[*args["after"]])
            register(logical, placed(obj, args["namespace"]), child)
        self.register_outputs({})
