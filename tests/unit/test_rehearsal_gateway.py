"""The way into a stack, as the report says it, and the addresses of a rehearsal's Gateways."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.gateway.addresses import FIRST, LAST, RELEASE_SECONDS, Addresses
from rehearsal.surroundings import played
from rehearsal.verdict.gateway import Entrance
from stacks.blueprint import serving_blueprint
from stacks.file.load import load

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
#: What is there -> what is said of it.
WAYS_IN: dict[str, tuple[dict[str, Any], list[tuple[str, bool]]]] = {
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
    "of a class that nobody serves": (
        {"gw": gateway_of(judged(Accepted=("Unknown", "Pending", ""))), "stack": route_of(TAKEN)},
        [
            (
                "Gateway infra/gw is not accepted: no controller has looked at it: is there a GatewayClass class, "
                "and does one serve it?",
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
        [("HTTPRoute ns/stack does not hang on Gateway infra/gw, or its controller has not looked at it", False)],
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
    "route as it was before": (
        {
            "gw": gateway_of(PROGRAMMED, "192.0.2.10"),
            "stack": route_of(("gw", judged(Accepted=FINE, ResolvedRefs=FINE))),
        },
        [
            ("HTTPRoute ns/stack is not accepted: its Gateway's controller has not looked at it", False),
            ("HTTPRoute ns/stack cannot reach its backend: its Gateway's controller has not looked at it", False),
        ],
    ),
}


@pytest.mark.parametrize(("there", "said"), WAYS_IN.values(), ids=WAYS_IN)
def test_the_way_in(there: dict[str, Any], said: list[tuple[str, bool]]) -> None:
    class Single:
        def get(self, path: str) -> Any:
            return there.get(path.rpartition("/")[2])

    entrance = Entrance(("infra", "gw"), ("ns", "stack"), owned=True)
    assert [flaw[:2] for flaw in entrance.flaws(Single())] == said  # type: ignore[arg-type]


@pytest.mark.parametrize(("release", "name"), [("guide-2026-05", "chat-shared"), ("guide-2026-06", "chat")])
def test_the_way_in_is_the_route_of_who_makes_it(release: str, name: str, tmp_path: Path) -> None:
    """The stack, where the release's chart cannot name a Gateway elsewhere; else the chart."""
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
def test_a_rehearsal_knows_that_up_waits_for_a_route_of_the_stacks_own(own: bool) -> None:
    """It is waited for until it is accepted; whether it reaches a pool is not."""
    refused = ("gw", judged(generation=2, Accepted=("False", "NoMatch", "x"), ResolvedRefs=("False", "NoPool", "y")))
    for route, awaited in ((route_of(refused), [own, False]), (route_of(), [own])):
        there = {"gw": gateway_of(PROGRAMMED, "192.0.2.10"), "stack": route}

        class Single:
            def get(self, path: str, there: dict[str, Any] = there) -> Any:
                return there.get(path.rpartition("/")[2])

        entrance = Entrance(("infra", "gw"), ("ns", "stack"), owned=False, own_route=own)
        assert [flaw.awaited for flaw in entrance.flaws(Single())] == awaited  # type: ignore[arg-type]


def test_addresses_are_used_again_once_they_are_released() -> None:
    now = 0.0
    book = Addresses(clock=lambda: now)
    first = book.assign("a")
    assert first == f"192.0.2.{FIRST}"
    assert book.assign("a") == first
    assert book.assign("b") != first
    assert book.assign("named", "gw.example") == "gw.example"
    assert not book.release("a")
    now += RELEASE_SECONDS / 2
    assert not book.release("a")
    assert book.assign("c") != first  # until then it is taken
    now += RELEASE_SECONDS / 2
    assert book.release("a")
    book.adopt("a", str(first))  # its status still says so, but it is somebody else's now
    assert book.assign("d") == first
    assert book.release("a")
    assert book.release("never-had-one")


def test_the_network_has_an_end() -> None:
    book = Addresses()
    assert all(book.assign(str(number)) for number in range(FIRST, LAST + 1))
    assert book.assign("one more") is None


@pytest.mark.parametrize("install", [True, False])
def test_an_implementation_is_played_and_not_installed(tmp_path: Path, install: bool) -> None:
    file = tmp_path / "Pulumi.istio.yaml"
    router = {"mode": "gateway", "gateway": {"provider": "istio", "install": install}}
    cluster = {"provider": "existing", "context": "nowhere"}
    config = {"cluster": cluster, "serving": {"accelerator": "nvidia"}, "router": router}
    file.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    there = {"router": {"gateway": {"install": False, "retain": True}}}
    assert played(serving_blueprint(load(file).spec, tmp_path)) == (there if install else {})
