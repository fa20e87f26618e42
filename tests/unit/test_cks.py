"""A CKS cluster of the stack's own: its plan, its laws, and what of it never changes."""

from dataclasses import replace
from typing import Any

import pytest

from stacks.clouds.changes import changes, fingerprint
from stacks.clouds.cloud import ByHand, ClusterPlan
from stacks.clouds.coreweave.addresses import overlapping
from stacks.clouds.coreweave.plan import CLUSTER as KIND
from stacks.clouds.coreweave.plan import NAME_LENGTH, VPC
from stacks.clouds.coreweave.replaces import CKS, unchangeable_fields
from stacks.clouds.coreweave.versions import parse, upgrades
from stacks.clouds.resource import Ref, Resource, plain
from stacks.kube.context import Context
from stacks.rules.facts import blueprint
from stacks.spec.stack import StackSpec
from tests.cks_plans import CKS as STATED
from tests.cks_plans import CLUSTER, SERVING, VARIANTS, planned, stack, variant, vpc
from tests.laws import cks_problems
from tests.unit.test_rules import spec

EVERY = pytest.mark.parametrize("name", VARIANTS)


# --- what is made --------------------------------------------------------------------------------------------------------


def test_a_vpc_and_a_cluster_in_it() -> None:
    network, cluster = planned(stack()).resources
    assert (network.name, network.type) == ("pd-disaggregation-vpc", "NetworkingVpc")
    assert network.args == {
        "name": "pd-disaggregation",
        "zone": "US-EAST-02A",
        "vpc_prefixes": [
            {"name": "pods", "value": "10.0.0.0/13"},
            {"name": "services", "value": "10.16.0.0/22"},
            {"name": "internal-lb-1", "value": "10.32.4.0/22"},
        ],
    }
    assert (cluster.name, cluster.type) == ("pd-disaggregation-cluster", "CksCluster")
    assert cluster.args == {
        "name": "pd-disaggregation",
        "zone": "US-EAST-02A",
        "version": "v1.35",
        "vpc_id": Ref("pd-disaggregation-vpc"),
        "pod_cidr_name": "pods",
        "service_cidr_name": "services",
        "internal_lb_cidr_names": ["internal-lb-1"],
        "public": True,
    }


def test_everything_it_can_be_told() -> None:
    network, cluster = planned(variant("told everything")).resources
    assert (network.args["name"], cluster.args["name"], cluster.args["public"]) == ("prod-net", "prod", False)
    assert network.args["host_prefixes"] == [{"name": "primary", "type": "PRIMARY", "prefixes": ["10.16.192.0/18"]}]
    assert [row["value"] for row in network.args["vpc_prefixes"]][2:] == ["10.80.4.0/22", "10.80.8.0/22"]
    assert cluster.args["internal_lb_cidr_names"] == ["internal-lb-1", "internal-lb-2"]


@EVERY
def test_the_cluster_comes_after_its_vpc_and_both_are_protected_until_told(name: str) -> None:
    plan = planned(variant(name))
    assert (vpc(plan).before, plan.cluster.before) == (frozenset(), {vpc(plan).name})
    assert [one.protect for one in plan.resources] == [True, True]
    assert all(one.delete_before_replace and one.timeouts.delete for one in plan.resources)
    assert [one.protect for one in planned(stack(cluster={"protect": False})).resources] == [False, False]


def test_a_long_name_is_cut_where_coreweave_does_and_stays_its_own() -> None:
    longs = [variant("a long name"), stack(name="a-name-of-forty-characters-which-is-mos")]
    names = {planned(long).cluster.args["name"] for long in longs}
    assert len(names) == 2
    assert {len(name) for name in names} == {NAME_LENGTH}


@pytest.mark.parametrize(
    "cluster",
    [
        {"context": "a", "machine": "coreweave-h200"},
        {**CLUSTER, "context": "a"},
        {**CLUSTER, "coreweave": {"systemPool": {}}},
    ],
)
def test_of_an_existing_cluster_nothing_is_made(cluster: dict[str, Any]) -> None:
    plan = blueprint(spec(SERVING, cluster=cluster)).cluster
    assert (plan.resources, plan.cluster_name) == ((), None)
    with pytest.raises(LookupError, match="does not make the cluster"):
        _ = plan.cluster


def test_a_platform_stack_makes_the_same() -> None:
    given = stack()
    platform = StackSpec(cluster=given.cluster)
    assert blueprint(platform).cluster == planned(given)


def test_it_is_reached_by_hand_until_a_context_is_named() -> None:
    by_hand = planned(stack()).reached_by
    assert isinstance(by_hand, ByHand)
    assert "`cwic cluster auth pd-disaggregation`" in by_hand.kubeconfig
    assert planned(stack(cluster={"context": "cw", "kubeconfig": "a"})).reached_by == Context("a", "cw")
    assert blueprint(spec(SERVING, cluster={**CLUSTER, "context": "cw"})).cluster.reached_by == Context(None, "cw")


# --- laws ----------------------------------------------------------------------------------------------------------------


@EVERY
def test_whatever_is_planned_obeys_the_laws(name: str) -> None:
    assert cks_problems(planned(variant(name)).resources) == []


def broken(plan: ClusterPlan, network: dict[str, Any], cluster: dict[str, Any]) -> list[Resource]:
    return [
        replace(vpc(plan), args={**vpc(plan).args, **network}),
        replace(plan.cluster, args={**plan.cluster.args, **cluster}),
    ]


def prefixes(services: str) -> list[dict[str, str]]:
    ranges = {"pods": "10.0.0.0/13", "services": services, "internal-lb-1": "10.32.4.0/22"}
    return [{"name": name, "value": value} for name, value in ranges.items()]


@pytest.mark.parametrize(
    ("network", "cluster", "rule", "field"),
    [
        ({"name": "a" * 31}, {}, "CW-06", "name"),
        ({}, {"name": "a" * 31}, "CW-06", "name"),
        ({}, {"pod_cidr_name": "pod"}, "CW-06", "pod_cidr_name"),
        ({}, {"service_cidr_name": "service"}, "CW-06", "service_cidr_name"),
        ({}, {"internal_lb_cidr_names": ["internal-lb-1", "lb"]}, "CW-06", "internal_lb_cidr_names"),
        ({}, {"zone": "US-EAST-08A"}, "CW-06", "zone"),
        ({}, {"version": "1.35"}, "CW-11", "version"),
        ({"vpc_prefixes": prefixes("10.1.0.0/22")}, {}, "CW-12", "vpc_prefixes"),
        ({"vpc_prefixes": prefixes("a")}, {}, "CW-12", "vpc_prefixes"),
    ],
)
def test_a_plan_that_breaks_one_is_caught(
    network: dict[str, Any], cluster: dict[str, Any], rule: str, field: str
) -> None:
    found = cks_problems(broken(planned(stack()), network, cluster))
    assert [(one.rule, one.field) for one in found] == [(rule, field)]


@pytest.mark.parametrize("size", [17, 18, 19, 28])
def test_hosts_may_have_a_range_of_any_size(size: int) -> None:
    """A /18 at the least is what NVL72 racks and SUNK ask for."""
    hosts = [{"name": "primary", "type": "PRIMARY", "prefixes": [f"10.176.128.0/{size}"]}]
    assert cks_problems(broken(planned(stack()), {"host_prefixes": hosts}, {})) == []


def test_a_cluster_is_found_in_its_vpc_by_id_too() -> None:
    plan = planned(stack())
    network = replace(vpc(plan), name="1063bce6")
    there = replace(plan.cluster, args={**plan.cluster.args, "vpc_id": "1063bce6", "pod_cidr_name": "pod"})
    assert [one.field for one in cks_problems([network, there])] == ["pod_cidr_name"]
    assert cks_problems([replace(there, args={**there.args, "vpc_id": "another"}), network]) == []


def test_ranges_overlap_by_name() -> None:
    ranges = {"a": "10.0.0.0/16", "b": "10.0.1.0/24", "c": "10.1.0.0/16", "d": "no range"}
    assert overlapping(ranges) == [("a", "b")]


# --- what never changes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "version"), [("v1.35", (1, 35)), ("1.35", None), ("v1.35.1", None), ("v1", None)])
def test_versions_are_minor_ones(text: str, version: tuple[int, int] | None) -> None:
    assert parse(text) == version


@pytest.mark.parametrize(
    ("old", "new", "can"),
    [
        ("v1.35", "v1.35", True),
        ("v1.35", "v1.36", True),
        ("v1.35", "v1.37", False),
        ("v1.35", "v1.34", False),
        ("v1.36", "v2.0", False),
    ],
)
def test_versions_come_one_after_the_other(old: str, new: str, can: bool) -> None:
    assert upgrades(old, new) is can


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, fixed in CKS.replacing.items() for path in fixed.paths]
)
def test_a_listed_field_replaces_its_resource(kind: str, path: str) -> None:
    assert CKS.replacing_fields({path: "a"}, {path: "b"}, kind) == [path]
    assert CKS.replacing_fields({path: "a", "x": 1}, {path: "a"}, kind) == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "fields"),
    [
        (VPC, {"host_prefixes": [1]}, {"host_prefixes": [2]}, ["host_prefixes"]),
        (VPC, {}, {"host_prefixes": [2]}, ["host_prefixes"]),
        (VPC, {"host_prefixes": [1]}, {}, []),
        (VPC, {"host_prefix": "a"}, {"host_prefix": "b"}, ["host_prefix"]),
        (KIND, {"internal_lb_cidr_names": ["a"]}, {"internal_lb_cidr_names": ["b", "a"]}, []),
        (KIND, {"internal_lb_cidr_names": ["a", "b"]}, {"internal_lb_cidr_names": ["b"]}, ["internal_lb_cidr_names"]),
        (KIND, {"node_port_range": {"start": 5, "end": 9}}, {"node_port_range": {"start": 4, "end": 9}}, []),
        (KIND, {"node_port_range": {"start": 5, "end": 9}}, {"node_port_range": {"start": 5, "end": 8}}, ["node_port_range"]),
        (KIND, {"public": True, "version": "v1.34"}, {"public": False, "version": "v1.35"}, []),
    ],
)  # fmt: skip
def test_what_may_only_grow(kind: str, old: dict[str, Any], new: dict[str, Any], fields: list[str]) -> None:
    assert CKS.replacing_fields(old, new, kind) == fields


def told(before: dict[str, Any], after: dict[str, Any], **cluster: Any) -> dict[str, tuple[bool, tuple[str, ...]]]:
    known = fingerprint(planned(stack(before)).resources, CKS)
    found = changes(known, planned(stack(after, cluster)).resources, CKS)
    return {one.resource.type: (one.refused, one.fields) for one in found}


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ({}, {}),
        ({"zone": "US-EAST-08A"}, {VPC: (True, ("zone",)), KIND: (True, ("zone",))}),
        ({"name": "other"}, {VPC: (True, ("name",)), KIND: (True, ("name",))}),
        ({"vpc": {"hosts": "10.16.192.0/18"}}, {VPC: (True, ("host_prefixes",))}),
        ({"vpc": {"internalLoadBalancers": ["10.32.4.0/22", "10.33.0.0/22"]}}, {}),
        ({"version": "v1.36", "public": False}, {}),
    ],
)
def test_what_a_change_does_is_told_with_its_fields(after: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert told({}, after) == wanted
    assert {kind: (False, fields) for kind, (_, fields) in wanted.items()} == told({}, after, protect=False)


@pytest.mark.parametrize(
    ("after", "wanted"),
    [
        ({}, []),
        ({"vpc": {"pods": "10.8.0.0/13"}}, [(VPC, "vpc_prefixes")]),
        ({"vpc": {"internalLoadBalancers": ["10.33.0.0/22"]}}, [(VPC, "vpc_prefixes")]),
        ({"vpc": {"internalLoadBalancers": ["10.32.4.0/22", "10.33.0.0/22"]}}, []),
        ({"version": "v1.36"}, []),
        ({"version": "v1.34"}, [(KIND, "version")]),
    ],
)
def test_what_no_cluster_in_use_can_follow(after: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    pairs = zip(planned(stack()).resources, planned(stack({**STATED, **after})).resources, strict=True)
    assert [
        (old.type, field)
        for old, new in pairs
        for field in unchangeable_fields(plain(old.args), plain(new.args), old.type)
    ] == wanted
