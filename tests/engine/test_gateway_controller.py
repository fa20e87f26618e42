"""The gateway controller of a rehearsal as a process, against a real API server and the official CRDs."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.control_plane import kwokctl
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.resident import CHECKOUT
from rehearsal.fleet.crds import CRDS
from rehearsal.gateway import API, CONTROLLER, FINALIZER, controller
from rehearsal.gateway.addresses import RELEASE_SECONDS
from rehearsal.parts.toolchain import Toolchain
from rehearsal.report import PlainReport
from releases import release
from releases.files import Pinned, crd_objects
from releases.gateway_api import CRDS as GATEWAY_API
from stacks.kube.api import Api
from tests.engine import waiting

POOLS = "/apis/inference.networking.k8s.io/v1"
LISTENER = {"name": "default", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}


@pytest.fixture(scope="module")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of this module's own: the controller starts before its CRDs are installed."""
    started = ControlPlane.start("gateway", tmp_path_factory.mktemp("gateway"), toolchain, PlainReport())
    try:
        controller.restart(started, ["made-by-controller"])
        log = kwokctl.log_file(started.workdir, controller.PROCESS.name)
        until(lambda: "serving" in log.read_text())
        api = Api(str(started.kubeconfig), started.context)
        for crd in crd_objects((*release("guide-2026-05").crds, *GATEWAY_API), Pinned()):
            api.create(CRDS, crd)
        until(
            lambda: condition(api.get(f"{API}/gatewayclasses/made-by-controller"), "Accepted") == ("True", "Accepted")
        )
        yield started
    finally:
        started.stop()


@pytest.fixture
def api(plane: ControlPlane) -> Api:
    return Api(str(plane.kubeconfig), plane.context)


@pytest.fixture
def place(api: Api, request: pytest.FixtureRequest) -> "Place":
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return Place(api, name)


class Place:
    """A namespace, and the objects a test creates in it."""

    def __init__(self, api: Api, namespace: str):
        self.api = api
        self.namespace = namespace
        self.gateways = f"{API}/namespaces/{namespace}/gateways"
        self.routes = f"{API}/namespaces/{namespace}/httproutes"
        self.pools = f"{POOLS}/namespaces/{namespace}/inferencepools"

    def gateway(self, name: str, /, *listeners: Any, labels: Any = None, **spec: Any) -> None:
        content = {"gatewayClassName": "made-by-controller", "listeners": [*listeners] or [LISTENER], **spec}
        metadata = {"name": name, "labels": labels or {}}
        self.create(self.gateways, {"kind": "Gateway", "metadata": metadata, "spec": content})

    def route(self, name: str, backend: Any, /, **parent: Any) -> None:
        spec = {"parentRefs": [parent], "rules": [{"backendRefs": [backend]}]}
        self.create(self.routes, {"kind": "HTTPRoute", "metadata": {"name": name}, "spec": spec})

    def create(self, collection: str, obj: Any) -> None:
        assert self.api.create(collection, {"apiVersion": "gateway.networking.k8s.io/v1", **obj})

    def service(self, name: str) -> dict[str, Any]:
        self.api.create(f"/api/v1/namespaces/{self.namespace}/services",
                        {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})  # fmt: skip
        return {"kind": "Service", "name": name, "port": 80}

    def get(self, name: str) -> Any:
        return self.api.get(f"{self.gateways}/{name}")

    def conditions(self, route: str) -> list[Any]:
        """Returns the conditions this controller has set on a route: by type, for each parent."""
        status = (self.api.get(f"{self.routes}/{route}") or {}).get("status") or {}
        return [
            {row["type"]: (row["status"], row["reason"], row["message"]) for row in parent["conditions"]}
            for parent in status.get("parents") or []
            if parent["controllerName"] == CONTROLLER
        ]


def until(check: Callable[[], Any], what: str = "") -> None:
    waiting.until(check, what, pause=0.03)


def condition(obj: Any, kind: str) -> tuple[str, str]:
    rows = ((obj or {}).get("status") or {}).get("conditions") or []
    return next(((row["status"], row["reason"]) for row in rows if row["type"] == kind), ("", ""))


def programmed(place: Place, name: str) -> bool:
    return condition(place.get(name), "Programmed") == ("True", "Programmed")


def counts(place: Place) -> list[int]:
    """The routes on each listener of Gateway `gw`."""
    return [row["attachedRoutes"] for row in place.get("gw")["status"].get("listeners", [])]


def reasons(place: Place, route: str) -> list[tuple[str, str]]:
    return [(row["Accepted"][1], row["ResolvedRefs"][1]) for row in place.conditions(route)]


def test_gateway_is_programmed_and_its_address_released(place: Place, plane: ControlPlane) -> None:
    place.gateway("one")
    place.gateway("two")
    until(lambda: programmed(place, "one") and programmed(place, "two"))
    one, two = place.get("one"), place.get("two")
    addresses = [gateway["status"]["addresses"][0] for gateway in (one, two)]
    assert all(row["type"] == "IPAddress" and row["value"].startswith("192.0.2.") for row in addresses)
    assert addresses[0] != addresses[1]
    assert FINALIZER in one["metadata"]["finalizers"]
    assert {row["observedGeneration"] for row in one["status"]["conditions"]} == {one["metadata"]["generation"]}
    listener = one["status"]["listeners"][0]
    assert listener["supportedKinds"] == [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}]
    assert {row["type"]: row["status"] for row in listener["conditions"]} == {
        "Accepted": "True", "Conflicted": "False", "Programmed": "True", "ResolvedRefs": "True"
    }  # fmt: skip

    began = time.monotonic()
    place.api.delete(f"{place.gateways}/one")
    # Restarted in the middle, the controller still releases the address, and not at once.
    controller.restart(plane, ["made-by-controller"])
    until(lambda: place.get("one") is None)
    assert time.monotonic() - began > RELEASE_SECONDS
    until(lambda: place.get("two") and programmed(place, "two"))
    assert place.get("two")["status"]["addresses"] == [addresses[1]]
    place.gateway("three")
    until(lambda: programmed(place, "three"))
    assert place.get("three")["status"]["addresses"][0] != addresses[1]


def test_routes_are_counted_and_accepted_or_refused(place: Place) -> None:
    same = {**LISTENER, "name": "own-namespace", "port": 81, "allowedRoutes": {"namespaces": {"from": "Same"}}}
    place.gateway("gw", LISTENER, same)
    place.gateway("temporary")
    backend = place.service("existing")
    place.route("both", backend, name="gw")
    place.route("one", backend, name="gw", sectionName="own-namespace")
    place.route("nowhere", backend, name="gw", sectionName="other")
    place.route("without", {"kind": "Service", "name": "none", "port": 80}, name="none")
    place.route("left-over", backend, name="temporary")
    until(lambda: reasons(place, "left-over") == [("Accepted", "ResolvedRefs")])
    until(lambda: programmed(place, "temporary"))
    place.api.delete(f"{place.gateways}/temporary")  # takes more than a second: checked at the end
    until(lambda: reasons(place, "both") == [("Accepted", "ResolvedRefs")])
    until(lambda: reasons(place, "one") == [("Accepted", "ResolvedRefs")])
    until(lambda: reasons(place, "nowhere") == [("NoMatchingParent", "ResolvedRefs")])
    until(lambda: reasons(place, "without") == [("NoMatchingParent", "BackendNotFound")])
    assert "has no listener with name other" in place.conditions("nowhere")[0]["Accepted"][2]
    assert f"Gateway {place.namespace}/none does not exist" in place.conditions("without")[0]["Accepted"][2]
    until(lambda: counts(place) == [1, 2])

    # From another namespace only the first listener takes routes, and only a ReferenceGrant leads back.
    place.api.create("/api/v1/namespaces", {"metadata": {"name": f"{place.namespace}-2"}})
    other = Place(place.api, f"{place.namespace}-2")
    other.route("far", {**backend, "namespace": place.namespace}, name="gw", namespace=place.namespace)
    other.route("kept-out", other.service("s"), name="gw", namespace=place.namespace, sectionName="own-namespace")
    until(lambda: reasons(other, "far") == [("Accepted", "RefNotPermitted")])
    until(lambda: reasons(other, "kept-out") == [("NotAllowedByListeners", "ResolvedRefs")])
    until(lambda: counts(place) == [2, 2])
    grant = {"from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": other.namespace}],
             "to": [{"group": "", "kind": "Service"}]}  # fmt: skip
    place.create(f"{API}/namespaces/{place.namespace}/referencegrants",
                 {"kind": "ReferenceGrant", "metadata": {"name": "g"}, "spec": grant})  # fmt: skip
    until(lambda: reasons(other, "far") == [("Accepted", "ResolvedRefs")])

    place.api.delete(f"{place.routes}/both")
    until(lambda: counts(place) == [1, 1])
    until(lambda: reasons(place, "left-over") == [("NoMatchingParent", "ResolvedRefs")])


def test_pool_of_a_route(place: Place) -> None:
    place.gateway("gw")
    place.route("r", {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "pool"}, name="gw")
    until(lambda: reasons(place, "r") == [("Accepted", "BackendNotFound")])
    assert f"InferencePool {place.namespace}/pool does not exist" in place.conditions("r")[0]["ResolvedRefs"][2]
    spec = {
        "selector": {"matchLabels": {"a": "b"}}, "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"name": "picker", "port": {"number": 9002}},
    }  # fmt: skip
    pool = {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": "pool"}}
    assert place.api.create(place.pools, {**pool, "spec": spec})
    until(lambda: reasons(place, "r") == [("Accepted", "ResolvedRefs")])

    def parents() -> list[Any]:
        return (place.api.get(f"{place.pools}/pool") or {}).get("status", {}).get("parents") or []

    def resolved() -> str:
        return condition({"status": parents()[0]}, "ResolvedRefs")[1] if parents() else ""

    until(lambda: resolved() == "InvalidExtensionRef")
    place.service("picker")
    until(lambda: resolved() == "ResolvedRefs")
    assert parents()[0]["parentRef"]["name"] == "gw"
    place.api.delete(f"{place.routes}/r")
    until(lambda: parents() == [])


def test_gateway_whose_parameters_are_missing(place: Place) -> None:
    reference = {"group": "", "kind": "ConfigMap", "name": "options"}
    place.gateway("gw", infrastructure={"parametersRef": reference})
    place.gateway("other", infrastructure={"parametersRef": {**reference, "group": "example.dev", "kind": "Options"}})
    until(lambda: condition(place.get("gw"), "Accepted") == ("False", "InvalidParameters"))
    until(lambda: condition(place.get("other"), "Accepted") == ("False", "InvalidParameters"))
    assert condition(place.get("gw"), "Programmed") == ("False", "Invalid")
    assert not place.get("gw")["status"].get("addresses")
    messages = [row["message"] for row in place.get("gw")["status"]["conditions"]]
    assert any(f"ConfigMap {place.namespace}/options does not exist" in message for message in messages)
    config = {"metadata": {"name": "options"}, "data": {"service": "spec:\n  type: ClusterIP\n"}}
    place.api.create(f"/api/v1/namespaces/{place.namespace}/configmaps", config)
    until(lambda: programmed(place, "gw"))
    host = f"gw-made-by-controller.{place.namespace}.svc.cluster.local"
    assert place.get("gw")["status"]["addresses"] == [{"type": "Hostname", "value": host}]
    # A refused Gateway never had an address, and is deleted at once.
    place.api.delete(f"{place.gateways}/other")
    until(lambda: place.get("other") is None)


def test_gateways_of_other_controllers_are_left_alone(place: Place) -> None:
    theirs = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "theirs"}}
    place.api.create(f"{API}/gatewayclasses", {**theirs, "spec": {"controllerName": "example.dev/controller"}})
    place.gateway("theirs", gatewayClassName="theirs")
    place.gateway("tcp", {"name": "t", "port": 9000, "protocol": "TCP"})
    place.route("r", place.service("s"), name="theirs")
    until(lambda: condition(place.get("tcp"), "Accepted") == ("False", "ListenersNotValid"))
    assert condition(place.get("theirs"), "Accepted") == ("Unknown", "Pending")
    assert "finalizers" not in place.get("theirs")["metadata"]
    assert place.conditions("r") == []
    assert condition(place.api.get(f"{API}/gatewayclasses/theirs"), "Accepted")[0] == "Unknown"


def test_process_is_listed_and_ends_with_the_rehearsal(plane: ControlPlane, tmp_path: Path) -> None:
    assert len(controller.PROCESS.running(plane.workdir)) == 1
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(plane.kubeconfig.read_text())
    command = [
        sys.executable,
        "-m",
        controller.PROCESS.module,
        f"--kubeconfig={kubeconfig}",
        f"--context={plane.context}",
    ]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        assert "serving" in started.stdout.readline()
        kubeconfig.unlink()
        assert started.wait(timeout=waiting.PATIENCE) == 0
