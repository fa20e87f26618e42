"""The model servers of both roles, as rendered."""

from collections.abc import Collection, Sequence
from typing import TypedDict

import pulumi

from components.objects import Object, annotated, placed, register
from hardware.render.images import IMAGE_PULL_SECONDS
from hardware.render.kinds import KINDS, is_workload
from hardware.vocabulary import ROLE_LABEL


class ModelServerArgs(TypedDict):
    """Plain: the rendered `objects`, their `namespace`, whether to `wait` until they serve, the probes' budget in seconds, and
    the `autoscaled` roles, whose number of pods is set only at creation.

    Wired: the resources that they come `after`.
    """

    objects: Sequence[Object]
    wait: bool
    autoscaled: Collection[str]
    startup_seconds: int
    namespace: str
    after: Sequence[pulumi.Resource]


class ModelServer(pulumi.ComponentResource):
    """ServiceAccount, a workload per role (a Deployment in today's bills) and a ResourceClaimTemplate per role that claims
    devices.

    `deployments` are the names of the workloads, each known when it is Ready (or at once without `wait`).
    """

    deployments: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:ModelServer", name, None, opts)
        # The provider waits 10 minutes by default, less than the start-up budget of every accelerator. The probes count from
        # the start of the container.
        seconds = args["startup_seconds"] + IMAGE_PULL_SECONDS
        timeouts = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
        # Pods refer to these by name, so they are made first.
        after = [*args["after"]]
        child = pulumi.ResourceOptions(parent=self, depends_on=after)
        needed = [
            register(obj["metadata"]["name"], placed(obj, args["namespace"]), child)
            for obj in args["objects"]
            if not is_workload(obj)
        ]
        self.deployments = {}
        for obj in args["objects"]:
            if not is_workload(obj):
                continue
            role = obj["metadata"]["labels"][ROLE_LABEL]
            deployment = placed(obj if args["wait"] else annotated(obj, skipAwait="true"), args["namespace"])
            options = pulumi.ResourceOptions(
                parent=self,
                depends_on=[*after, *needed],
                custom_timeouts=timeouts,
                ignore_changes=[KINDS[obj["kind"]].scale] if role in args["autoscaled"] else None,
            )
            resource = register(f"{name}-{role}", deployment, options)
            self.deployments[role] = resource.metadata["name"]
        self.register_outputs({"deployments": self.deployments})
