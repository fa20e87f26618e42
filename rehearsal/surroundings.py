"""The objects that a stack expects in a cluster, created in the fleet's cluster before the stack.

The CRDs that the stack leaves to its cluster, and the Prometheus operator's in an existing cluster (`parts.monitors`); for a
gateway the objects of a cloud or an implementation: its CRDs, a controller, a class, and a Gateway that the stack does not own;
for node pools those of CoreWeave. `fleet` creates nodes that exist before the stack.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rehearsal import gateway
from rehearsal.clouds.registry import REHEARSALS, rehearsal_of
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet.crds import install, wait
from rehearsal.gateway import controller
from rehearsal.parts import cluster_crds, parts
from rehearsal.parts.parts import Part
from rehearsal.parts.standins.crds import GATEWAY, MONITORING
from rehearsal.report import Report
from releases.gateways import RECIPES, gateway_objects
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.kube.api import Api, Object
from stacks.serving.gateway import GatewayPlan

#: The GatewayClass that every rehearsal with a gateway has beside the stack's own.
CLASS = "rehearsal"
#: Label of objects that the stack does not own, so that the next rehearsal of the same name can remove them.
FLEETS = "llmd-pd.rehearsal/fleet"


def prepare(
    plane: ControlPlane, plan: ServingBlueprint, made: Blueprint, report: Report, fault: str | None = None
) -> tuple[Part, ...]:
    """Creates these objects unless they exist, and plays `fault`; returns their parts.

    `made` makes the nodes: the stack itself, or its platform stack.

    Raises:
        RehearsalError: the gateway controller does not answer.
        SourceError: a CRD file is not available, or does not have its checksum.
    """
    api = Api(str(plane.kubeconfig), plane.context)
    left = parts.left_to_the_cluster(plan, report)
    left += [crd for crd in plan.crds() if crd["metadata"]["name"] in made.cluster.brought_crds]
    monitors = cluster_crds.definitions(MONITORING, report) if parts.monitors(plan) else ()
    install(api, [*(crd.object for crd in monitors), *left])
    brought = [Part("CRDs of the cluster", True, f"{len(left)} that the stack leaves to it")] if left else []
    if plan.gateway is not None:
        with report.step("gateway controller"):
            brought += _gateway(plane, api, plan, plan.gateway, report)
    elif controller.PROCESS.ran(plane.workdir):
        # The stack had a gateway when it was last rehearsed here: the controller has to remove its finalizer.
        controller.restart(plane, [CLASS])
    cloud = rehearsal_of(made.cloud)
    brought += cloud.prepare(made.cluster, plane, api, report, fault)
    for other in REHEARSALS.values():
        if other is not cloud:
            other.clean(plane)
    return tuple(brought)


def played(plan: ServingBlueprint) -> Mapping[str, Any]:
    """Returns the keys of the stack file that differ on the fleet: a gateway implementation is not installed, but played."""
    installs = plan.gateway is not None and plan.gateway.implementation
    return {"router": {"gateway": {"install": False, "retain": True}}} if installs else {}


def _gateway(
    plane: ControlPlane, api: Api, plan: ServingBlueprint, wanted: GatewayPlan, report: Report
) -> Iterator[Part]:
    brought = cluster_crds.definitions(GATEWAY[wanted.stated.provider], report)
    install(api, [crd.object for crd in brought])
    controller.restart(plane, list(dict.fromkeys(filter(None, (CLASS, wanted.gateway_class)))))
    if wanted.objects:
        _remove_others(api)
    else:
        _foreign_gateway(api, plan, wanted)
    whose = f"{wanted.stated.provider}'s" if brought else "an implementation's of your own"
    yield Part(
        "gateway controller", False, f"in place of {whose}: it assigns addresses and judges routes, and serves nothing"
    )
    if wanted.implementation:
        releases = ", ".join(f"{release.name} {release.version}" for release in wanted.implementation)
        yield Part("gateway implementation", False, f"Helm releases {releases} are not installed")
    yield from parts.cluster_crd_parts(wanted.stated.provider, brought)


def _foreign_gateway(api: Api, plan: ServingBlueprint, wanted: GatewayPlan) -> None:
    """Creates the Gateway that the stack uses and does not own, with its namespace, and waits until it is programmed."""
    if wanted.namespace == plan.spec.namespace:
        return  # an existing namespace would be refused as not owned by the stack
    install(api, [crd for crd in plan.crds() if crd["spec"]["group"] == gateway.GROUP])
    api.create("/api/v1/namespaces", {"metadata": {"name": wanted.namespace, "labels": {FLEETS: "true"}}})
    collection = f"{gateway.API}/namespaces/{wanted.namespace}/gateways"
    (theirs,) = gateway_objects(RECIPES["base"], name=wanted.name, gateway_class=CLASS)
    theirs["metadata"]["labels"] = {FLEETS: "true"}
    api.create(collection, theirs)
    wait(
        lambda: _programmed(api.get(f"{collection}/{wanted.name}")),
        f"Gateway {wanted.namespace}/{wanted.name} is not programmed",
        f"the rehearsal's gateway controller does not answer, see {controller.PROCESS.name}.log in the rehearsal's directory",
    )


def _remove_others(api: Api) -> None:
    """Removes the Gateway of an earlier rehearsal of this stack, in which the stack did not own it."""
    for found in api.items(f"{gateway.API}/gateways?labelSelector={quote(f'{FLEETS}=true')}"):
        metadata = found["metadata"]
        api.delete(f"{gateway.API}/namespaces/{metadata['namespace']}/gateways/{metadata['name']}")


def _programmed(found: Object | None) -> bool:
    rows = ((found or {}).get("status") or {}).get("conditions") or []
    return any((row["type"], row["status"]) == ("Programmed", "True") for row in rows)
