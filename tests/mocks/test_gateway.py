"""Mode gateway: components register exactly what the plan holds, in an order that up and destroy can both keep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import dynamic

from components.gateway_guard import GuardProvider
from releases.values import look_up
from stacks.compose import compose
from tests.blueprints import whole
from tests.crd_files import write
from tests.mocks.gateways import GUARD, INSTALLED, NAME, NAMESPACE, OWNED, STACKS, STEM, Case, composed, planned
from tests.mocks.recording import GATEWAY, OWNER, record

POOLS = "inferencepools.inference.networking.k8s.io"


@pytest.fixture(scope="module")
def crd_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("crds"))


@pytest.fixture(scope="module", params=STACKS)
def case(request: pytest.FixtureRequest, crd_directory: Path) -> Case:
    return composed(request.param, crd_directory)


def placed(obj: Mapping[str, Any], namespace: str, **annotations: str) -> dict[str, Any]:
    metadata = {**obj["metadata"], "namespace": namespace}
    if annotations:
        metadata["annotations"] = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    return {**obj, "metadata": metadata}


# --- what is registered ------------------------------------------------------------------------------------------------


def test_the_gateway_is_the_plans_and_waited_for(case: Case) -> None:
    gateway, namespace = case.plan.gateway, case.plan.spec.namespace
    assert gateway is not None
    expected = [placed(obj, namespace) for obj in gateway.objects[:-1]]
    expected += [placed(obj, namespace, waitFor="condition=Programmed") for obj in gateway.objects[-1:]]
    assert [r.inputs for r in case.recording.under("Gateway")] == expected
    assert bool(expected) == (case.name in OWNED) == (not case.gateway.read)


def test_somebody_elses_gateway_is_read_and_not_made(case: Case) -> None:
    reads = [r for r in case.recording.resources if r.read and r.type == GATEWAY]
    namespace = STACKS[case.name][0].get("namespace", case.plan.spec.namespace)
    # No parent: a read is never a target, and `pulumi up --target` loses a parent that is none.
    # Without the namespace beside `apiVersion` and `kind`, the official provider looks in `default`.
    api, kind = "gateway.networking.k8s.io/v1", "Gateway"
    inputs = {"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": NAME}}
    expected = [] if case.name in OWNED else [({**inputs, "id": f"{namespace}/{NAME}"}, "cluster-cluster", False)]
    assert [(r.inputs, r.provider, r.parent in case.components) for r in reads] == expected


def test_the_implementation_is_the_plans_release_by_release(case: Case) -> None:
    stated = case.plan.spec.router.gateway
    assert stated is not None
    found = case.recording.under("GatewayImplementation")
    assert bool(found) == (case.name in INSTALLED)
    keys = ("name", "namespace", "createNamespace", "description", "timeout", "replace", "values")
    assert case.plan.gateway is not None
    assert [tuple(r.inputs[key] for key in keys) for r in found] == [
        (release.name, release.namespace, True, OWNER, 600, True, release.values)
        for release in case.plan.gateway.implementation
    ]
    assert {r.retained for r in found} <= {stated.retain}
    before: set[str] = set()
    for release in found:
        assert before <= release.after
        before.add(release.name)


def test_charts_are_named_as_helm_wants_them(crd_directory: Path) -> None:
    def charts(name: str) -> list[tuple[Any, ...]]:
        found = composed(name, crd_directory).recording.under("GatewayImplementation")
        return [(r.inputs["chart"], r.inputs.get("repositoryOpts"), r.inputs["version"]) for r in found]

    repository = {"repo": "https://istio-release.storage.googleapis.com/charts"}
    assert charts("istio installed") == [("base", repository, "1.29.2"), ("istiod", repository, "1.29.2")]
    oci = "oci://cr.agentgateway.dev/charts"
    assert charts("agentgateway not retained") == [
        (f"{oci}/agentgateway-crds", None, "v1.1.0"),
        (f"{oci}/agentgateway", None, "v1.1.0"),
    ]


def test_mays_chart_cannot_name_a_gateway_elsewhere_so_the_route_is_ours(crd_directory: Path) -> None:
    case = composed("shared elsewhere, May", crd_directory)
    (route,) = case.recording.under("Route")
    header = {"type": "Exact", "name": "X-Gateway-Base-Model-Name", "value": "gpt-oss-120b"}
    assert route.type == "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
    # Not the chart's name: Helm takes no object over that it did not make, and one day its chart makes the route.
    accepted = 'jsonpath={.status.parents[*].conditions[?(@.type=="Accepted")].status}=True'
    annotations = {"pulumi.com/waitFor": accepted}
    assert route.inputs["metadata"] == {
        "name": f"{STEM}-shared",
        "namespace": NAMESPACE,
        "annotations": annotations,
    }
    assert (route.create_timeout, route.update_timeout) == ("900s", "900s")
    assert route.inputs["spec"] == {
        "parentRefs": [
            {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": NAME, "namespace": "shared"},
        ],
        "rules": [
            {
                "backendRefs": [{"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": STEM}],
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}],
                "timeouts": {"request": "0s"},
            }
        ],
    }
    assert "experimentalHttpRoute" not in case.router.inputs["values"]


def test_junes_chart_is_told_where_the_gateway_is(crd_directory: Path) -> None:
    case = composed("shared elsewhere, June", crd_directory)
    assert case.recording.of(":HTTPRoute") == []
    assert case.router.inputs["values"]["httpRoute"] == {
        "create": True,
        "inferenceGatewayName": NAME,
        "inferenceGatewayNamespace": "shared",
        "requestTimeout": "0s",
        "baseModel": "gpt-oss-120b",
    }


def test_the_chart_makes_the_route_to_a_gateway_beside_it(crd_directory: Path) -> None:
    for name in ("istio", "shared here", "gke"):
        case = composed(name, crd_directory)
        values = case.router.inputs["values"]
        route = values["httpRoute"] if "httpRoute" in values else values["experimentalHttpRoute"]
        assert route.get("create", route.get("enabled")) is True
        assert route["inferenceGatewayName"] == NAME
        assert "inferenceGatewayNamespace" not in route
        assert values["provider"]["name"] == STACKS[name][0]["provider"]
        assert case.recording.of(":HTTPRoute") == []


def test_gkes_limit_is_patched_into_the_charts_policy(case: Case) -> None:
    found = case.recording.under("BackendTimeout")
    assert bool(found) == case.name.startswith("gke")
    for patch in found:
        assert patch.type == "kubernetes:networking.gke.io/v1:GCPBackendPolicyPatch"
        assert patch.inputs == {
            "apiVersion": "networking.gke.io/v1",
            "kind": "GCPBackendPolicy",
            "metadata": {"name": STEM, "namespace": NAMESPACE, "annotations": {"pulumi.com/patchForce": "true"}},
            # Left out too: without the patch there would be no value, once there was one.
            "spec": {"default": {"timeoutSec": {"gke": 3600, "gke shared": 300}[case.name]}},
        }
        # With the release the chart's policy goes, and the patch of the next one is another.
        assert patch.trigger == case.router.trigger == case.plan.bill.router.epp_selector


def test_gkes_check_of_the_model_servers_is_patched_into_the_charts_policy_and_says_how_its_port_is_chosen(
    case: Case,
) -> None:
    found = case.recording.under("HealthCheck")
    assert bool(found) == case.name.startswith("gke")
    for patch in found:
        assert patch.type == "kubernetes:networking.gke.io/v1:HealthCheckPolicyPatch"
        check = {"portSpecification": "USE_FIXED_PORT", "port": 8000, "requestPath": "/health"}
        assert patch.inputs == {
            "apiVersion": "networking.gke.io/v1",
            "kind": "HealthCheckPolicy",
            "metadata": {"name": STEM, "namespace": NAMESPACE, "annotations": {"pulumi.com/patchForce": "true"}},
            "spec": {"default": {"config": {"type": "HTTP", "httpHealthCheck": check}}},
        }
        assert patch.trigger == case.router.trigger
        settings = case.plan.bill.router.settings
        assert look_up(case.router.inputs["values"], settings["protocol"]) == "", "the chart would write its own"


def test_nothing_but_the_plan_is_registered(case: Case) -> None:
    found, gateway = case.plan, case.plan.gateway
    assert gateway is not None
    patches = bool(gateway.backend_timeout) + bool(gateway.health_check)
    routing = len(gateway.objects) + len(gateway.implementation) + len(gateway.routes) + patches
    made = len(found.crds()) + 1 + len(found.model_server) + 1 + len(found.monitoring) + routing
    assert len(case.applied) == made
    assert len({r.name for r in case.applied}) == made


@pytest.mark.parametrize(("name", "number"), [("istio", 4 + 8), ("gke shared", 4), ("foreign CRDs", 0)])
def test_whose_crds_are_the_stacks(name: str, number: int, crd_directory: Path) -> None:
    """Of the inference extension May has 4, of the Gateway API there are 8, which GKE brings."""
    assert len(composed(name, crd_directory).recording.under("Crds")) == number


@pytest.mark.parametrize("name", ["istio", "gke"])
def test_a_crd_the_cluster_brings_is_left_out(name: str, crd_directory: Path) -> None:
    gateway, more = STACKS[name]
    found = planned(crd_directory, gateway, **more)
    recording = record(lambda: compose(whole(found), OWNER, preinstalled={POOLS}))
    wanted = {crd["metadata"]["name"] for crd in found.crds()}
    assert POOLS in wanted
    assert {crd.name for crd in recording.under("Crds")} == wanted - {POOLS}


# --- how it is registered ----------------------------------------------------------------------------------------------


def test_every_object_has_its_explicit_provider_and_a_component(case: Case) -> None:
    for resource in case.applied:
        shared = resource.type.endswith((":CustomResourceDefinition", ":Namespace"))
        assert resource.provider == ("cluster-shared" if shared else "cluster-cluster"), resource.name
        assert resource.parent in case.components, resource.name


def test_a_gateway_has_a_quarter_of_an_hour_to_come_and_to_go(case: Case) -> None:
    timeouts = {
        (r.name, r.create_timeout, r.update_timeout, r.delete_timeout) for r in case.applied if r.type == GATEWAY
    }
    name = case.gateway.name
    assert timeouts == ({(name, "900s", "900s", "900s")} if case.name in OWNED else set())


def test_only_crds_and_a_retained_implementation_outlive_the_stack(case: Case) -> None:
    stated = case.plan.spec.router.gateway
    assert stated is not None
    kept = {crd["metadata"]["name"] for crd in case.plan.crds()}
    if stated.retain:
        kept |= {r.name for r in case.recording.under("GatewayImplementation")}
    assert {r.name for r in case.recording.resources if r.retained} == kept


def test_crds_and_namespace_then_the_implementation_then_the_gateway(case: Case) -> None:
    first = {crd["metadata"]["name"] for crd in case.plan.crds()} | {case.plan.spec.namespace}
    implementation = case.recording.under("GatewayImplementation")
    for resource in implementation:
        assert first <= resource.after
    for resource in case.recording.under("Gateway"):
        assert first | {r.name for r in implementation} <= resource.after
    if case.name in OWNED:
        parameters = {r.name for r in case.recording.under("Gateway")} - {case.gateway.name}
        assert parameters <= case.gateway.after


def test_what_hangs_on_a_gateway_comes_after_it_and_so_goes_before_it(case: Case) -> None:
    gateway = {case.gateway.name} if case.name in OWNED else set()
    crds = {crd["metadata"]["name"] for crd in case.plan.crds()}
    assert case.router.after == gateway | crds | {case.plan.spec.namespace}
    for resource in (r for kind in ("Route", "BackendTimeout", "HealthCheck") for r in case.recording.under(kind)):
        assert resource.after == case.router.after | {case.router.name}


# --- the guard -----------------------------------------------------------------------------------------------------------


def test_a_gateway_of_the_stacks_own_is_guarded(case: Case) -> None:
    found = [r for r in case.recording.resources if r.type == GUARD]
    assert len(found) == (1 if case.name in OWNED else 0)
    for guard in found:
        spec = case.plan.spec
        inputs = {key: value for key, value in guard.inputs.items() if key != "__provider"}
        expected = {
            "gateway": case.gateway.inputs["metadata"]["name"],
            "gatewayNamespace": spec.namespace,
            "namespace": spec.namespace,
            "routes": [spec.name, f"{spec.name}-shared"],
            "deleteInUse": case.name == "foreign CRDs",
        }
        if case.name == "named":
            expected |= {"kubeconfig": str(Path("~/kube/a").expanduser()), "context": "a"}
        assert inputs == expected
        # In clear: it is a name, and a secret would be another text in every state.
        assert guard.inputs["__provider"] == dynamic.serialize_provider(GuardProvider())
        assert guard.parent not in case.components


@pytest.mark.parametrize("name", OWNED)
def test_a_destroy_asks_the_guard_before_anything_is_gone(name: str, crd_directory: Path) -> None:
    case = composed(name, crd_directory)
    (guard,) = (r for r in case.recording.resources if r.type == GUARD)
    assert case.recording.before(guard) == {r.name for r in case.applied}
    assert not any(guard.name in r.after for r in case.recording.resources)


# --- a preview -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["istio installed", "shared elsewhere, May"])
def test_a_preview_registers_the_same(name: str, crd_directory: Path) -> None:
    case = composed(name, crd_directory)
    previewed = record(lambda: compose(whole(case.plan), OWNER), preview=True)
    inputs = {(r.type, r.name): r.inputs for r in case.recording.resources}
    assert {(r.type, r.name): r.inputs for r in previewed.resources} == inputs
