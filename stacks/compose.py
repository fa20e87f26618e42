"""Composes components: the dependencies between them, and which optional ones exist."""

from collections.abc import Collection, Mapping

import pulumi

from components.crds import Crds
from components.credentials import Credentials, CredentialsArgs
from components.gateway import (
    BackendTimeout,
    BackendTimeoutArgs,
    Gateway,
    HealthCheck,
    HealthCheckArgs,
    PolicyArgs,
    Route,
    SharedGateway,
    SharedGatewayArgs,
)
from components.gateway_guard import GatewayGuard
from components.gateway_implementation import GatewayImplementation, GatewayImplementationArgs
from components.model_server import ModelServer
from components.monitoring import Monitoring, MonitoringArgs
from components.namespace import ServingNamespace
from components.router import Router, RouterArgs
from releases.gateway_entry import url
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.compose_cluster import compose_platform, pool_guard, register_cluster
from stacks.rules.previous import OUTPUT as POD_TEMPLATES
from stacks.rules.previous import pod_templates
from stacks.serving.gateway import GatewayPlan


def compose(
    blueprint: Blueprint,
    owner: str,
    *,
    preinstalled: Collection[str] = (),
    established: Collection[str] = (),
    hf_token: pulumi.Input[str] | None = None,
) -> None:
    """Registers everything in a blueprint and exports what users and later tools need.

    `owner` is the stack's full name. `preinstalled` names CRDs that the cluster brings and keeps itself, `established` existing
    CRDs that need no wait. `hf_token` is the secret from which the model servers' Secret is made.

    Order: nodes exist before the pods that need them; CRDs are Established before objects of their kinds; the namespace exists
    before its contents; a Gateway is programmed before the router whose route refers to it. Deletion has the reverse order.
    """
    if (plan := blueprint.serving) is None:
        compose_platform(blueprint, owner)
        return
    spec = plan.spec
    base = register_cluster(blueprint, owner)
    cluster = base.cluster
    owned = pulumi.ResourceOptions(providers=[cluster.cluster])
    upserting = pulumi.ResourceOptions(providers=[cluster.shared])

    crds: list[pulumi.Resource] = []
    if plan.crd_source is not None:
        ours = [crd for crd in plan.crds() if crd["metadata"]["name"] not in preinstalled]
        crds = [*Crds("crds", {"objects": ours, "established": established}, upserting).resources]
    # Its deletion ends when everything in it is deleted, with volumes and load balancers. That may need nodes and a network.
    namespace = ServingNamespace("namespace", {"object": plan.namespace(owner), "after": base.first}, upserting)
    needed: list[pulumi.Resource] = [namespace.resource, *base.nodes]
    if plan.made_secret is not None and hf_token is not None:
        secret = CredentialsArgs(
            name=plan.made_secret.name,
            key=plan.made_secret.key,
            namespace=spec.namespace,
            token=hf_token,
            after=[namespace.resource],
        )
        needed.append(Credentials(f"{spec.name}-credentials", secret, owned).resource)
    model_server = ModelServer(
        spec.name,
        {
            "objects": plan.model_server,
            "wait": spec.served.wait,
            "autoscaled": plan.autoscaled,
            "startup_seconds": plan.workload.hardware.accelerator.probes.budget_seconds,
            "namespace": spec.namespace,
            "after": needed,
        },
        owned,
    )
    # The resources themselves: a dependency on a component without resources has no effect, and no error says so.
    after: list[pulumi.Resource] = [namespace.resource, *crds, *base.first]
    made: list[pulumi.Resource] = [model_server]
    endpoint: Mapping[str, pulumi.Input[object]] | None = None
    if plan.gateway is not None:
        gateway = _gateway(plan.gateway, owner, after, owned)
        endpoint = _endpoint(plan.gateway, gateway)
        if isinstance(gateway, Gateway):
            after.append(gateway.resource)
            made.append(gateway)
    router = Router(f"{spec.name}-router", _router(plan, owner, after), owned)
    made.append(router)
    if plan.gateway is not None:
        made += _beside(plan, plan.gateway, [*after, router], owned)
    if plan.monitoring:
        args = MonitoringArgs(objects=plan.monitoring, namespace=spec.namespace, after=[namespace.resource])
        made.append(Monitoring("monitoring", args, owned))
    if plan.gateway is not None and plan.gateway.objects:
        GatewayGuard(
            f"{spec.name}-guard", _guard(plan, plan.gateway, base.kubeconfig), pulumi.ResourceOptions(depends_on=made)
        )
    if blueprint.cluster.pools and blueprint.cluster.cluster_name is None:
        pool_guard(blueprint, owner, base.kubeconfig, [*base.nodes, *made])

    pulumi.export("namespace", spec.namespace)
    pulumi.export("endpoint", endpoint or {"service": router.service, "port": 80, "address": router.address})
    pulumi.export("deployments", model_server.deployments)
    pulumi.export("selector", plan.selector)
    pulumi.export("versions", plan.versions)
    pulumi.export(POD_TEMPLATES, pod_templates(plan.model_server))


def _endpoint(plan: GatewayPlan, gateway: Gateway | SharedGateway) -> Mapping[str, pulumi.Input[object]]:
    """Returns the endpoint at which clients reach the stack through its Gateway."""
    return {
        "gateway": f"{plan.namespace}/{plan.name}",
        "port": gateway.entry.apply(lambda found: found and found["port"]),
        "address": gateway.address,
        "url": pulumi.Output.all(gateway.entry, gateway.address).apply(lambda found: url(*found)),
    }


def _gateway(
    gateway: GatewayPlan, owner: str, after: list[pulumi.Resource], opts: pulumi.ResourceOptions
) -> Gateway | SharedGateway:
    """Registers the stack's own Gateway with its implementation, or reads the Gateway of another owner."""
    name, namespace = gateway.name, gateway.namespace
    if gateway.implementation:
        args = GatewayImplementationArgs(
            releases=gateway.implementation,
            owner=owner,
            retain=gateway.stated.retain,
            after=after,
        )
        after = [*after, *GatewayImplementation("gateway-implementation", args, opts).resources]
    if not gateway.objects:
        shared = SharedGatewayArgs(name=name, namespace=namespace, elsewhere=gateway.elsewhere)
        return SharedGateway(name, shared, opts)
    return Gateway(name, {"objects": gateway.objects, "namespace": namespace, "after": after}, opts)


def _router(plan: ServingBlueprint, owner: str, after: list[pulumi.Resource]) -> RouterArgs:
    release = plan.router
    return RouterArgs(
        release=release.name,
        chart=release.chart,
        version=release.version,
        values=release.values,
        owner=owner,
        selector=plan.bill.router.epp_selector,
        wait=plan.spec.router.wait,
        namespace=release.namespace,
        after=after,
    )


def _beside(
    plan: ServingBlueprint, gateway: GatewayPlan, after: list[pulumi.Resource], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Registers the objects that the router's chart cannot make, and patches of those that it makes differently."""
    spec = plan.spec
    made: list[pulumi.Resource] = [
        Route(f"{spec.name}-route", {"object": route, "namespace": spec.namespace, "after": after}, opts)
        for route in gateway.routes
    ]
    policy = PolicyArgs(policy=spec.name, namespace=spec.namespace, selector=plan.bill.router.epp_selector, after=after)
    if gateway.backend_timeout is not None:
        timeout = BackendTimeoutArgs(**policy, seconds=gateway.backend_timeout)
        made.append(BackendTimeout(f"{spec.name}-backend-timeout", timeout, opts))
    if gateway.health_check is not None:
        check = HealthCheckArgs(**policy, config=gateway.health_check)
        made.append(HealthCheck(f"{spec.name}-health-check", check, opts))
    return made


def _guard(plan: ServingBlueprint, gateway: GatewayPlan, kubeconfig: pulumi.Input[str] | None) -> dict[str, object]:
    spec = plan.spec
    return {
        "kubeconfig": kubeconfig,
        "context": spec.cluster.context,
        "gateway": gateway.name,
        "gatewayNamespace": gateway.namespace,
        "namespace": spec.namespace,
        "routes": [*gateway.route_names],
        "deleteInUse": gateway.stated.delete_in_use,
    }
