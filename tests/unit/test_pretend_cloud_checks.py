"""Refusals of the pretend cloud before it makes anything: arguments the SDK does not take, and laws of a GKE cluster.

Needs the extra `gke`: inputs are checked against Google's own SDK.
"""

import copy
import importlib.util
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.clouds.inputs import camel
from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.values import UNKNOWN
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.resource import Ref, Resource
from tests.gke_plans import VARIANTS, planned, stack, variant
from tests.laws import plan_problems
from tests.pretend_cloud import Program, spelt
from tests.unit.test_gke_checks import BREACHES, GONE, Change

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pulumi_gcp") is None,
    reason="pulumi-gcp is not installed: pip install -e '.[gke]' to test the pretend cloud's checks",
)
EVERY = pytest.mark.parametrize("name", VARIANTS)
POOL = "pd-disaggregation-accelerators"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json")


def put(resource: Resource, **args: Any) -> Resource:
    return replace(resource, args={**resource.args, **args})


@EVERY
def test_whatever_is_planned_is_taken(name: str, program: Program) -> None:
    for resource in planned(variant(name)).resources:
        assert program.check(resource) == {}
        program.create(resource)


@EVERY
def test_and_once_all_is_there_again(name: str, program: Program) -> None:
    plan = planned(variant(name))
    program.create_all(plan.resources)
    assert {one.name: found for one in plan.resources if (found := program.check(one))} == {}


@EVERY
def test_and_in_a_preview_from_nothing(name: str, program: Program) -> None:
    """Nothing that others give is known then."""
    for resource in planned(variant(name)).resources:
        inputs = spelt(resource.args)
        unknown = json.loads(re.sub(r'"projects/acme-serving/nowhere/[^"]*"', f'"{UNKNOWN}"', json.dumps(inputs)))
        told = program.told(resource.name, resource.type)
        assert program.of(resource.type).check(told, {}, unknown, "n") == (unknown, {})


def names_once(plan: GkePlan) -> list[Resource]:
    """A second resource like another has its own name in the cloud too."""
    seen: set[str] = set()
    found = []
    for one in plan.resources:
        name = str(one.args.get("name"))
        found.append(put(one, name=one.name) if "name" in one.args and name in seen else one)
        seen.add(name)
    return found


def breach_id(breach: tuple[str, str, Change, str, str]) -> str:
    return f"{breach[0]} {breach[1]} {breach[4]}"


@pytest.mark.parametrize("breach", BREACHES, ids=breach_id)
def test_a_broken_law_is_named_with_its_field(breach: tuple[str, str, Change, str, str], program: Program) -> None:
    rule, name, change, part, field = breach
    plan = change(planned(variant(name)))
    only_the_plans = [one for one in plan_problems(plan) if one.rule == rule]
    assert only_the_plans
    refused: dict[str, str] = {}
    for resource in names_once(plan):
        refused = dict(program.check(resource))
        if refused:
            break
        if Ref("another") in resource.args.values():
            # A router in a network that is not there is not made in the first place.
            assert (rule, part) == ("NET-06", "cluster")
            with pytest.raises(Failure, match="was not found"):
                program.create(resource)
            return
        program.create(resource)
    if breach in unseen():
        assert refused == {}
        return
    assert refused, "the cloud takes it"
    # What breaks a rule of the provider's too is named by both, at paths of their own.
    by_laws = {place: text for place, text in refused.items() if re.search(r"[A-Z]+-\d+: ", text)}
    (place, words), *others = by_laws.items()
    assert not others or all(rule in text for text in by_laws.values())
    assert f"{rule}: " in words
    assert camel(field) in f"{place} {words}"


def unseen() -> list[tuple[str, str, Change, str, str]]:
    """Breaches of what no cloud sees."""
    return [
        breach
        for breach in BREACHES
        if breach[0] == "GKE-14"
        or (breach[0], breach[3]) in [("GKE-04", "objects")]
        or (breach[0], breach[4]) in [("NET-01", "secondary_ip_ranges.pods"), ("NET-04", "ip_cidr_range")]
    ]


def test_few_are_what_no_cloud_sees() -> None:
    assert len(unseen()) == 6


@pytest.mark.parametrize(
    ("args", "place", "words"),
    [
        ({"node_cuont": 2}, "nodeCuont", "there is no such argument"),
        ({"node_count": "2"}, "nodeCount", "'2' is not of int"),
        ({"node_locations": "us-south1-b"}, "nodeLocations", "is not of"),
        ({"autoscaling": [2]}, "autoscaling", "a list is not taken"),
        ({"node_config": {"taints": [{"key": "a", "value": "b"}]}}, "nodeConfig.taints[0].effect", "it is required"),
        (
            {"node_config": {"taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}},
            "nodeConfig.taints[0].effect",
            'to be one of ["NO_SCHEDULE" "PREFER_NO_SCHEDULE" "NO_EXECUTE"], got NoSchedule',
        ),
        ({"location": None}, "location", "required field is not set"),
        ({"node_config": {"boot_disk": {"size": 1}}}, "nodeConfig.bootDisk.size", "there is no such argument"),
        (
            {"node_config": {"labels": {"nvidia.com/gpu_x": 1}}},
            "nodeConfig.labels[nvidia.com/gpu_x]",
            "1 is not of str",
        ),
    ],
)
def test_what_the_sdk_does_not_take_is_refused_by_its_path(
    args: dict[str, Any], place: str, words: str, program: Program
) -> None:
    plan = planned(stack())
    program.create_all([one for one in plan.resources if one.name != POOL])
    ((found, text),) = program.check(put(plan.resource(POOL), **args)).items()
    assert found == place
    assert words in text


def test_what_is_required_is_asked_for(program: Program) -> None:
    subnet = planned(stack()).resource("pd-disaggregation-nodes")
    told = program.told(subnet.name, subnet.type)
    _, found = program.of(subnet.type).check(told, {}, {"name": "a", "ipCidrRange": "10.0.0.0/16"}, "n")
    assert found == {"region": "required field is not set"}
    inputs = {"name": "a", "ipCidrRange": "10.0.0.0/16", "region": "us-south1"}
    assert program.of(subnet.type).check(told, {}, inputs, "n")[1] == {"network": "it is required"}


def test_a_range_that_is_none_is_one_problem(program: Program) -> None:
    subnet = planned(stack()).resource("pd-disaggregation-nodes")
    assert "has host bits set" in program.check(put(subnet, ip_cidr_range="10.0.0.1/16"))["ipCidrRange"]
    rows = [{"range_name": "pods", "ip_cidr_range": "10.0.0.0/99"}]
    assert [*program.check(put(subnet, secondary_ip_ranges=rows))] == ["secondaryIpRanges[0].ipCidrRange"]


@pytest.mark.parametrize(
    ("part", "args"),
    [
        ("network", {"name": "N"}),
        ("nodes", {"name": "n" * 64}),
        ("cluster", {"name": "c" * 41}),
        ("accelerators", {"name": "1st"}),
        ("node-account", {"account_id": "short"}),
        ("node-account", {"account_id": "a" * 31}),
    ],
)
def test_a_name_that_cannot_be_had_is_refused(part: str, args: dict[str, str], program: Program) -> None:
    plan = planned(stack())
    ((path, words),) = program.check(put(plan.resource(plan.settings.named(part)), **args)).items()
    ((argument, value),) = args.items()
    assert path == camel(argument)
    assert words.startswith(f'"{argument}" ("{value}") ')


def test_a_resource_without_a_name_gets_the_engines(program: Program) -> None:
    network = planned(stack()).resource("pd-disaggregation-network")
    told = program.told(network.name, network.type)
    inputs, found = program.of(network.type).check(told, {}, {"autoCreateSubnetworks": False}, "network-1a2b")
    assert (inputs["name"], found) == ("network-1a2b", {})
    account, _ = program.of("serviceaccount.Account").check(told, {}, {"accountId": "a"}, "account-1a2b")
    assert "name" not in account


def test_what_is_not_known_breaks_no_law(program: Program) -> None:
    plan = planned(variant("multinet"))
    program.create_all([one for one in plan.resources if one.name != POOL])
    pool = plan.resource(POOL)
    assert program.check(put(pool, version=UNKNOWN, node_locations=UNKNOWN)) == {}
    assert program.check(put(pool, node_locations=["us-south1-a"], version=UNKNOWN)).keys() == {"nodeLocations"}


def test_of_two_stacks_each_answers_for_itself(tmp_path: Path) -> None:
    """They have the same addresses, in networks of their own."""
    first, second = Program(tmp_path / "cloud.json"), Program(tmp_path / "cloud.json", stack="staging")
    first.create_all(planned(stack()).resources)
    for resource in planned(stack(name="staging")).resources:
        assert second.check(resource) == {}
        second.create(resource)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in inputs, parts before what is in them."""
    if path:
        yield path
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in rows:
        yield from leaves(part, (*path, key))


def with_another(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    changed = copy.deepcopy(value)
    at = changed
    for step in path[:-1]:
        at = at[step]
    if other is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = other
    return changed


@pytest.mark.parametrize("name", ["dranet", "flex-start of TPUs"])
def test_whatever_is_said_is_answered(name: str, program: Program) -> None:
    """Each place of a resource of each kind with something else in it is checked, compared and foreseen."""
    plan = planned(variant(name))
    program.create_all(plan.resources)
    for resource in {one.type: one for one in plan.resources}.values():
        inputs = spelt(resource.args, program.states)
        told, lifecycle = program.told(resource.name, resource.type), program.of(resource.type)
        for path in leaves(inputs):
            for other in (GONE, UNKNOWN, None, "x/y", [UNKNOWN]):
                changed = with_another(inputs, path, other)
                again, found = lifecycle.check(told, inputs, changed, "n")
                if found:
                    assert all(words for words in found.values())
                    continue
                lifecycle.diff(told, inputs, again, program.states[resource.name])
                lifecycle.create(told, again, 0, True)
