"""The one place that composes components: what depends on what, and which optional ones exist."""

from pathlib import Path

import pulumi

from components.cluster.existing import ExistingCluster
from components.crds import Crds
from components.model_server import ModelServer
from components.monitoring import Monitoring
from components.namespace import ServingNamespace
from components.router import Router
from stacks.plan import Plan


def compose(plan: Plan, owner: str) -> None:
    """Registers everything a plan holds and exports what users and later tools need.  `owner` is the stack's full name.

    Order: CRDs are Established before anything that is made of them; the namespace exists before what lives in it.
    """
    spec = plan.spec
    kubeconfig = str(Path(spec.cluster.kubeconfig).expanduser()) if spec.cluster.kubeconfig else None
    cluster = ExistingCluster("cluster", {"kubeconfig": kubeconfig, "context": spec.cluster.context})
    owned = pulumi.ResourceOptions(providers=[cluster.cluster])
    upserting = pulumi.ResourceOptions(providers=[cluster.shared])

    crds: list[pulumi.Resource] = []
    if plan.crd_source is not None:
        crds = [*Crds("crds", {"objects": plan.crds()}, upserting).resources]
    namespace = ServingNamespace("namespace", {"object": plan.namespace(owner)}, upserting)
    model_server = ModelServer(
        spec.name,
        {
            "objects": plan.model_server,
            "wait": spec.serving.wait,
            "autoscaled": plan.autoscaled,
            "startup_seconds": plan.workload.hardware.accelerator.probes.budget_seconds,
            "namespace": spec.namespace,
            "after": [namespace.resource],
        },
        owned,
    )
    router = Router(
        f"{spec.name}-router",
        {
            "release": plan.router.name,
            "chart": plan.router.chart,
            "version": plan.router.version,
            "values": plan.router.values,
            "owner": owner,
            "wait": spec.router.wait,
            "namespace": spec.namespace,
            # The resources themselves: depending on a component that turned out empty is silently nothing.
            "after": [namespace.resource, *crds],
        },
        owned,
    )
    if plan.monitoring:
        Monitoring(
            "monitoring",
            {"objects": plan.monitoring, "namespace": spec.namespace, "after": [namespace.resource]},
            owned,
        )

    pulumi.export("namespace", spec.namespace)
    pulumi.export("endpoint", {"service": router.service, "port": 80, "address": router.address})
    pulumi.export("deployments", model_server.deployments)
    pulumi.export("selector", plan.selector)
    pulumi.export("versions", plan.versions)
