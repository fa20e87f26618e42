"""The router, endpoint picker and proxy: a real Helm release, so that `helm list`, rollback and hooks work."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
import pulumi_kubernetes as k8s

from components.objects import Kind, KubernetesRead, Place
from releases.charts import in_repository

#: Seconds for a router to become Ready: two images under 300 MB, no model.
READY_SECONDS = 10 * 60
SERVICE = Kind("v1", "Service")


class RouterArgs(TypedDict):
    """Plain: release name, `namespace`, chart (reference, directory or `.tgz`), its version, values, `owner`, whether to wait,
    and the label key by which the chart's Deployment selects the endpoint picker.

    Wired: the resources that it comes `after`.
    """

    release: str
    chart: str
    version: str | None
    values: Mapping[str, Any]
    owner: str
    selector: str
    wait: bool
    namespace: str
    after: Sequence[pulumi.Resource]


class Router(pulumi.ComponentResource):
    """The release. `service` is the name of the Service for clients, `address` its cluster IP after it exists."""

    service: str
    address: pulumi.Output[str | None]

    def __init__(self, name: str, args: RouterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("llmd-pd:index:Router", name, None, opts)
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=[*args["after"]],
            # Helm upgrades a release to any chart, and fails half-way if a Deployment would select its pods by another label.
            replacement_trigger=args["selector"],
            # Helm installs no second release with the same name.
            delete_before_replace=True,
        )
        chart, repository = in_repository(args["chart"])
        release = k8s.helm.v3.Release(
            name,
            name=args["release"],
            namespace=args["namespace"],
            chart=chart,
            repository_opts={"repo": repository} if repository else None,
            version=args["version"],
            values=dict(args["values"]),
            # By this the next run recognises its own release.
            description=args["owner"],
            skip_crds=True,
            # Installs over a failed release of that name, and over no other: one that was interrupted before it was in the
            # state (stacks/kube/repair.py).
            replace=True,
            skip_await=not args["wait"],
            timeout=READY_SECONDS,
            opts=child,
        )
        # Through the release's status, so that the Service is looked up when it exists.
        place = Place(namespace=release.status.namespace, name=pulumi.Output.concat(release.status.name, "-epp"))
        service = KubernetesRead(f"{name}-service", SERVICE, place, self.get_provider(SERVICE.token))
        self.service = f"{args['release']}-epp"
        self.address = service.spec.apply(lambda spec: (spec or {}).get("clusterIP"))
        self.register_outputs({"service": self.service, "address": self.address})
