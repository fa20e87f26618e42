"""Values that Google fills in: kept in the state, shown by a second preview or not, as the provider's schema has it."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.clouds import CLOUD
from rehearsal.clouds.gke.answers import ANSWERS, Answer
from rehearsal.clouds.gke.pretend import GKE
from rehearsal.clouds.inputs import camel
from rehearsal.clouds.provider import PretendProvider
from rehearsal.plugins.plugin import Engine
from rehearsal.plugins.provider import Changes
from rehearsal.plugins.values import to_struct
from stacks.clouds.gke.laws.view import look_up
from stacks.clouds.resource import Resource
from tests.gke_plans import VARIANTS, planned, stack, variant
from tests.pretend_cloud import Program, declares, spelt, token

CLUSTER, POOL, NAT = "pd-disaggregation-cluster", "pd-disaggregation-accelerators", "pd-disaggregation-nat"
ROWS = [(kind, answer) for kind, answers in ANSWERS.items() for answer in answers]
#: For every row that a preview shows: a variant of which GKE returns it, the resource, and what else that has to say.
SHOWN: dict[str, tuple[str, str, dict[str, Any]]] = {
    "private_cluster_config.enable_private_endpoint": ("dranet", CLUSTER, {}),
    "node_config.gvnic": ("dranet", POOL, {}),
    "node_config.ephemeral_storage_local_ssd_config": ("dranet", POOL, {}),
    "node_config.reservation_affinity": ("on demand", POOL, {}),
    "node_config.host_maintenance_policy": ("dranet", POOL, {}),
    "placement_policy": ("tpu7x", POOL, {}),
    "max_ports_per_vm": ("dranet", NAT, {"enable_dynamic_port_allocation": True}),
}
#: Those of them that replace the resource: what the provider's schema has as ForceNew.
REPLACES = {
    "node_config.ephemeral_storage_local_ssd_config",
    "node_config.reservation_affinity",
    "node_config.host_maintenance_policy",
    "placement_policy",
}


def without(resource: Resource, path: str) -> Resource:
    """A resource that leaves an argument out, and ignores nothing."""

    def gone(args: Any, steps: list[str]) -> Any:
        step, *rest = steps
        if not rest:
            return {key: value for key, value in args.items() if key != step}
        return {**args, step: gone(args[step], rest)} if step in args else args

    return replace(resource, args=gone(resource.args, path.split(".")), ignore_changes=())


def second_preview(resource: Resource, program: Program) -> Changes:
    """The diff after an `up`, of a program that has not changed."""
    program.create(resource)
    return program.diff(resource)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json")


def made_before(name: str, resource: str, program: Program) -> Resource:
    """A resource of a variant, all that it stands on being there."""
    plan = planned(variant(name))
    found = plan.resource(resource)
    program.create_all(plan.resources[: plan.resources.index(found)])
    return found


# --- the table -----------------------------------------------------------------------------------------------------------


def test_every_answer_that_shows_is_tried() -> None:
    shown = [answer.path for _, answer in ROWS if not answer.quiet]
    assert sorted(shown) == sorted(SHOWN)
    assert set(shown) >= REPLACES


@pytest.mark.parametrize(
    "answer", [answer for _, answer in ROWS], ids=[f"{kind} {answer.path}" for kind, answer in ROWS]
)
def test_every_answer_has_a_source(answer: Answer) -> None:
    assert ".go" in answer.source


@pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")
def test_every_answer_is_an_argument_of_the_sdks() -> None:
    assert [(kind, answer.path) for kind, answer in ROWS if not declares(kind, answer.path)] == []


# --- the state -----------------------------------------------------------------------------------------------------------


def test_what_is_left_out_is_in_the_state(program: Program) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    cluster, pool = program.states[CLUSTER], program.states[POOL]
    assert cluster["privateClusterConfig"]["enablePrivateEndpoint"] is True
    assert cluster["privateClusterConfig"]["masterGlobalAccessConfig"] == {"enabled": False}
    assert cluster["nodeVersion"] == plan.settings.gke.version
    assert pool["nodeConfig"]["resourceLabels"] == {"goog-gke-accelerator-type": "nvidia-h200-141gb"}
    assert pool["nodeConfig"]["diskSizeGb"] == 100
    assert pool["maxPodsPerNode"] == 110
    assert program.states["pd-disaggregation-system"]["autoscaling"]["locationPolicy"] == "BALANCED"


def test_what_is_said_is_as_it_is_said(program: Program) -> None:
    pool = made_before("dranet", POOL, program)
    said = {"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1}
    assert pool.args["upgrade_settings"] == said
    assert program.create(pool)["upgradeSettings"] == {camel(key): value for key, value in said.items()}


def test_a_refresh_finds_nothing_new(program: Program) -> None:
    """State and inputs are those that the `up` left, and no answer becomes an input."""
    plan = planned(stack())
    program.create_all(plan.resources)
    for one in plan.resources:
        told, state = program.told(one.name, one.type), {**program.states[one.name]}
        id_ = state.pop("id")
        assert program.of(one.type).read(told, id_, program.inputs[one.name], state) == (
            id_,
            program.inputs[one.name],
            state,
        )


def test_a_change_keeps_them(program: Program) -> None:
    cluster = made_before("dranet", CLUSTER, program)
    program.create(cluster)
    changed = without(cluster, "private_cluster_config.enable_private_endpoint")
    assert program.diff(changed).updates
    assert program.update(changed)["privateClusterConfig"]["enablePrivateEndpoint"] is True
    assert program.diff(changed).updates, "it comes back, at every preview"


# --- a second preview ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VARIANTS)
def test_a_second_preview_of_every_plan_shows_nothing(name: str, program: Program) -> None:
    plan = planned(variant(name))
    program.create_all(plan.resources)
    assert {one.name: changes.updates for one in plan.resources if (changes := program.diff(one)).updates} == {}


@pytest.mark.parametrize("path", SHOWN)
def test_what_is_left_out_shows_by_its_name(path: str, program: Program) -> None:
    name, resource, more = SHOWN[path]
    made = made_before(name, resource, program)
    found = without(replace(made, args={**made.args, **more}), path)
    changes = second_preview(found, program)
    assert changes.updates[camel(path)] == "DELETE"
    assert (camel(path) in changes.replaces) == (path in REPLACES)


@pytest.mark.parametrize("path", SHOWN)
def test_and_not_if_it_is_said(path: str, program: Program) -> None:
    name, resource, more = SHOWN[path]
    made = made_before(name, resource, program)
    left_out = without(replace(made, args={**made.args, **more}), path)
    program.create(left_out)
    (answer,) = (answer for kind, answer in ROWS if kind == made.type and answer.path == path)
    said = placed(left_out, path, answer.value(left_out.args))
    assert camel(path) not in program.diff(said).updates


def placed(resource: Resource, path: str, value: Any) -> Resource:
    *block, last = path.split(".")
    args: Any = resource.args
    inner = {**(look_up(args, ".".join(block)) if block else args), last: value}
    return replace(resource, args={**args, block[0]: inner} if block else inner)


def test_the_plan_of_before_showed_its_endpoint_at_every_preview(program: Program) -> None:
    """The cluster of commit d0c85e2 said `private_cluster_config: {enable_private_nodes: true}`, with the IP endpoints off."""
    cluster = made_before("dranet", CLUSTER, program)
    old = replace(cluster, args={**cluster.args, "private_cluster_config": {"enable_private_nodes": True}})
    changes = second_preview(old, program)
    assert changes.updates == {"privateClusterConfig.enablePrivateEndpoint": "DELETE"}
    assert changes.replaces == set()


def test_what_google_dictates_shows_where_it_is_said_otherwise(program: Program) -> None:
    """With the IP endpoints off, neither argument is sent: what the program says of them never becomes true."""
    cluster = made_before("dranet", CLUSTER, program)
    private = {"enable_private_nodes": True, "master_global_access_config": {"enabled": True}}
    said = {**private, "enable_private_endpoint": False}
    changes = second_preview(replace(cluster, args={**cluster.args, "private_cluster_config": said}), program)
    assert changes.updates == {
        "privateClusterConfig.enablePrivateEndpoint": "UPDATE",
        "privateClusterConfig.masterGlobalAccessConfig.enabled": "UPDATE",
    }


def test_what_a_program_ignores_does_not_show(program: Program) -> None:
    pool = replace(made_before("tpu7x", POOL, program), ignore_changes=())
    assert second_preview(pool, program).replaces == {"placementPolicy", "nodeConfig.hostMaintenancePolicy"}
    ignored = replace(pool, ignore_changes=("placementPolicy", "nodeConfig.hostMaintenancePolicy"))
    assert program.diff(ignored).updates == {}


def test_the_engine_is_told_so_over_the_protocol(tmp_path: Path) -> None:
    provider = PretendProvider(GKE, "10.2.0", Engine(""), {CLOUD: str(tmp_path / "cloud.json")})
    provider.configure({"project": "acme-serving"})
    args = without(planned(stack()).resource(CLUSTER), "private_cluster_config.enable_private_endpoint").args
    inputs = to_struct(spelt(args))
    state = to_struct(
        {**spelt(args), "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True}}
    )
    type_ = token("container.Cluster")
    asked = {"urn": f"urn:pulumi:prod::llmd-pd::{type_}::c", "type": type_, "name": "c", "id": "c"}

    def diff(*ignored: str) -> Any:
        request = provider_pb2.DiffRequest(**asked, olds=state, news=inputs, old_inputs=inputs, ignoreChanges=ignored)
        return provider.Diff(request, None)

    assert [*diff().detailedDiff] == ["privateClusterConfig.enablePrivateEndpoint"]
    assert diff("privateClusterConfig").changes == provider_pb2.DiffResponse.DIFF_NONE
    assert diff("privateCluster").changes == provider_pb2.DiffResponse.DIFF_SOME
