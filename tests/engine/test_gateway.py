"""Mode gateway from nothing and back, by the real engine: programmed before the router, released after its routes, and never
deleted under routes of another owner. The rehearsal's controller programs it, by the specification."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet.crds import CRDS
from rehearsal.gateway import API, FINALIZER, controller
from rehearsal.parts import cluster_crds
from rehearsal.parts.standins.crds import GATEWAY
from rehearsal.parts.toolchain import Toolchain
from rehearsal.report import PlainReport
from releases.gateways import GATEWAY as NAME
from stacks.kube.api import Api
from tests.engine.departures import Departures
from tests.engine.harness import Stack, control_plane
from tests.engine.inventory import steady

SMALL = {"accelerator": "nvidia", "prefill": {"replicas": 1, "devices": 1}, "decode": {"replicas": 1, "devices": 4}}
CLASSES = ["rehearsal", "istio", "gke-l7-regional-external-managed"]
POLICIES = {"gcpbackendpolicies": "GCPBackendPolicy", "healthcheckpolicies": "HealthCheckPolicy"}


@pytest.fixture(scope="module")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with a gateway controller, and with the CRDs that GKE and Istio bring."""
    with control_plane("gateways", tmp_path_factory.mktemp("gateways"), toolchain) as started:
        api = Api(str(started.kubeconfig), started.context)
        for crd in cluster_crds.definitions([*GATEWAY["gke"], *GATEWAY["istio"]], PlainReport()):
            api.create(CRDS, crd.object)
        controller.restart(started, CLASSES)
        yield started


def gateway(provider: str, **more: Any) -> dict[str, Any]:
    return {"mode": "gateway", "gateway": {"provider": provider, **more}}


def outputs(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack.run("stack", "output", "--json").text)
    return found


def routes(stack: Stack) -> list[str]:
    return [
        found["metadata"]["name"]
        for found in stack.api.items(f"{API}/namespaces/{stack.config['namespace']}/httproutes")
    ]


def live_gateway(stack: Stack) -> dict[str, Any] | None:
    return stack.api.get(f"{API}/namespaces/{stack.config['namespace']}/gateways/{NAME}")


def test_on_gke_from_nothing_and_back(stack: Callable[..., Stack]) -> None:
    """Policies, the limit for responses, the address, and the order of a destroy."""
    guide = stack("on-gke", serving=SMALL, router=gateway("gke", backendTimeout=3600), monitoring={"router": False},
                  crds={"gatewayApi": True})  # fmt: skip
    guide.nodes()
    nothing = steady(guide.api)
    assert guide.up().code == 0
    assert guide.preview("--expect-no-changes").code == 0

    place = guide.config["namespace"]
    programmed = live_gateway(guide)
    assert programmed is not None
    (address,) = programmed["status"]["addresses"]
    assert address["type"] == "IPAddress"
    assert outputs(guide)["endpoint"] == {
        "address": address["value"], "gateway": f"{place}/{NAME}", "port": 80, "url": f"http://{address['value']}/",
    }  # fmt: skip
    policies = {plural: f"/apis/networking.gke.io/v1/namespaces/{place}/{plural}/on-gke" for plural in POLICIES}
    backend = guide.api.get(policies["gcpbackendpolicies"])
    assert backend is not None
    assert backend["spec"]["default"]["timeoutSec"] == 3600
    check = {
        "type": "HTTP",
        "httpHealthCheck": {"portSpecification": "USE_FIXED_PORT", "port": 8000, "requestPath": "/health"},
    }
    settings = {"timeoutSec": 2, "checkIntervalSec": 2, "config": check}
    assert (guide.api.get(policies["healthcheckpolicies"]) or {})["spec"]["default"] == settings
    pools = guide.api.items(f"/apis/inference.networking.k8s.io/v1/namespaces/{place}/inferencepools")
    assert [pool["spec"]["appProtocol"] for pool in pools] == ["http"]
    # An upgrade of the release brings neither the chart's own limit back, nor a policy without a check.
    guide.config["router"] = {**gateway("gke", backendTimeout=3600), "flags": {"v": 3}}
    assert guide.up().code == 0
    assert (guide.api.get(policies["gcpbackendpolicies"]) or {})["spec"]["default"]["timeoutSec"] == 3600
    assert (guide.api.get(policies["healthcheckpolicies"]) or {})["spec"]["default"] == settings

    paths = {"HTTPRoute": f"{API}/namespaces/{place}/httproutes/on-gke", **policies}
    gateway_path = f"{API}/namespaces/{place}/gateways/{NAME}"
    with Departures(guide.api, {**paths, "Gateway": gateway_path}, {"Gateway": [*paths]}) as seen:
        assert guide.destroy().code == 0
    assert FINALIZER in seen.held_by["Gateway"], "the address was not waited for"
    assert seen.gone == {*paths, "Gateway"}
    assert seen.outlived == set(), "a route or policy outlived its Gateway"
    left = set(steady(guide.api)) - set(nothing)
    # Classes are the controller's, which makes them once their CRD is there.
    theirs = ("customresourcedefinitions.apiextensions.k8s.io ", "gatewayclasses.gateway.networking.k8s.io ")
    assert [key for key in left if not key.startswith(theirs)] == []


#: The name of a guest's route by release.
MAKES = {"guide-2026-05": "{name}-shared", "guide-2026-06": "{name}"}


def test_two_stacks_share_a_gateway(stack: Callable[..., Stack]) -> None:
    """Neither loses anything when the other goes; and the owner goes last, unless it is told otherwise."""
    may, june = MAKES
    router = gateway("na", className="rehearsal", baseModel="owner")
    owner = stack("owner", serving=SMALL, router=router, release=june)
    shared = gateway("na", manage=False, namespace=owner.config["namespace"], baseModel="guest")
    guest = stack("guest", serving=SMALL, router=shared, release=june, cluster={"nodes": 2})
    guest.nodes()

    early = guest.preview()
    assert early.code != 0
    assert "with `manage: false` it has to be there" in early.text
    assert owner.up().code == 0
    alone = steady(owner.api)

    # On each release another maker has the guest's route, and one `up` hands it over: May's is the stack's own.
    for release in (june, may, june):
        guest.config["release"] = release
        assert guest.up().code == 0
        assert routes(guest) == [MAKES[release].format(name="guest")]
        assert guest.preview("--expect-no-changes").code == 0
    assert outputs(guest)["endpoint"] == outputs(owner)["endpoint"]
    programmed = live_gateway(owner)
    assert programmed is not None
    assert programmed["status"]["listeners"][0]["attachedRoutes"] == 2

    # The owner refuses, before anything of it is gone.
    together = steady(owner.api)
    refused = owner.destroy()
    assert refused.code != 0
    assert f"routes of others hang on it: {guest.config['namespace']}/{routes(guest)[0]}" in refused.text
    assert "deleteInUse" in refused.text
    assert steady(owner.api) == together
    assert owner.preview("--expect-no-changes").code == 0

    # The guest goes, and the owner's route and Gateway never notice.
    assert guest.destroy().code == 0
    assert routes(owner) == [owner.config["name"]]
    after = steady(owner.api)
    assert {key: after.get(key) for key in alone} == alone

    # With permission, the owner is deleted under a route of another owner.
    guest.config["release"] = may
    assert guest.up().code == 0
    assert guest.preview("--expect-no-changes").code == 0
    owner.config["router"] = gateway("na", className="rehearsal", baseModel="owner", deleteInUse=True)
    assert owner.up().code == 0
    assert owner.destroy().code == 0
    assert live_gateway(owner) is None
    assert routes(guest) == [MAKES[may].format(name="guest")]

    # The guest makes a Gateway of its own, whose route is the chart's in every release.
    guest.config["router"] = gateway("na", className="rehearsal")
    assert guest.up().code == 0
    assert routes(guest) == [guest.config["name"]]
    assert guest.destroy().code == 0


def test_a_second_route_for_the_same_requests_is_refused(stack: Callable[..., Stack]) -> None:
    owner = stack("first-route", serving=SMALL, router=gateway("istio"))
    owner.nodes()
    assert owner.up().code == 0
    assert outputs(owner)["endpoint"]["address"] == f"{NAME}-istio.{owner.config['namespace']}.svc.cluster.local"
    rival = stack(
        "second-route", serving=SMALL, router=gateway("istio", manage=False, namespace=owner.config["namespace"])
    )
    said = rival.preview()
    assert said.code != 0
    assert f"HTTPRoute {owner.config['namespace']}/{owner.config['name']} takes every request" in said.text
    assert owner.destroy().code == 0


def test_a_class_that_is_not_there_is_told_before(stack: Callable[..., Stack]) -> None:
    nowhere = stack("no-class", serving=SMALL, router=gateway("na", className="nginx"))
    said = nowhere.preview()
    assert said.code != 0
    assert "GatewayClass nginx is not in the cluster" in said.text
    assert "rehearsal" in said.text
