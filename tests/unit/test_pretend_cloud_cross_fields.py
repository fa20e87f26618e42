"""Rules over several arguments: the table, its meaning; every plan is valid, and every broken one is named."""

import copy
import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from rehearsal.clouds.gke.cross_fields import CROSS_FIELDS, CrossField, cross_field_problems, sdk_path
from rehearsal.clouds.gke.kinds import KINDS
from rehearsal.clouds.gke.pretend import GKE
from rehearsal.clouds.input_checks import Subject, problems
from rehearsal.clouds.inputs import camel
from rehearsal.plugins.values import UNKNOWN
from stacks.clouds.resource import Arguments, Resource, from_the_engine
from tests.gke_plans import VARIANTS, planned, stack, variant
from tests.pretend_cloud import Program, declares, spelt

EVERY = pytest.mark.parametrize("name", VARIANTS)
with_the_sdk = pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")
CLUSTER = "container.Cluster"
WINDOWS = (
    "maintenance_policy.0.daily_maintenance_window,maintenance_policy.0.recurring_maintenance_window,"
    "maintenance_policy.0.recurring_window"
)
#: `maintenance_policy` of the plan of commit d0c85e2, which Google's provider refused at preview.
EXCLUSIONS_ONLY = {
    "maintenance_exclusions": [
        {
            "exclusion_name": "until-the-stack-says",
            "start_time": "2026-01-01T00:00:00Z",
            "exclusion_options": {"scope": "NO_MINOR_OR_NODE_UPGRADES", "end_time_behavior": "UNTIL_END_OF_SUPPORT"},
        }
    ]
}


def found(kind: str, args: Arguments) -> dict[str, str]:
    return dict(cross_field_problems(kind, args))


# --- the table -----------------------------------------------------------------------------------------------------------


def test_it_has_every_rule_of_the_providers_schemas() -> None:
    """Numbers of terraform-provider-google-beta 7.45.0: what the compiled schemas of all eleven kinds have."""
    assert {row.kind for row in CROSS_FIELDS} <= set(KINDS)
    assert len(set(CROSS_FIELDS)) == len(CROSS_FIELDS) == 71
    assert Counter((row.kind, row.rule) for row in CROSS_FIELDS) == {
        (CLUSTER, "ExactlyOneOf"): 5,
        (CLUSTER, "AtLeastOneOf"): 31,
        (CLUSTER, "ConflictsWith"): 22,
        ("compute.Subnetwork", "AtLeastOneOf"): 4,
        ("compute.Router", "ConflictsWith"): 2,
        ("compute.RouterNat", "ConflictsWith"): 1,
        ("compute.Firewall", "ConflictsWith"): 4,
        ("compute.Firewall", "ExactlyOneOf"): 2,
    }


@with_the_sdk
def test_every_path_of_it_is_one_of_the_sdks() -> None:
    paths = {(row.kind, sdk_path(field)) for row in CROSS_FIELDS for field in (row.field, *row.others)}
    assert {one for one in paths if not declares(*one)} == set()


# --- what it means -------------------------------------------------------------------------------------------------------


def test_a_rule_in_a_block_is_silent_without_the_block() -> None:
    assert found(CLUSTER, {}) == {}


def test_of_exactly_one_none_is_refused_at_each_of_them() -> None:
    said = found(CLUSTER, {"maintenance_policy": EXCLUSIONS_ONLY})
    assert said == {
        f"maintenance_policy.{window}": (
            f'Invalid combination of arguments: "maintenance_policy.0.{window}": one of `{WINDOWS}` must be specified'
        )
        for window in ("daily_maintenance_window", "recurring_window", "recurring_maintenance_window")
    }


def test_and_two_are() -> None:
    windows = {"daily_maintenance_window": {"start_time": "09:00"}, "recurring_window": {"start_time": "x"}}
    said = found(CLUSTER, {"maintenance_policy": windows})
    both = "maintenance_policy.0.daily_maintenance_window,maintenance_policy.0.recurring_window"
    assert {words.partition("but ")[2] for words in said.values()} == {f"`{both}` were specified."}
    assert len(said) == 3


def test_of_at_least_one_none_is_refused() -> None:
    said = found(CLUSTER, {"protect_config": {}})
    assert said["protect_config.workload_config"] == (
        'Missing required argument: "protect_config.0.workload_config": one of '
        "`protect_config.0.workload_config,protect_config.0.workload_vulnerability_mode` must be specified"
    )
    assert found(CLUSTER, {"protect_config": {"workload_config": {}}}) == {}


def test_the_plugin_fills_in_defaults_before_it_looks_for_one() -> None:
    assert found("compute.Subnetwork", {"log_config": {}}) == {}


def test_two_that_conflict_are_refused_at_each_that_says_so() -> None:
    args = {"enable_autopilot": False, "remove_default_node_pool": True}
    assert found(CLUSTER, args) == {
        "remove_default_node_pool": (
            'Conflicting configuration arguments: "remove_default_node_pool": conflicts with enable_autopilot'
        )
    }
    assert [*found("compute.Router", {"network": "a", "ncc_gateway": "b"})] == ["ncc_gateway", "network"]


def test_a_list_of_blocks_that_is_empty_is_absent() -> None:
    assert [*found("compute.Firewall", {"allows": []})] == ["allows", "denies"]
    assert found("compute.Firewall", {"allows": [], "denies": [{"protocol": "all"}]}) == {}


def test_what_is_not_known_yet_counts_as_said_and_conflicts_with_nothing() -> None:
    assert found("compute.Firewall", {"allows": UNKNOWN}) == {}
    assert found("compute.Router", {"network": UNKNOWN, "ncc_gateway": UNKNOWN}) == {}
    assert found("compute.Router", {"network": "a", "ncc_gateway": UNKNOWN}) == {}
    # A block with anything unknown in it is validated once all of it is known.
    assert found(CLUSTER, {"maintenance_policy": {"maintenance_exclusions": UNKNOWN}}) == {}
    assert found(CLUSTER, {"maintenance_policy": UNKNOWN}) == {}


def test_required_with_is_understood_though_no_kind_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    row = CrossField("compute.Network", "RequiredWith", "a", ("b",))
    monkeypatch.setattr("rehearsal.clouds.gke.cross_fields.CROSS_FIELDS", (row,))
    words = 'Missing required argument: "a": all of `a,b` must be specified'
    assert found("compute.Network", {"a": 1}) == {"a": words}
    assert found("compute.Network", {"b": 1}) == found("compute.Network", {"a": 1, "b": UNKNOWN}) == {}


# --- plans ---------------------------------------------------------------------------------------------------------------


@EVERY
def test_every_plan_obeys(name: str) -> None:
    assert {one.name: said for one in planned(variant(name)).resources if (said := found(one.type, one.args))} == {}


def at(args: Any, field: str) -> Any:
    for step in sdk_path(field).split("."):
        args = args.get(step) if isinstance(args, Mapping) else None
    return args


def put(args: Arguments, field: str, value: Any) -> dict[str, Any]:
    """Arguments with another value at a path of the provider's; None takes it away."""
    changed = copy.deepcopy(dict(args))
    *steps, last = sdk_path(field).split(".")
    here = changed
    for step in steps:
        here = here.setdefault(step, {})
    here[last] = value
    if value is None:
        del here[last]
    return changed


#: Arguments that a plan leaves out because of a rule, as the SDK takes them.
BESIDE: Mapping[str, Any] = {
    "cluster_ipv4_cidr": "10.0.0.0/14",
    "deny": [{"protocol": "all"}],
    "enable_autopilot": True,
    "ip_allocation_policy.0.cluster_ipv4_cidr_block": "/14",
    "ip_allocation_policy.0.services_ipv4_cidr_block": "/20",
    "maintenance_policy.0.recurring_window": {
        "start_time": "2026-01-05T09:00:00Z",
        "end_time": "2026-01-05T13:00:00Z",
        "recurrence": "FREQ=DAILY",
    },
    "ncc_gateway": "projects/acme-serving/locations/us-south1/gateways/one",
}


def broken(row: CrossField, args: Arguments) -> Iterator[Arguments]:
    """Arguments that break a rule that is about something they say: none of a group, or one more than may be."""
    group = (row.field, *row.others)
    if row.rule != "ConflictsWith":
        without = args
        for field in group:
            without = put(without, field, None)
        yield without
    if row.rule != "AtLeastOneOf":
        (more, *_) = [field for field in group if field in BESIDE]
        for field in (more, *([row.field] if row.rule == "ConflictsWith" else [])):
            args = args if at(args, field) is not None else put(args, field, BESIDE[field])
        yield args


def touched() -> Iterator[tuple[CrossField, Resource]]:
    """Every rule that is about something that plans say, with a resource of the first that does."""
    plans = [planned(variant(name)).resources for name in VARIANTS]
    for row in CROSS_FIELDS:
        said = [
            one
            for one in chain.from_iterable(plans)
            if row.kind == one.type and any(at(one.args, field) is not None for field in (row.field, *row.others))
        ]
        if said:
            yield row, said[0]


TOUCHED = [*touched()]


def test_most_rules_are_about_something_that_plans_say() -> None:
    """Each of them gets a broken plan below; of the others the plans say neither side."""
    assert Counter(row.kind for row, _ in TOUCHED) == {CLUSTER: 37, "compute.Firewall": 2, "compute.Router": 2}


@with_the_sdk
@pytest.mark.parametrize(("row", "resource"), TOUCHED, ids=[f"{row.kind} {row.rule} {row.field}" for row, _ in TOUCHED])
def test_a_plan_that_breaks_a_rule_is_refused_by_the_fields_name(row: CrossField, resource: Resource) -> None:
    tried = 0
    for args in broken(row, from_the_engine(spelt(resource.args))):
        tried += 1
        said = problems(GKE, Subject(row.kind, args, "projects/acme-serving/x", ()))
        assert f'"{row.field}": ' in said[camel(sdk_path(row.field))]
    assert tried == (2 if row.rule == "ExactlyOneOf" else 1)


@with_the_sdk
def test_the_pretend_cloud_refuses_the_plan_that_had_exclusions_only(tmp_path: Path) -> None:
    """The plan of commit d0c85e2: three errors at preview, of every stack that makes a GKE cluster."""
    plan, program = planned(stack()), Program(tmp_path / "cloud.json")
    program.create_all(plan.resources[: plan.resources.index(plan.cluster)])
    assert program.check(plan.cluster) == {}
    old = Resource(
        plan.cluster.name, CLUSTER, plan.cluster.title, {**plan.cluster.args, "maintenance_policy": EXCLUSIONS_ONLY}
    )
    said = program.check(old)
    assert [*said] == [
        camel(f"maintenance_policy.{window}")
        for window in ("daily_maintenance_window", "recurring_window", "recurring_maintenance_window")
    ]
    assert all(words.endswith(f"one of `{WINDOWS}` must be specified") for words in said.values())
