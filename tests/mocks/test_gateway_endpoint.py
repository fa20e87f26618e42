"""Where clients reach a stack in mode gateway: the address of its Gateway, by the listener that takes the stack's route."""

from pathlib import Path
from typing import Any

import pytest

from stacks.compose import compose
from tests.blueprints import whole
from tests.crd_files import write
from tests.mocks.gateways import NAME, NAMESPACE, STACKS, planned
from tests.mocks.recording import LISTENER, OWNER, record


@pytest.fixture(scope="module")
def crd_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("crds"))


def endpoint(name: str, crd_directory: Path, **cluster: Any) -> dict[str, Any]:
    gateway, more = STACKS[name]
    found = planned(crd_directory, gateway, **more)
    exports = record(lambda: compose(whole(found), OWNER), **cluster).exports
    assert exports.keys() == {"namespace", "endpoint", "deployments", "selector", "versions", "podTemplates"}
    said: dict[str, Any] = exports["endpoint"]
    assert said.pop("gateway") == f"{gateway.get('namespace', NAMESPACE)}/{NAME}"
    return said


@pytest.mark.parametrize(
    ("addresses", "address", "url"),
    [
        (["203.0.113.7", "203.0.113.8"], "203.0.113.7", "http://203.0.113.7/"),
        (["lb.example.com"], "lb.example.com", "http://lb.example.com/"),
        (["2001:db8::7"], "2001:db8::7", "http://[2001:db8::7]/"),
        ([], None, None),
        (None, None, None),
    ],
)
@pytest.mark.parametrize("name", ["istio", "shared elsewhere, May"])
def test_the_endpoint_is_the_gateways(
    name: str, addresses: list[str] | None, address: str | None, url: str | None, crd_directory: Path
) -> None:
    assert endpoint(name, crd_directory, addresses=addresses) == {"port": 80, "address": address, "url": url}


def listener(port: int, protocol: str, come_from: str | None = "All", **more: Any) -> dict[str, Any]:
    allowed = {"allowedRoutes": {"namespaces": {"from": come_from}}} if come_from else {}
    return {"name": f"l{port}", "port": port, "protocol": protocol, **allowed, **more}


HTTPS = listener(443, "HTTPS")


@pytest.mark.parametrize(
    ("listeners", "port", "url"),
    [
        ([LISTENER, HTTPS], 80, "http://10.1.2.3/"),
        ([HTTPS, LISTENER], 443, "https://10.1.2.3/"),
        ([listener(8080, "HTTP")], 8080, "http://10.1.2.3:8080/"),
        ([listener(8443, "HTTPS")], 8443, "https://10.1.2.3:8443/"),
        ([listener(443, "HTTP")], 443, "http://10.1.2.3:443/"),
        # No HTTPRoute is served there.
        ([listener(5432, "TCP"), listener(6443, "TLS"), listener(8080, "HTTP")], 8080, "http://10.1.2.3:8080/"),
        # It takes routes of the Gateway's own namespace only, which is what a listener does that says nothing.
        ([listener(80, "HTTP", "Same"), listener(81, "HTTP", None), HTTPS], 443, "https://10.1.2.3/"),
        ([listener(80, "HTTP", "Selector")], 80, "http://10.1.2.3/"),
        # It answers requests for this host only.
        ([{**HTTPS, "hostname": "llm.example.com"}], 443, "https://llm.example.com/"),
        ([{**HTTPS, "hostname": "*.example.com"}], 443, "https://10.1.2.3/"),
        ([listener(5432, "TCP")], None, None),
        ([], None, None),
    ],
    ids=str,
)
def test_port_and_scheme_are_those_of_the_listener_that_takes_the_route(
    listeners: list[dict[str, Any]], port: int | None, url: str | None, crd_directory: Path
) -> None:
    said = endpoint("shared elsewhere, June", crd_directory, addresses=["10.1.2.3"], listeners=listeners)
    assert said == {"port": port, "address": "10.1.2.3", "url": url}


def test_a_gateway_beside_the_stack_takes_its_route_anyway(crd_directory: Path) -> None:
    said = endpoint("shared here", crd_directory, addresses=["fd00::1"], listeners=[listener(8080, "HTTP", "Same")])
    assert said == {"port": 8080, "address": "fd00::1", "url": "http://[fd00::1]:8080/"}
