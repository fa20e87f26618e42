"""Flaws of a stack's Gateway and route, and the addresses of a rehearsal's Gateways."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.gateway import FINALIZER
from rehearsal.gateway.addresses import FIRST, LAST, NETWORK, RELEASE_SECONDS, address, released, taken
from rehearsal.surroundings import played
from rehearsal.verdict.gateway import Entrance
from stacks.file.load import load
from stacks.rules.facts import serving_blueprint

FINE = ("True", "Fine", "")


def judged(*, generation: int = 1, **conditions: tuple[str, str, str]) -> list[dict[str, Any]]:
    keys = ("status", "reason", "message")
    return [
        {"type": kind, "observedGeneration": generation, **dict(zip(keys, words, strict=True))}
        for kind, words in conditions.items()
    ]


def gateway_of(conditions: list[dict[str, Any]], *addresses: str) -> dict[str, Any]:
    status = {"conditions": conditions, "addresses": [{"value": value} for value in addresses]}
    return {"metadata": {"name": "gw"}, "spec": {"gatewayClassName": "class"}, "status": status}


def route_of(*parents: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rows = [{"parentRef": {"name": name, "namespace": "infra"}, "conditions": rows} for name, rows in parents]
    return {"metadata": {"name": "stack", "namespace": "ns", "generation": 2}, "status": {"parents": rows}}


PROGRAMMED = judged(Accepted=FINE, Programmed=FINE)
TAKEN = ("gw", judged(generation=2, Accepted=FINE, ResolvedRefs=FINE))
#: Existing objects -> the flaws found, each with whether `up` waits for it.
ENTRANCES: dict[str, tuple[dict[str, Any], list[tuple[str, bool]]]] = {
    "open": ({"gw": gateway_of(PROGRAMMED, "192.0.2.10"), "stack": route_of(TAKEN)}, []),
    "nothing": ({}, [("Gateway infra/gw does not exist", False), ("HTTPRoute ns/stack does not exist", False)]),
    "refused": (
        {
            "gw": gateway_of(
                judged(Accepted=("False", "InvalidParameters", "ConfigMap o does not exist"), Programmed=FINE)
            ),
            "stack": route_of(TAKEN),
        },
        [("Gateway infra/gw is not accepted: ConfigMap o does not exist (InvalidParameters)", True)],
    ),
    "class without a controller": (
        {"gw": gateway_of(judged(Accepted=("Unknown", "Pending", ""))), "stack": route_of(TAKEN)},
        [
            (
                "Gateway infra/gw is not accepted: no controller has set its status: does GatewayClass class exist, "
                "and does a controller serve it?",
                True,
            )
        ],
    ),
    "without address": (
        {"gw": gateway_of(PROGRAMMED), "stack": route_of(TAKEN)},
        [("Gateway infra/gw is programmed but has no address", False)],
    ),
    "route of another Gateway": (
        {"gw": gateway_of(PROGRAMMED, "192.0.2.10"), "stack": route_of(("other", TAKEN[1]))},
        [
            (
                "HTTPRoute ns/stack is not attached: it does not name Gateway infra/gw as a parent, or the Gateway's "
                "controller has not set its status",
                False,
            )
        ],
    ),
    "route without pool": (
        {
            "gw": gateway_of(PROGRAMMED, "192.0.2.10"),
            "stack": route_of(
                ("gw", judged(generation=2, Accepted=FINE, ResolvedRefs=("False", "BackendNotFound", "No such pool.")))
            ),
        },
        [("HTTPRoute ns/stack cannot reach its backend: No such pool (BackendNotFound)", False)],
    ),
    "status of an earlier generation": (
        {
            "gw": gateway_of(PROGRAMMED, "192.0.2.10"),
            "stack": route_of(("gw", judged(Accepted=FINE, ResolvedRefs=FINE))),
        },
        [
            ("HTTPRoute ns/stack is not accepted: the Gateway's controller has not set its status", False),
            ("HTTPRoute ns/stack cannot reach its backend: the Gateway's controller has not set its status", False),
        ],
    ),
}


@pytest.mark.parametrize(("existing", "flaws"), ENTRANCES.values(), ids=ENTRANCES)
def test_flaws_of_an_entrance(existing: dict[str, Any], flaws: list[tuple[str, bool]]) -> None:
    class Single:
        def get(self, path: str) -> Any:
            return existing.get(path.rpartition("/")[2])

    entrance = Entrance(("infra", "gw"), ("ns", "stack"), owned=True)
    assert [flaw[:2] for flaw in entrance.flaws(Single())] == flaws  # type: ignore[arg-type]


@pytest.mark.parametrize(("release", "name"), [("guide-2026-05", "chat-shared"), ("guide-2026-06", "chat")])
def test_route_is_the_stacks_own_if_the_chart_cannot_make_it(release: str, name: str, tmp_path: Path) -> None:
    """The chart of May cannot name a Gateway in another namespace."""
    file = tmp_path / "Pulumi.guest.yaml"
    gateway = {"provider": "istio", "manage": False, "namespace": "infra", "name": "gw"}
    config = {
        "name": "chat",
        "namespace": "chat",
        "release": release,
        "cluster": {"context": "nowhere"},
        "serving": {"accelerator": "nvidia"},
        "router": {"mode": "gateway", "gateway": gateway},
    }
    file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    found = Entrance.of(serving_blueprint(load(file).spec, tmp_path))
    assert found == Entrance(("infra", "gw"), ("chat", name), owned=False, own_route=release == "guide-2026-05")


@pytest.mark.parametrize("own", [True, False])
def test_up_waits_for_the_acceptance_of_the_stacks_own_route(own: bool) -> None:
    """It does not wait for the route's backend."""
    refused = ("gw", judged(generation=2, Accepted=("False", "NoMatch", "x"), ResolvedRefs=("False", "NoPool", "y")))
    for route, awaited in ((route_of(refused), [own, False]), (route_of(), [own])):
        existing = {"gw": gateway_of(PROGRAMMED, "192.0.2.10"), "stack": route}

        class Single:
            def get(self, path: str, existing: dict[str, Any] = existing) -> Any:
                return existing.get(path.rpartition("/")[2])

        entrance = Entrance(("infra", "gw"), ("ns", "stack"), owned=False, own_route=own)
        assert [flaw.awaited for flaw in entrance.flaws(Single())] == awaited  # type: ignore[arg-type]


def live(*addresses: str, finalizers: Sequence[str] = (FINALIZER,), **metadata: str) -> dict[str, Any]:
    """A Gateway of namespace `ns` with these addresses in its status."""
    status = {"addresses": [{"type": "IPAddress", "value": value} for value in addresses]}
    named = {"name": "gw", "namespace": "ns", "finalizers": [*finalizers], **metadata}
    return {"metadata": named, "spec": {"gatewayClassName": "class"}, "status": status}


def assigned(gateway: dict[str, Any], *others: dict[str, Any], cluster_ip: bool = False) -> tuple[str, str] | None:
    found = address(gateway, taken([gateway, *others]), cluster_ip=cluster_ip)
    return (found["type"], found["value"]) if found else None


def test_lowest_free_address_is_assigned_and_kept() -> None:
    first, second = f"{NETWORK}{FIRST}", f"{NETWORK}{FIRST + 1}"
    assert assigned(live()) == ("IPAddress", first)
    assert assigned(live(), live(first)) == ("IPAddress", second)
    assert assigned(live(second)) == ("IPAddress", second), "it has one already"
    assert assigned(live(), live(first, deletionTimestamp="2026-12-01T10:00:00Z")) == ("IPAddress", second)
    # A released address is free although the status of its former owner still shows it.
    assert assigned(live(), live(first, finalizers=["of/another"])) == ("IPAddress", first)


def test_stated_addresses_and_service_names() -> None:
    stated = live()
    stated["spec"]["addresses"] = [{"type": "Hostname"}, {"type": "Hostname", "value": "gw.example"}]
    assert assigned(stated) == ("Hostname", "gw.example")
    stated["spec"]["addresses"] = [{"value": "203.0.113.7"}]
    assert assigned(stated) == ("IPAddress", "203.0.113.7")
    stated["spec"]["addresses"] = [{"type": "NamedAddress", "value": "reserved"}]
    assert assigned(stated) == ("IPAddress", f"{NETWORK}{FIRST}")
    assert assigned(live(), cluster_ip=True) == ("Hostname", "gw-class.ns.svc.cluster.local")
    # One that was a Service's name until now gets an address of the network.
    assert assigned(live("gw-class.ns.svc.cluster.local")) == ("IPAddress", f"{NETWORK}{FIRST}")


def test_no_address_is_left_when_the_network_is_full() -> None:
    full = [live(f"{NETWORK}{number}") for number in range(FIRST, LAST + 1)]
    assert assigned(live(), *full) is None
    assert assigned(live(), *full[:-1]) == ("IPAddress", f"{NETWORK}{LAST}")


def test_address_is_released_a_second_after_deletion_at_the_earliest() -> None:
    """The API server cuts the time of deletion to whole seconds: what was deleted at .999 is noted as deleted at .000."""
    deleted = datetime(2026, 12, 1, 10, 0, 0, 999_000, tzinfo=UTC)
    gone = {"deletionTimestamp": "2026-12-01T10:00:00Z"}
    holding = live(f"{NETWORK}{FIRST}", **gone)
    assert not released(holding, deleted + timedelta(seconds=RELEASE_SECONDS))
    assert released(holding, deleted + timedelta(seconds=RELEASE_SECONDS + 1))
    assert released(live(**gone), deleted), "it never had an address"


@pytest.mark.parametrize("install", [True, False])
def test_gateway_implementation_is_not_installed_in_a_rehearsal(tmp_path: Path, install: bool) -> None:
    file = tmp_path / "Pulumi.istio.yaml"
    router = {"mode": "gateway", "gateway": {"provider": "istio", "install": install}}
    cluster = {"provider": "existing", "context": "nowhere"}
    config = {"cluster": cluster, "serving": {"accelerator": "nvidia"}, "router": router}
    file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    changed = {"router": {"gateway": {"install": False, "retain": True}}}
    assert played(serving_blueprint(load(file).spec, tmp_path)) == (changed if install else {})
