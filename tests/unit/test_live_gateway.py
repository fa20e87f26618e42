"""The live check of a stack's gateway before anything is applied, against a loopback API server."""

from pathlib import Path
from typing import Any

import pytest

from stacks.findings import StackFileError
from tests.crd_files import write
from tests.unit.api_server import NAMESPACE, OWNER, Answer, ApiServer, Look, namespace, releases

API = "/apis/gateway.networking.k8s.io/v1"
CLASSES, ROUTES = f"{API}/gatewayclasses", f"{API}/httproutes"
SHARED = f"{API}/namespaces/shared/gateways/llm-d-inference-gateway"
NAME = "llm-d-inference-gateway"
OTHERS = {"manage": False, "namespace": "shared"}
#: Answers of every cluster with the Gateway API.
SERVED: Answer = (200, {"kind": "APIResourceList"})


def items(*found: dict[str, Any]) -> Answer:
    return 200, {"kind": "List", "items": [*found]}


def classes(*names: str) -> Answer:
    return items(*({"metadata": {"name": name}} for name in names))


def gateway(status: str | None = "True", come_from: str | None = "All", protocol: str = "HTTP", **said: str) -> Answer:
    condition = {"type": "Programmed", "status": status, **said}
    allowed = {"allowedRoutes": {"namespaces": {"from": come_from}}} if come_from else {}
    spec = {"listeners": [{"name": "default", "port": 80, "protocol": protocol, **allowed}]}
    return 200, {"spec": spec, "status": {"conditions": [condition]} if status else {}}


@pytest.fixture
def cluster(server: ApiServer) -> ApiServer:
    """One with the Gateway API, Istio, a shared Gateway, and no route."""
    server.answers = {API: SERVED, CLASSES: classes("istio"), SHARED: gateway(), ROUTES: items()}
    return server


def problems(look: Look, cluster: ApiServer, stated: dict[str, Any], **more: Any) -> list[str]:
    crds = {"manage": False, "gatewayApi": False, **more.pop("crds", {})}
    router = {"mode": "gateway", "gateway": {"provider": "istio", **stated}}
    try:
        look(cluster.url, router=router, crds=crds, **more)
    except StackFileError as refusal:
        return [str(problem) for problem in refusal.problems]
    return []


# --- the Gateway API and the class -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [{}, OTHERS])
def test_a_cluster_that_has_it_all_is_fine(stated: dict[str, Any], look: Look, cluster: ApiServer) -> None:
    assert problems(look, cluster, stated) == []


@pytest.mark.parametrize("stated", [{}, OTHERS])
def test_the_gateway_api_that_nobody_brings(stated: dict[str, Any], look: Look, cluster: ApiServer) -> None:
    cluster.answers = {}
    (text,) = problems(look, cluster, stated)
    assert text.startswith(
        "llmd-pd:crds.gatewayApi: the cluster has no Gateway API, because the cluster's owner installs its CRDs"
    )


def test_gke_has_to_be_told_to_bring_it(look: Look, cluster: ApiServer) -> None:
    cluster.answers = {}
    (text,) = problems(look, cluster, {"provider": "gke"}, crds={"gatewayApi": None})
    assert "because GKE brings it if it is turned on; run `gcloud" in text
    assert "--gateway-api=standard" in text
    (text,) = problems(look, cluster, {"provider": "gke"}, crds={"gatewayApi": False})
    assert "because the cluster's owner installs its CRDs" in text


def test_the_gateway_api_may_come_with_the_stack(look: Look, cluster: ApiServer, tmp_path: Path) -> None:
    cluster.answers = {}
    crds = {"gatewayApi": True, "directory": str(write(tmp_path / "crds"))}
    assert problems(look, cluster, {}, crds=crds) == []


def test_a_class_nobody_serves(look: Look, cluster: ApiServer) -> None:
    cluster.answers[CLASSES] = classes("nginx", "istio-waypoint")
    (text,) = problems(look, cluster, {})
    assert text == (
        "llmd-pd:router.gateway: GatewayClass istio is not in the cluster, because the Gateway would never be programmed; use "
        "one that is (istio-waypoint, nginx) as `className`, or install the implementation (`install: true`). "
        "(GATEWAY) [docs/gateways.md]"
    )
    assert problems(look, cluster, {"className": "nginx"}) == []
    assert problems(look, cluster, OTHERS) == []


def test_only_what_can_be_installed_is_proposed(look: Look, cluster: ApiServer) -> None:
    (text,) = problems(look, cluster, {"provider": "gke"})
    assert "GatewayClass gke-l7-regional-external-managed is not in the cluster" in text
    assert "install" not in text


def test_an_implementation_brings_its_class(look: Look, cluster: ApiServer) -> None:
    cluster.answers[CLASSES] = classes("nginx")
    assert problems(look, cluster, {"install": True}) == []


@pytest.mark.parametrize("answer", [classes(), (403, {"code": 403})], ids=["none yet", "may not look"])
def test_without_any_class_nothing_is_said_of_one(answer: Answer, look: Look, cluster: ApiServer) -> None:
    cluster.answers[CLASSES] = answer
    assert problems(look, cluster, {}) == []


# --- another owner's Gateway -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(404, {"code": 404}), (403, {"code": 403})])
def test_a_shared_gateway_has_to_be_there(answer: Answer, look: Look, cluster: ApiServer) -> None:
    cluster.answers[SHARED] = answer
    (text,) = problems(look, cluster, OTHERS)
    assert text.startswith(
        f"llmd-pd:router.gateway: Gateway {NAME} is not in namespace shared, or may not be read, because "
    )
    assert problems(look, cluster, {}) == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (gateway(None), "its controller has not said why"),
        (gateway("Unknown"), "its controller has not said why"),
        (gateway("False", reason="AddressNotAssigned"), "AddressNotAssigned"),
        (gateway("False", reason="Invalid", message="no free address."), "no free address"),
    ],
)
def test_a_shared_gateway_has_to_work(answer: Answer, why: str, look: Look, cluster: ApiServer, tmp_path: Path) -> None:
    cluster.answers[SHARED] = answer
    (text,) = problems(look, cluster, OTHERS)
    assert f"Gateway shared/{NAME} is not programmed, because {why}; wait for it" in text
    flags = f"--kubeconfig {tmp_path / 'kubeconfig'} --context prod"
    assert f"`kubectl describe gateway {NAME} -n shared {flags}`" in text


@pytest.mark.parametrize(("come_from", "taken"), [("All", True), ("Selector", True), ("Same", False), (None, False)])
def test_a_shared_gateway_has_to_take_routes_of_the_stacks_namespace(
    come_from: str | None, taken: bool, look: Look, cluster: ApiServer
) -> None:
    cluster.answers[SHARED] = gateway(come_from=come_from)
    found = problems(look, cluster, OTHERS)
    assert bool(found) != taken
    for text in found:
        assert f"no listener of Gateway shared/{NAME} takes HTTPRoutes of namespace team-a, because" in text


def test_a_listener_that_serves_no_http_takes_no_route(look: Look, cluster: ApiServer) -> None:
    here = f"{API}/namespaces/team-a/gateways/{NAME}"
    cluster.answers |= {NAMESPACE: namespace(OWNER), SHARED: gateway(protocol="TLS"), here: gateway(protocol="TCP")}
    (elsewhere,) = problems(look, cluster, OTHERS)
    (beside,) = problems(look, cluster, {"manage": False})
    assert f"no listener of Gateway shared/{NAME} takes HTTPRoutes of namespace team-a" in elsewhere
    assert f"no listener of Gateway team-a/{NAME} takes HTTPRoutes of namespace team-a" in beside


def test_a_gateway_beside_the_stack_takes_its_routes(look: Look, cluster: ApiServer) -> None:
    here = f"{API}/namespaces/team-a/gateways/{NAME}"
    cluster.answers |= {NAMESPACE: namespace(OWNER), here: gateway(come_from="Same")}
    assert problems(look, cluster, {"manage": False}) == []


# --- routes of others ------------------------------------------------------------------------------------------------------

HEADER = "X-Gateway-Base-Model-Name"


def route(*matches: dict[str, Any] | None, place: str = "team-b/search", **spec: Any) -> dict[str, Any]:
    where, _, name = place.partition("/")
    rules = [{"matches": [match]} if match is not None else {} for match in matches]
    parents = [{"name": NAME, "namespace": "shared"}]
    return {"metadata": {"namespace": where, "name": name}, "spec": {"parentRefs": parents, "rules": rules, **spec}}


def of_model(model: str, **more: Any) -> dict[str, Any]:
    return {"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"name": HEADER, "value": model}], **more}


WHOLE = {"path": {"type": "PathPrefix", "value": "/"}}


@pytest.mark.parametrize(
    ("found", "model", "rival"),
    [
        (route(WHOLE), None, True),
        (route(None), None, True),
        (route({}), None, True),
        (route(of_model("llama")), None, False),
        (route(of_model("llama")), "llama", True),
        (route(of_model("qwen")), "llama", False),
        (route(of_model("qwen"), of_model("llama")), "llama", True),
        (route(WHOLE), "llama", False),
        (route(of_model("llama", headers=[{"name": HEADER.lower(), "value": "llama"}])), "llama", True),
        (route({**WHOLE, "headers": [{"name": "x-team", "value": "search"}]}), None, False),
        # More special than ours, and so no rival: a path, a host.
        (route({"path": {"type": "PathPrefix", "value": "/search"}}), None, False),
        (route(WHOLE, hostnames=["search.example.com"]), None, False),
        # Ours, or on another Gateway.
        (route(WHOLE, place="team-a/pd-disaggregation"), None, False),
        (route(WHOLE, place="team-a/pd-disaggregation-shared"), None, False),
        (route(WHOLE, place="team-b/pd-disaggregation"), None, True),
        (route(WHOLE, parentRefs=[{"name": NAME}]), None, False),
        (route(WHOLE, parentRefs=[{"name": "other", "namespace": "shared"}]), None, False),
        (route(WHOLE, parentRefs=[{"kind": "Service", "name": NAME, "namespace": "shared"}]), None, False),
        (route(WHOLE, parentRefs=[]), None, False),
    ],
    ids=str,
)
def test_which_routes_are_rivals(
    found: dict[str, Any], model: str | None, rival: bool, look: Look, cluster: ApiServer
) -> None:
    cluster.answers[ROUTES] = items(found)
    stated = {**OTHERS, **({"baseModel": model} if model else {})}
    texts = problems(look, cluster, stated)
    assert len(texts) == (1 if rival else 0)
    for text in texts:
        who = "/".join((found["metadata"]["namespace"], found["metadata"]["name"]))
        what = f"requests for base model {model}" if model else "every request"
        assert text.startswith(
            f"llmd-pd:router.gateway.baseModel: HTTPRoute {who} takes {what} on this Gateway already"
        )


def test_every_rival_is_named(look: Look, cluster: ApiServer) -> None:
    cluster.answers[ROUTES] = items(route(WHOLE), route(WHOLE, place="team-c/talk"))
    assert len(problems(look, cluster, OTHERS)) == 2


# --- the implementation ----------------------------------------------------------------------------------------------------

ISTIOD = "/api/v1/namespaces/istio-system/secrets"


def test_an_implementation_of_somebody_else_is_not_taken_over(look: Look, cluster: ApiServer, tmp_path: Path) -> None:
    cluster.answers |= {ISTIOD: releases("Install complete"), NAMESPACE: namespace(OWNER)}
    base, istiod = problems(look, cluster, {"install": True})
    flags = f"--kubeconfig {tmp_path / 'kubeconfig'} --kube-context prod"
    assert base.startswith("llmd-pd:router.gateway.install: Helm release istio-base is in istio-system already")
    assert "because it is another owner's" in istiod
    assert (
        f"write `install: false` to use it, or remove it first: `helm uninstall istiod -n istio-system {flags}`"
        in istiod
    )
    asked = {query for path, query, _ in cluster.asked if path == ISTIOD}
    assert asked == {f"labelSelector=owner%3Dhelm%2Cname%3D{name}" for name in ("istio-base", "istiod")}


@pytest.mark.parametrize("answer", [None, namespace(None), namespace("acme/llmd-pd/dev")])
def test_what_a_destroy_left_behind_is_told(answer: Answer | None, look: Look, cluster: ApiServer) -> None:
    """A release that says it is ours, of a stack that has no namespace (any more): Pulumi knows nothing of it."""
    cluster.answers |= {ISTIOD: releases(OWNER)} | ({NAMESPACE: answer} if answer else {})
    found = [text for text in problems(look, cluster, {"install": True}) if "Helm release" in text]
    assert len(found) == 2
    assert all("because it is left behind by an earlier life of this stack" in text for text in found)


def test_the_implementation_of_this_life_is_fine(look: Look, cluster: ApiServer) -> None:
    cluster.answers |= {ISTIOD: releases(OWNER), NAMESPACE: namespace(OWNER)}
    assert problems(look, cluster, {"install": True}) == []


def test_who_uses_an_implementation_does_not_ask_whose_it_is(look: Look, cluster: ApiServer) -> None:
    cluster.answers |= {ISTIOD: releases("Install complete")}
    assert problems(look, cluster, {}) == []


# --- the proxy's configuration, in mode standalone ---------------------------------------------------------------------------

ENVOY = f"{NAMESPACE}/configmaps/envoy"


@pytest.mark.parametrize(
    ("annotations", "whose"),
    [
        ({"meta.helm.sh/release-name": "other"}, "Helm release other"),
        ({"else": "x"}, "another owner"),
        (None, "another owner"),
        ({"meta.helm.sh/release-name": "pd-disaggregation"}, None),
    ],
)
def test_a_second_proxy_in_one_namespace(
    annotations: dict[str, str] | None, whose: str | None, look: Look, cluster: ApiServer
) -> None:
    metadata = {"name": "envoy"} | ({"annotations": annotations} if annotations else {})
    cluster.answers |= {NAMESPACE: namespace(OWNER), ENVOY: (200, {"kind": "ConfigMap", "metadata": metadata})}
    assert problems(look, cluster, {}) == []  # mode gateway has no proxy
    if whose is None:
        look(cluster.url)
        return
    with pytest.raises(StackFileError, match=f"because it belongs to {whose}, and the standalone chart"):
        look(cluster.url)
