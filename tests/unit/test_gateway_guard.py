"""The guard of a Gateway: what it takes for a foreign route, when it refuses, and that state can keep it."""

import base64
import os
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import dynamic

from components.gateway_guard import GatewayInUseError, GuardProvider, foreign_routes
from tests.unit.api_server import Answer, ApiServer, kubeconfig, refusing

ROOT = Path(__file__).parents[2]
#: The Gateway `shared` in namespace `team-a`, of the stack `chat` there.
PROPS = {
    "gateway": "shared",
    "gatewayNamespace": "team-a",
    "namespace": "team-a",
    "routes": ["chat", "chat-shared"],
    "deleteInUse": False,
}
API = "/apis/gateway.networking.k8s.io/v1"
ROUTES = [f"{API}/{plural}" for plural in ("httproutes", "grpcroutes", "tlsroutes")]


def route(place: str, *parents: dict[str, str]) -> dict[str, Any]:
    namespace, _, name = place.partition("/")
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"parentRefs": [*parents]}}


# --- which routes --------------------------------------------------------------------------------------------------------

WHOLE = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "shared", "namespace": "team-a"}


@pytest.mark.parametrize(
    ("found", "foreign"),
    [
        (route("team-b/search", WHOLE), True),
        (route("team-a/other", WHOLE), True),
        (route("team-b/chat", WHOLE), True),
        (route("team-a/chat", WHOLE), False),
        (route("team-a/chat-shared", WHOLE), False),
        (route("team-b/chat-shared", WHOLE), True),
        # Left out, a route's namespace is its own, and the kind is Gateway.
        (route("team-a/other", {"name": "shared"}), True),
        (route("team-b/search", {"name": "shared"}), False),
        (route("team-b/search", {"name": "shared", "namespace": "team-a"}), True),
        (route("team-b/search", {**WHOLE, "name": "another"}), False),
        (route("team-b/search", {**WHOLE, "namespace": "team-b"}), False),
        (route("team-b/mesh", {**WHOLE, "group": "", "kind": "Service"}), False),
        (route("team-b/search", {**WHOLE, "name": "another"}, WHOLE), True),
        (route("team-b/search"), False),
        ({"metadata": {"namespace": "team-b", "name": "search"}, "spec": {}}, False),
        ({"metadata": {"namespace": "team-b", "name": "search"}}, False),
    ],
    ids=str,
)
def test_which_routes_are_of_others(found: dict[str, Any], foreign: bool) -> None:
    place = f"{found['metadata']['namespace']}/{found['metadata']['name']}"
    assert [*foreign_routes([found], PROPS)] == ([place] if foreign else [])


def test_a_route_with_two_ways_to_the_gateway_is_one() -> None:
    twice = route("team-b/search", {**WHOLE, "sectionName": "a"}, {**WHOLE, "sectionName": "b"})
    assert [*foreign_routes([twice], PROPS)] == ["team-b/search"]


# --- a destroy -----------------------------------------------------------------------------------------------------------

Delete = Callable[..., None]


@pytest.fixture
def delete(tmp_path: Path) -> Delete:
    """Deletes the guard, on the cluster of that address."""

    def delete(url: str, **more: Any) -> None:
        place = {"kubeconfig": str(kubeconfig(tmp_path / "kubeconfig", url)), "context": "prod"}
        GuardProvider().delete("team-a/shared", {**PROPS, **place, **more})

    return delete


def refused(delete: Delete, url: str, **more: Any) -> str:
    with pytest.raises(GatewayInUseError) as refusal:
        delete(url, **more)
    text = str(refusal.value)
    assert text.startswith("Gateway team-a/shared is not deleted, because ")
    assert text.endswith("Nothing of this stack was deleted.")
    assert "\n" not in text
    assert "object at 0x" not in text
    return text


def listed(*routes: dict[str, Any]) -> Answer:
    return 200, {"kind": "HTTPRouteList", "items": [*routes]}


def test_a_gateway_nobody_else_uses_may_go(delete: Delete, server: ApiServer) -> None:
    server.answers = {path: listed(route("team-a/chat", WHOLE)) for path in ROUTES}
    delete(server.url)
    assert [asked for asked, *_ in server.asked] == ROUTES


def test_routes_of_others_refuse_it_by_name(delete: Delete, server: ApiServer) -> None:
    server.answers = {
        ROUTES[0]: listed(route("team-c/z", WHOLE), route("team-b/search", WHOLE), route("team-a/chat", WHOLE)),
        ROUTES[1]: listed(route("team-b/search", WHOLE), route("team-b/grpc", WHOLE)),
    }
    text = refused(delete, server.url)
    assert (
        "because routes of others hang on it: team-b/grpc, team-b/search, team-c/z; destroy their stacks first" in text
    )
    assert "`deleteInUse: true` under `llmd-pd:router.gateway`" in text


def test_a_stack_may_say_that_it_goes_all_the_same(delete: Delete, server: ApiServer) -> None:
    server.answers = {ROUTES[0]: listed(route("team-b/search", WHOLE))}
    delete(server.url, deleteInUse=True)
    assert server.asked == []


@pytest.mark.parametrize("number", range(3))
def test_a_kind_the_cluster_lacks_hides_no_other(number: int, delete: Delete, server: ApiServer) -> None:
    server.answers = {ROUTES[number]: listed(route("team-b/search", WHOLE))}
    assert "team-b/search" in refused(delete, server.url)


def test_a_cluster_without_the_gateway_api_has_no_routes(delete: Delete, server: ApiServer) -> None:
    delete(server.url)
    assert len(server.asked) == 3


def test_a_cluster_that_is_not_there_is_no_leave(delete: Delete) -> None:
    text = refused(delete, refusing())
    assert "Connection refused" in text
    assert "check the context and your credentials" in text


@pytest.mark.parametrize("path", ROUTES)
def test_who_may_not_look_is_told_the_ways_out(path: str, delete: Delete, server: ApiServer) -> None:
    server.answers = {path: (403, {"kind": "Status", "code": 403, "message": "forbidden"})}
    text = refused(delete, server.url)
    assert "(it answers 403 Forbidden)" in text
    assert "list the routes of all namespaces" in text
    assert "`deleteInUse: true`" in text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {"kind": "Status", "code": 401}), "it answers 401"),
        ((500, {"kind": "Status", "code": 500, "message": "etcd is gone"}), "it answers 500"),
        ((503, b"no healthy upstream"), "it answers 503"),
        ((200, b"<html>sign in here</html>"), "what answers there does not speak JSON"),
        ((200, ["no", "object"]), "what answers there is no API server"),
    ],
)
def test_an_answer_of_no_use_is_no_leave(answer: Answer, words: str, delete: Delete, server: ApiServer) -> None:
    server.answers = {ROUTES[0]: answer}
    text = refused(delete, server.url)
    assert words in text
    assert "check the context and your credentials" in text


def test_a_busy_server_is_asked_again(delete: Delete, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server says so too when a kind whose CRD is new is asked for the first time."""
    server.answers = {ROUTES[1]: (429, {"kind": "Status", "code": 429})}
    waits: list[float] = []
    monkeypatch.setattr("components.kube_client.time.sleep", waits.append)
    assert "it answers 429" in refused(delete, server.url)
    assert len(waits) == 4
    monkeypatch.setattr("components.kube_client.time.sleep", lambda _: server.answers.clear())
    delete(server.url)


@pytest.mark.parametrize("content", ["", "a: [", "- list\n", "apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_is_none_is_no_leave(content: str, delete: Delete, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(content)
    refused(delete, "http://unused.invalid")


def test_a_context_that_is_gone_is_no_leave(delete: Delete, server: ApiServer) -> None:
    assert "staging" in refused(delete, server.url, context="staging")
    assert server.asked == []


def test_the_context_of_the_stack_is_asked_and_no_other(delete: Delete, server: ApiServer) -> None:
    delete(server.url)
    assert {token for *_, token in server.asked} == {"Bearer t0ken"}


# --- an up ---------------------------------------------------------------------------------------------------------------


def test_it_is_made_of_what_it_is_told() -> None:
    made = GuardProvider().create(dict(PROPS))
    assert (made.id, made.outs) == ("team-a/shared", PROPS)
    assert GuardProvider().update("team-a/shared", {}, dict(PROPS)).outs == PROPS


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"gateway": "other"}, ["gateway"]),
        ({"gatewayNamespace": "team-b", "gateway": "other"}, ["gateway", "gatewayNamespace"]),
        ({"deleteInUse": True}, []),
        ({"routes": ["talk"]}, []),
        ({"context": "prod-west"}, []),
        ({"__provider": "pickled at another place"}, []),
    ],
)
def test_another_gateway_is_another_guard_and_the_rest_an_update(change: dict[str, Any], replaces: list[str]) -> None:
    olds = {**PROPS, "__provider": "pickled"}
    for before, after in ((olds, olds | change), (olds | change, olds)):
        found = GuardProvider().diff("team-a/shared", before, after)
        assert (found.changes, found.replaces, found.delete_before_replace) == (True, replaces, False)


def test_the_same_is_no_change() -> None:
    olds = {**PROPS, "__provider": "pickled"}
    found = GuardProvider().diff("team-a/shared", olds, dict(olds))
    assert (found.changes, found.replaces) == (False, [])


# --- in the state --------------------------------------------------------------------------------------------------------


def test_state_keeps_the_providers_name_and_none_of_its_code() -> None:
    text = base64.b64decode(dynamic.serialize_provider(GuardProvider()))
    assert type(pickle.loads(text)) is GuardProvider
    # By reference: the name of module and class, and nothing that another version of the code would write otherwise.
    words = [argument for _, argument, _ in pickletools.genops(text) if isinstance(argument, str)]
    assert words == ["components.gateway_guard", "GuardProvider"]


def test_state_is_the_same_from_run_to_run() -> None:
    script = (
        "from pulumi.dynamic import dynamic; from components.gateway_guard import GuardProvider;"
        "print(dynamic.serialize_provider(GuardProvider()))"
    )
    texts = {dynamic.serialize_provider(GuardProvider())}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        texts.add(done.stdout.strip())
    assert len(texts) == 1
