"""Components register exactly what the plan holds, with the right provider, parent, order, retention and patience.

Every stack file of the repository on an existing cluster, and specs that turn on what those leave off.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.model_server import IMAGE_PULL_SECONDS
from hardware.accelerators import ACCELERATORS
from hardware.render.namespace import OWNER as OWNER_KEY
from stacks.blueprint import ServingBlueprint
from stacks.compose import compose
from stacks.file.load import load
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.rules.previous import pod_templates
from stacks.spec.stack import StackSpec
from tests.blueprints import spec_from_config, whole
from tests.crd_files import write
from tests.mocks.recording import OWNER, PROVIDER, SERVICE_ADDRESS, Recording, Registration, record

ROOT = Path(__file__).parents[2]
#: Without those that make a cluster on GKE: test_gke_compose.
FILES = sorted(path for path in ROOT.glob("Pulumi.*.yaml") if not path.name.startswith("Pulumi.gke-"))

#: Settings that no stack file of the repository turns on.
SPECS: dict[str, dict[str, Any]] = {
    "bare": {"serving": {"accelerator": "nvidia"}},
    "tpu": {"serving": {"accelerator": "tpu"}},
    "privileged claims": {"serving": {"accelerator": "hpu"}},
    "claims with a NIC": {"serving": {"accelerator": "xpu", "fabric": "rdma"}, "monitoring": {"router": True}},
    "a claim per device": {"serving": {"accelerator": "nvidia", "fabric": "gke-rdma"}},
    "another release": {"release": "guide-2026-06", "serving": {"accelerator": "tpu-v6e"}},
    "EFA": {"release": "guide-2026-06", "serving": {"accelerator": "nvidia", "engine": "sglang", "fabric": "aws"}},
    "amd": {"serving": {"accelerator": "amd", "fabric": "oci"}, "monitoring": {"podMonitors": True}},
    "named": {
        "name": "tiny",
        "namespace": "team-a",
        "cluster": {"kubeconfig": "~/kube/team-a", "context": "team-a"},
        "serving": {"accelerator": "nvidia", "engine": "sglang"},
        "router": {"chart": {"source": "charts/router.tgz"}},
    },
    "patient": {"serving": {"accelerator": "nvidia", "wait": False}, "router": {"wait": False}},
    "autoscaled": {"serving": {"accelerator": "nvidia", "decode": {"replicas": 4, "autoscaled": True}}},
    "foreign CRDs": {"serving": {"accelerator": "nvidia"}, "crds": {"manage": False}},
    "mirror": {
        "serving": {"accelerator": "nvidia"},
        "router": {"chart": {"source": "oci://mirror.example/standalone", "version": "v1.5.1"}},
    },
}
CASES = [*(path.name for path in FILES), *SPECS]


@dataclass(frozen=True)
class Case:
    plan: ServingBlueprint
    recording: Recording

    @property
    def spec(self) -> StackSpec:
        return self.plan.spec

    @property
    def objects(self) -> list[dict[str, Any]]:
        return self.plan.model_server


@pytest.fixture(scope="module")
def crd_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("crds"))


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, crd_directory: Path) -> Case:
    return composed(request.param, crd_directory)


def composed(name: str, crd_directory: Path) -> Case:
    spec = spec_from_config(SPECS[name]) if name in SPECS else load(ROOT / name).spec
    if spec.crds.manage:
        spec = spec.model_copy(update={"crds": spec.crds.model_copy(update={"directory": str(crd_directory)})})
    planned = serving_blueprint(spec, ROOT)
    return Case(planned, record(lambda: compose(whole(planned, ROOT), OWNER)))


def in_namespace(obj: dict[str, Any], namespace: str) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def with_annotation(obj: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    annotations = {**obj["metadata"].get("annotations", {}), key: value}
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def by_name(resources: list[Registration]) -> dict[tuple[str, str], Registration]:
    return {(resource.inputs["kind"], resource.inputs["metadata"]["name"]): resource for resource in resources}


def identity(obj: dict[str, Any]) -> tuple[str, str]:
    return obj["kind"], obj["metadata"]["name"]


# --- what is registered ------------------------------------------------------------------------------------------------


def test_the_repository_has_stack_files() -> None:
    assert {path.name for path in FILES} >= {
        "Pulumi.rehearsal.yaml",
        "Pulumi.coreweave-h200.yaml",
    }


def test_model_servers_are_the_renderers_objects_in_the_namespace_and_nothing_else(case: Case) -> None:
    expected = {}
    for obj in case.objects:
        placed = in_namespace(obj, case.spec.namespace)
        if obj["kind"] == "Deployment" and not case.spec.serving.wait:
            placed = with_annotation(placed, "pulumi.com/skipAwait", "true")
        expected[identity(obj)] = placed
    found = by_name(case.recording.under("ModelServer"))
    assert {key: resource.inputs for key, resource in found.items()} == expected


def test_crds_are_the_bills_and_waited_for(case: Case) -> None:
    found = case.recording.under("Crds")
    expected = [with_annotation(crd, "pulumi.com/waitFor", "condition=Established") for crd in case.plan.crds()]
    assert {key: crd.inputs for key, crd in by_name(found).items()} == {identity(crd): crd for crd in expected}
    installed = {"guide-2026-05": 4, "guide-2026-06": 1}[case.spec.release]
    assert len(found) == (installed if case.spec.crds.manage else 0)
    assert bool(case.recording.of(":Crds")) == case.spec.crds.manage


def test_the_service_is_read_by_name_and_namespace(case: Case) -> None:
    """A read that states `apiVersion` and `kind` alone makes the official provider look in the namespace `default`."""
    (service,) = [found for found in case.recording.of("core/v1:Service") if found.read]
    namespace, name = case.spec.namespace, f"{case.plan.router.name}-epp"
    metadata = {"namespace": namespace, "name": name}
    assert service.inputs == {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata, "id": f"{namespace}/{name}"
    }  # fmt: skip
    assert service.provider == "cluster-cluster"


def test_the_namespace_is_the_plans_and_says_whose_it_is(case: Case) -> None:
    (namespace,) = case.recording.under("ServingNamespace")
    assert namespace.inputs == case.plan.namespace(OWNER)
    assert namespace.inputs["metadata"]["annotations"] == {OWNER_KEY: OWNER}
    assert namespace.delete_timeout == "20m", "load balancers hold it for minutes"


def test_pod_monitors_are_there_exactly_when_asked_for(case: Case) -> None:
    found = {key: monitor.inputs for key, monitor in by_name(case.recording.under("Monitoring")).items()}
    assert found == {identity(obj): in_namespace(obj, case.spec.namespace) for obj in case.plan.monitoring}
    assert len(found) == (2 if case.spec.monitoring.pod_monitors else 0)
    assert bool(case.recording.of(":Monitoring")) == case.spec.monitoring.pod_monitors


def test_the_release_is_the_plans(case: Case) -> None:
    release_ = case.recording.one(":Release")
    router = case.plan.router
    expected = {
        "name": router.name,
        "namespace": case.spec.namespace,
        "chart": router.chart,
        "values": router.values,
        "description": OWNER,
        "skipCrds": True,
        "replace": True,
        "skipAwait": not case.spec.router.wait,
        "timeout": 600,
    }
    if router.version is not None:
        expected["version"] = router.version
    found = {key: value for key, value in release_.inputs.items() if key != "compat"}
    assert found == expected


def test_the_release_goes_before_another_comes_when_its_chart_selects_otherwise(case: Case) -> None:
    release_ = case.recording.one(":Release")
    assert release_.trigger == case.plan.bill.router.epp_selector
    assert release_.deleted_first


def test_a_chart_of_a_repository_goes_by_its_name() -> None:
    place = "https://charts.example.test/llmd"
    stated = {"serving": {"accelerator": "nvidia"}, "crds": {"manage": False}, "mirror": {"charts": place}}
    planned = serving_blueprint(spec_from_config(stated), ROOT)
    inputs = record(lambda: compose(whole(planned, ROOT), OWNER)).one(":Release").inputs
    assert (inputs["chart"], inputs["repositoryOpts"], inputs["version"]) == ("standalone", {"repo": place}, "v1.5.0")


def test_a_chart_from_a_registry_is_pinned(case: Case) -> None:
    inputs = case.recording.one(":Release").inputs
    if "://" in inputs["chart"]:
        assert inputs["version"].startswith("v")
    else:
        assert Path(inputs["chart"]).is_absolute()


def test_nothing_but_the_plan_is_registered(case: Case) -> None:
    planned = case.plan
    made = (
        len(whole(planned).cluster.pools)
        + len(planned.crds())
        + 1
        + len(planned.model_server)
        + 1
        + len(planned.monitoring)
    )
    others = [r for r in case.recording.resources if r.type.startswith("kubernetes:") and not r.read]
    assert len(others) == made
    assert [r.inputs["id"] for r in case.recording.resources if r.read] == [
        f"{case.spec.namespace}/{planned.router.name}-epp"
    ]
    assert len({r.name for r in case.recording.resources if r.type.startswith("kubernetes:")}) == made + 1


# --- how it is registered ----------------------------------------------------------------------------------------------


#: Kinds that are taken over where they exist; whose they are has been looked at before.
ADOPTED = (":CustomResourceDefinition", ":Namespace", ":NodePool")


def test_every_object_has_its_explicit_provider(case: Case) -> None:
    objects = [r for r in case.recording.resources if r.type.startswith("kubernetes:")]
    assert {r.name: r.provider for r in objects} == {
        r.name: "cluster-shared" if r.type.endswith(ADOPTED) else "cluster-cluster" for r in objects
    }


def test_only_the_shared_provider_takes_over_what_exists(case: Case) -> None:
    upserts = {r.name: str(r.inputs.get("upsertExistingObjects", "false")).lower() for r in case.recording.of(PROVIDER)}
    assert upserts == {"cluster-cluster": "false", "cluster-shared": "true"}


def test_both_providers_reach_the_cluster_the_stack_names(case: Case) -> None:
    stated = case.spec.cluster
    for provider in case.recording.of(PROVIDER):
        assert provider.inputs.get("context") == stated.context
        kubeconfig = str(Path(stated.kubeconfig).expanduser()) if stated.kubeconfig else None
        assert provider.inputs.get("kubeconfig") == kubeconfig
        assert str(provider.inputs["enableServerSideApply"]).lower() == "true"


def test_every_object_belongs_to_a_component(case: Case) -> None:
    components = {r.name for r in case.recording.resources if r.type.startswith("llmd-pd:index:")}
    for resource in case.recording.resources:
        if resource.type.startswith(("kubernetes:", "pulumi:providers:")):
            # A read has none, or `pulumi up --target` of anything else would break the state.
            assert resource.parent in components or resource.read, resource.name


def test_only_crds_outlive_the_stack(case: Case) -> None:
    retained = {r.name for r in case.recording.resources if r.retained}
    assert retained == {crd["metadata"]["name"] for crd in case.plan.crds()}


def test_everything_in_the_namespace_comes_after_it(case: Case) -> None:
    for component in ("ModelServer", "Monitoring"):
        for resource in case.recording.under(component):
            assert case.spec.namespace in resource.after, resource.name
    assert case.spec.namespace in case.recording.one(":Release").after


def test_deployments_come_after_what_their_pods_name(case: Case) -> None:
    needed = {obj["metadata"]["name"] for obj in case.objects if obj["kind"] != "Deployment"}
    hardware = case.plan.workload.hardware
    templates = (1 if hardware.fabric.claims else 2) if hardware.devices.device_class else 0
    assert len(needed) == 1 + templates
    deployments = case.recording.of(":Deployment")
    assert len(deployments) == 2
    for deployment in deployments:
        assert needed <= deployment.after


def test_the_router_depends_on_the_crds(case: Case) -> None:
    """By each CRD itself: a dependency on a component that turned out empty is silently nothing."""
    crds = {crd["metadata"]["name"] for crd in case.plan.crds()}
    first = {pool.name for pool in whole(case.plan).cluster.pools[:1]}
    assert case.recording.one(":Release").after == crds | {case.spec.namespace} | first


def test_deployments_are_waited_for_as_long_as_they_may_take(case: Case) -> None:
    budget = ACCELERATORS[case.spec.serving.accelerator].probes.budget_seconds
    for deployment in case.recording.of(":Deployment"):
        assert deployment.create_timeout == deployment.update_timeout == f"{budget + IMAGE_PULL_SECONDS}s"


def test_only_an_autoscaled_role_keeps_the_number_of_pods_it_has(case: Case) -> None:
    ignored = {r.inputs["metadata"]["labels"]["llm-d.ai/role"]: r.ignored for r in case.recording.of(":Deployment")}
    stated = case.spec.serving.sizing
    assert ignored == {role: ("spec.replicas",) if stated[role].autoscaled else () for role in ignored}
    assert {r.ignored for r in case.recording.resources if not r.type.endswith(":Deployment")} == {()}


def test_exports_tell_what_runs_where(case: Case) -> None:
    spec, stem = case.spec, case.plan.workload.stem
    assert case.recording.exports == {
        "namespace": spec.namespace,
        "endpoint": {"service": f"{spec.name}-epp", "port": 80, "address": SERVICE_ADDRESS},
        "deployments": {"prefill": f"{stem}-prefill", "decode": f"{stem}-decode"},
        "selector": {"llm-d.ai/guide": spec.name},
        "versions": case.plan.versions,
        "podTemplates": pod_templates(case.plan.model_server),
    }


# --- the numbers and the exceptions, stated ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accelerator", "seconds"), [("nvidia", 3615), ("tpu", 7215), ("amd", 1815), ("xpu", 1830), ("hpu", 1830)]
)
def test_patience_is_the_probe_budget_and_half_an_hour_for_the_image(
    accelerator: str, seconds: int, crd_directory: Path
) -> None:
    spec = spec_from_config({"serving": {"accelerator": accelerator}, "crds": {"directory": str(crd_directory)}})
    recording = record(lambda: compose(blueprint(spec, ROOT), OWNER))
    assert {r.create_timeout for r in recording.of(":Deployment")} == {f"{seconds + 1800}s"}


def test_the_release_waits_for_slow_crds(crd_directory: Path) -> None:
    applied = composed("bare", crd_directory)
    slow = record(lambda: compose(whole(applied.plan, ROOT), OWNER), slow=":CustomResourceDefinition")
    release_ = slow.resources.index(slow.one(":Release"))
    crds = [slow.resources.index(crd) for crd in slow.under("Crds")]
    assert len(crds) == 4
    assert max(crds) < release_
    assert slow.resources.index(slow.of(":Deployment")[0]) < min(crds), "the CRDs were not slow, so nothing was shown"


def test_nothing_is_imported_into_the_state_unasked(case: Case) -> None:
    assert [r.name for r in case.recording.resources if r.imported] == []


def test_a_preview_registers_the_same(crd_directory: Path) -> None:
    applied = composed("bare", crd_directory)
    previewed = record(lambda: compose(whole(applied.plan, ROOT), OWNER), preview=True)
    assert {r.name: r.inputs for r in previewed.resources} == {r.name: r.inputs for r in applied.recording.resources}
