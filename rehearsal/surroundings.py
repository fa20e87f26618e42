"""What the fleet's cluster has before a stack comes: what the stack expects a real one to have.

The CRDs that the stack leaves to its cluster, and the Prometheus operator's in a cluster that a team has (`parts.monitors`); for
a gateway what a cloud or an implementation brings: its own CRDs, a controller, a class, and a Gateway where somebody else owns
it; for node pools what CoreWeave brings. Nodes that are there before the stack are `fleet`'s.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rehearsal import faults, gateway
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.errors import RehearsalError
from rehearsal.fleet import node_pools as nodepools
from rehearsal.gateway import controller
from rehearsal.parts import cluster_crds, parts
from rehearsal.parts.parts import Part
from rehearsal.parts.standins.crds import GATEWAY, MONITORING, MULTI_NETWORKING, NODE_POOL
from rehearsal.report import Report
from releases.gateways import RECIPES, gateway_objects
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.kube.api import Api, Object
from stacks.serving.gateway import GatewayPlan

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: The class every rehearsal with a gateway has beside the stack's own.
CLASS = "rehearsal"
#: On what is somebody else's in a rehearsal, so that the next one of the same name can take it away.
FLEETS = "llmd-pd.rehearsal/fleet"
SECONDS = 30


def prepare(
    plane: ControlPlane, plan: ServingBlueprint, made: Blueprint, report: Report, fault: str | None = None
) -> tuple[Part, ...]:
    """Makes all of it; what is there already is left. Returns what was brought, official or played. `fault` goes wrong with it.

    `made` makes the nodes: the stack itself, or its platform stack.

    Raises:
        RehearsalError: the gateway controller does not answer.
        SourceError: a CRD file cannot be had, or is not what its checksum says.
    """
    api = Api(str(plane.kubeconfig), plane.context)
    left = parts.left_to_the_cluster(plan, report)
    own = made.gke if made.spec is plan.spec else None
    if own is not None:
        left += [crd for crd in plan.crds() if crd["metadata"]["name"] in own.brought_crds]
    monitors = cluster_crds.definitions(MONITORING, report) if parts.monitors(plan) else ()
    _install(api, [*(crd.object for crd in monitors), *left])
    brought = [Part("CRDs of the cluster", True, f"{len(left)} that the stack leaves to it")] if left else []
    if plan.gateway is not None:
        with report.step("gateway controller"):
            brought += _gateway(plane, api, plan, plan.gateway, report)
    elif controller.PROCESS.ran(plane.workdir):
        # The stack had a gateway when it was last rehearsed here: somebody has to let go of it.
        controller.restart(plane, [CLASS])
    if made.pools:
        with report.step("node pools' controller"):
            brought += _node_pools(plane, api, fault)
    elif nodepools.CONTROLLER.ran(plane.workdir):
        nodepools.restart(plane, None)  # as above
    if own is not None:
        # The pretend cloud installs them with the cluster, from what is kept by then.
        kinds = {obj["kind"] for obj in own.objects}
        wanted = [resource for resource in MULTI_NETWORKING if resource.kind in kinds]
        brought += parts.cluster_crd_parts("GKE's multi-networking", cluster_crds.definitions(wanted, report))
    return tuple(brought)


def played(plan: ServingBlueprint) -> Mapping[str, Any]:
    """The keys of the stack file that are others on the fleet: nothing installed would serve there what is played already."""
    installs = plan.gateway is not None and plan.gateway.implementation
    return {"router": {"gateway": {"install": False, "retain": True}}} if installs else {}


def _node_pools(plane: ControlPlane, api: Api, fault: str | None) -> Iterator[Part]:
    _install(api, [NODE_POOL.definition])
    faults.forbid(api, NODE_POOL.group, NODE_POOL.plural, forbidden=fault == faults.FORBIDDEN)
    nodepools.restart(plane, fault if fault in nodepools.FAULTS else None)
    yield Part(
        "NodePool controller",
        False,
        "in place of CoreWeave's: a pool's simulated nodes come in a second, and cost nothing",
    )
    yield Part("permissive CRD of CoreWeave", False, f"{NODE_POOL.kind}, of which none is published")


def _gateway(
    plane: ControlPlane, api: Api, plan: ServingBlueprint, wanted: GatewayPlan, report: Report
) -> Iterator[Part]:
    brought = cluster_crds.definitions(GATEWAY[wanted.stated.provider], report)
    _install(api, [crd.object for crd in brought])
    controller.restart(plane, list(dict.fromkeys(filter(None, (CLASS, wanted.gateway_class)))))
    if wanted.objects:
        _remove_others(api)
    else:
        _somebody_elses(api, plan, wanted)
    whose = f"{wanted.stated.provider}'s" if brought else "an implementation's of your own"
    yield Part(
        "gateway controller", False, f"in place of {whose}: it assigns addresses and judges routes, and serves nothing"
    )
    if wanted.implementation:
        releases = ", ".join(f"{release.name} {release.version}" for release in wanted.implementation)
        yield Part("gateway implementation", False, f"Helm releases {releases} are not installed")
    yield from parts.cluster_crd_parts(wanted.stated.provider, brought)


def _somebody_elses(api: Api, plan: ServingBlueprint, wanted: GatewayPlan) -> None:
    """The Gateway that the stack only uses, with its namespace, programmed."""
    if wanted.namespace == plan.spec.namespace:
        return  # nobody else's: a namespace that is there before the stack is refused, here as anywhere
    _install(api, [crd for crd in plan.crds() if crd["spec"]["group"] == gateway.GROUP])
    api.create("/api/v1/namespaces", {"metadata": {"name": wanted.namespace, "labels": {FLEETS: "true"}}})
    collection = f"{gateway.API}/namespaces/{wanted.namespace}/gateways"
    (theirs,) = gateway_objects(RECIPES["base"], name=wanted.name, gateway_class=CLASS)
    theirs["metadata"]["labels"] = {FLEETS: "true"}
    api.create(collection, theirs)
    _wait(
        lambda: _programmed(api.get(f"{collection}/{wanted.name}")),
        f"Gateway {wanted.namespace}/{wanted.name} is not programmed",
        f"the rehearsal's gateway controller does not answer, see {controller.PROCESS.name}.log in the rehearsal's directory",
    )


def _install(api: Api, crds: Sequence[Object]) -> None:
    """Makes CRDs and waits until their kinds can be used: a moment after it is there, a kind is answered with 404, then 429."""
    for crd in crds:
        api.create(CRDS, crd)
    for crd in crds:
        spec = crd["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        _wait(
            partial(_served, api, path),
            f"CRD {crd['metadata']['name']} is not served",
            "the API server does not say why",
        )


def _served(api: Api, path: str) -> bool:
    from kubernetes.client.exceptions import ApiException

    try:
        return api.get(path) is not None
    except ApiException as error:
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return False
        raise


def _wait(condition: Callable[[], bool], what: str, why: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RehearsalError(f"{what} after {SECONDS} s", why, "try again")
        time.sleep(0.05)


def _remove_others(api: Api) -> None:
    """The Gateway of an earlier rehearsal of this stack, in which it was somebody else's."""
    for found in api.items(f"{gateway.API}/gateways?labelSelector={quote(f'{FLEETS}=true')}"):
        metadata = found["metadata"]
        api.delete(f"{gateway.API}/namespaces/{metadata['namespace']}/gateways/{metadata['name']}")


def _programmed(found: Object | None) -> bool:
    rows = ((found or {}).get("status") or {}).get("conditions") or []
    return any((row["type"], row["status"]) == ("Programmed", "True") for row in rows)
