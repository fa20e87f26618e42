"""The pretend cloud of CoreWeave: what it makes, what it refuses, and that nothing goes while something is in it."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.clouds.coreweave.pretend import COREWEAVE
from rehearsal.clouds.lifecycle import PretendResources
from rehearsal.clouds.provider import PretendProvider
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Resource
from rehearsal.plugins.values import UNKNOWN, is_unknown
from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.coreweave.pools import API
from stacks.clouds.resource import Resource as Planned
from tests import pretend_cloud
from tests.cks_plans import VARIANTS, planned, stack, variant, vpc
from tests.pretend_cloud import spelt

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_coreweave") is None, reason="pulumi-coreweave is not installed: make coreweave"
)
EVERY = pytest.mark.parametrize("name", VARIANTS)
ENDPOINT = "127.0.0.1:6443"


class Fleet:
    """An API server with NodePools of these names."""

    def __init__(self) -> None:
        self.pools: list[str] = []

    def items(self, path: str) -> list[dict[str, Any]]:
        assert path == API
        return [{"metadata": {"name": name}} for name in self.pools]


class Program(pretend_cloud.Program):
    """A stack's two resources, in a cluster whose API server is the fleet's."""

    def __init__(self, path: Path, stack: str = "prod") -> None:
        self.fleet = Fleet()
        super().__init__(path, stack, COREWEAVE, endpoint=ENDPOINT, fleet=self.fleet)

    def asked(self, one: Planned) -> tuple[PretendResources, Resource, dict[str, Any]]:
        return self.of(one.type), self.told(one.name, one.type), spelt(one.args, self.states)

    def made(self, plan: ClusterPlan) -> ClusterPlan:
        for one in plan.resources:
            assert self.check(one) == {}
            self.create(one)
        return plan


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json")


def part_of(plan: ClusterPlan, part: str) -> Planned:
    return vpc(plan) if part == "vpc" else plan.cluster


def changed(one: Planned, **args: Any) -> Planned:
    return replace(one, args={**one.args, **args})


# --- from nothing and back -----------------------------------------------------------------------------------------------


@EVERY
def test_a_plan_is_made_in_its_order_and_goes_in_the_reverse(name: str, program: Program) -> None:
    plan = program.made(planned(variant(name)))
    assert [record.kind for record in program.cloud.records()] == ["NetworkingVpc", "CksCluster"]
    for one in reversed(plan.resources):
        program.delete(one.name)
    assert program.cloud.records() == []
    assert [(event.event, event.kind) for event in program.cloud.events()] == [
        ("create", "NetworkingVpc"), ("create", "CksCluster"), ("delete", "CksCluster"), ("delete", "NetworkingVpc"),
    ]  # fmt: skip


def test_a_version_that_is_too_old_is_refused_once_the_vpc_is_there(program: Program) -> None:
    plan = planned(stack({"version": "v1.32"}))
    program.create(vpc(plan))
    with pytest.raises(Failure, match=r"invalid_argument: version v1\.32 is not available for new clusters"):
        program.create(plan.cluster)
    program.create(replace(plan.cluster, args={**plan.cluster.args, "version": "v1.33"}))


def test_outputs_are_what_coreweave_adds(program: Program) -> None:
    plan = program.made(planned(stack()))
    network, cluster = (program.states[one.name] for one in plan.resources)
    assert (cluster["apiServerEndpoint"], cluster["status"], cluster["vpcId"]) == (
        ENDPOINT,
        "STATUS_RUNNING",
        network["id"],
    )
    assert network["hostPrefixes"][0]["type"] == "PRIMARY"
    assert network["id"] != cluster["id"]


def test_a_preview_foresees_what_will_be_known(program: Program) -> None:
    for one in planned(stack()).resources:
        resources, told, inputs = program.asked(one)
        id_, state = resources.create(told, {**inputs, "vpcId": UNKNOWN} if "vpcId" in inputs else inputs, 0, True)
        assert id_ == ""
        assert state["name"] == "pd-disaggregation"
        assert any(is_unknown(value) for value in state.values())
    assert program.cloud.records() == []


def test_what_is_there_is_read_and_what_is_gone_is_not(program: Program) -> None:
    plan = program.made(planned(stack()))
    resources, told, inputs = program.asked(vpc(plan))
    id_ = program.states[vpc(plan).name]["id"]
    assert resources.read(told, id_, inputs, {}) == (id_, inputs, program.cloud.records()[0].state)
    assert resources.read(told, "another", inputs, {}) is None


# --- what it refuses before ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "args", "path", "words"),
    [
        ("vpc", {"zone": None}, "zone", "it is required"),
        ("vpc", {"zome": "a"}, "zome", "there is no such argument"),
        ("vpc", {"vpc_prefixes": [{"name": "pods"}]}, "vpcPrefixes[0].value", "it is required"),
        ("vpc", {"name": "a" * 31}, "name", "CW-06"),
        (
            "vpc",
            {"vpc_prefixes": [{"name": "a", "value": "10.0.0.0/8"}, {"name": "b", "value": "10.1.0.0/16"}]},
            "vpcPrefixes",
            "CW-12",
        ),
        ("cluster", {"public": "yes"}, "public", "'yes' is not of bool"),
        ("cluster", {"version": "1.35"}, "version", "CW-11"),
        ("cluster", {"pod_cidr_name": "pod"}, "podCidrName", "CW-06: the VPC has no prefix `pod`"),
        ("cluster", {"zone": "US-EAST-08A"}, "zone", "CW-06: the VPC is in US-EAST-02A"),
    ],
)
def test_inputs_are_checked(part: str, args: dict[str, Any], path: str, words: str, program: Program) -> None:
    plan = planned(stack())
    if part == "cluster":
        program.create(vpc(plan))
    found = program.check(changed(part_of(plan, part), **args))
    assert [*found] == [path]
    assert words in found[path]


def test_what_is_not_known_yet_breaks_no_law(program: Program) -> None:
    plan = planned(stack())
    program.create(vpc(plan))
    for one in (vpc(plan), plan.cluster):
        for argument in one.args:
            assert program.check(changed(one, **{argument: UNKNOWN})) == {}
    first, *rest = vpc(plan).args["vpc_prefixes"]
    for key in first:
        assert program.check(changed(vpc(plan), vpc_prefixes=[{**first, key: UNKNOWN}, *rest])) == {}


def test_a_name_is_there_once_and_a_vpc_has_to_be_there(program: Program, tmp_path: Path) -> None:
    plan = planned(stack())
    with pytest.raises(Failure, match=r"not_found: VPC .* does not exist"):
        program.create(plan.cluster)
    program.made(plan)
    other = Program(tmp_path / "cloud.json", "other")
    with pytest.raises(Failure, match="already_exists: VPC pd-disaggregation exists in this organization"):
        other.create(vpc(plan))


# --- changes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "args", "replaces"),
    [
        ("vpc", {}, set()),
        ("vpc", {"zone": "US-EAST-08A"}, {"zone"}),
        ("cluster", {"name": "other"}, {"name"}),
        ("cluster", {"public": False}, set()),
        ("cluster", {"version": "v1.36"}, set()),
        ("cluster", {"vpc_id": UNKNOWN}, {"vpcId"}),
    ],
)
def test_a_change_is_in_place_or_not(part: str, args: dict[str, Any], replaces: set[str], program: Program) -> None:
    plan = program.made(planned(stack()))
    found = program.diff(changed(part_of(plan, part), **args))
    assert found.replaces == replaces
    assert bool(found.updates) == bool(args)


def test_a_change_in_place_keeps_what_was_added(program: Program) -> None:
    plan = program.made(planned(stack()))
    endpoint = program.states[plan.cluster.name]["apiServerEndpoint"]
    after = program.update(changed(plan.cluster, version="v1.36"))
    assert (after["version"], after["apiServerEndpoint"]) == ("v1.36", endpoint)
    assert program.update(changed(plan.cluster, version="v1.37"), preview=True)["version"] == "v1.37"
    assert program.cloud.records()[1].args["version"] == "v1.36"
    more = [*vpc(plan).args["vpc_prefixes"], {"name": "internal-lb-2", "value": "10.33.0.0/22"}]
    assert len(program.update(changed(vpc(plan), vpc_prefixes=more))["vpcPrefixes"]) == 4


def test_versions_come_one_after_the_other(program: Program) -> None:
    plan = program.made(planned(stack()))
    for version in ("v1.34", "v1.37"):
        with pytest.raises(Failure, match=rf"invalid_argument: v1.35 cannot become {version}"):
            program.update(changed(plan.cluster, version=version))


def test_a_range_goes_only_when_nobody_uses_it(program: Program) -> None:
    plan = program.made(planned(stack()))
    less = changed(vpc(plan), vpc_prefixes=vpc(plan).args["vpc_prefixes"][:2])
    with pytest.raises(
        Failure, match="failed_precondition: a prefix of VPC pd-disaggregation is used by cluster pd-disagg"
    ):
        program.update(less)
    program.delete(plan.cluster.name)
    assert len(program.update(less)["vpcPrefixes"]) == 2


# --- on the way down -----------------------------------------------------------------------------------------------------


def test_nothing_goes_while_something_is_in_it(program: Program) -> None:
    plan = program.made(planned(stack()))
    with pytest.raises(
        Failure, match="failed_precondition: VPC pd-disaggregation is used by cluster pd-disaggregation"
    ):
        program.delete(vpc(plan).name)
    program.fleet.pools = ["pd-disaggregation-gpu"]
    with pytest.raises(Failure, match="cluster pd-disaggregation is used by NodePool pd-disaggregation-gpu"):
        program.delete(plan.cluster.name)
    program.fleet.pools = []
    for one in (plan.cluster, plan.cluster, vpc(plan)):  # what is gone already is as it should be
        program.delete(one.name)
    with pytest.raises(Failure, match="not_found: VPC"):
        program.update(vpc(plan))


# --- the plugin ----------------------------------------------------------------------------------------------------------


def test_it_has_two_kinds_and_needs_a_place(tmp_path: Path) -> None:
    provider = PretendProvider(COREWEAVE, "1.0.3", Engine(""), {"LLMD_PD_PRETEND_CLOUD": str(tmp_path / "cloud.json")})
    token = "coreweave:index/cksCluster:CksCluster"
    assert isinstance(provider.lifecycle(Resource("urn", token, "a")), PretendResources)
    with pytest.raises(Failure, match="coreweave:index/objectStorageBucket:ObjectStorageBucket is not offered by"):
        provider.lifecycle(Resource("urn", "coreweave:index/objectStorageBucket:ObjectStorageBucket", "a"))
    with pytest.raises(Failure, match="set LLMD_PD_PRETEND_CLOUD to its path"):
        PretendProvider(COREWEAVE, "1.0.3", Engine(""), {}).lifecycle(Resource("urn", token, "a"))
