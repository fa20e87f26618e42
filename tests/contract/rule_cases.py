"""A failing and a passing case of every rule, by its id.

Cases that another test states already are taken from there; what only a look at a cluster or at a cloud finds names its tests.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from stacks.blueprint import ServingBlueprint, serving_blueprint
from stacks.file.messages import read
from stacks.rules.facts import Facts
from stacks.rules.previous import OUTPUT, pod_templates
from stacks.spec.stack import StackSpec
from tests import cks_plans, gke_plans
from tests.unit import (
    test_coreweave,
    test_gke_checks,
    test_gke_rules,
    test_gke_warnings,
    test_mirror,
    test_monitors,
    test_router_rules,
    test_rules,
    test_token,
)
from tests.unit.test_rules import NVIDIA, spec

Case = tuple[str, Callable[[], StackSpec]]


def _without_none(keys: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}


def _gke(serving: dict[str, Any], gke: dict[str, Any], cluster: dict[str, Any]) -> StackSpec:
    return gke_plans.stack(serving, gke, cluster, **(gke_plans.JUNE if serving is gke_plans.TPU_V6E else {}))


def _coreweave(cluster: dict[str, Any], serving: dict[str, Any], pools: dict[str, Any]) -> StackSpec:
    stated = _without_none({**test_coreweave.CLUSTER, **cluster})
    served = _without_none({**test_coreweave.SERVING, **serving})
    return spec(served, cluster={**stated, **({"coreweave": pools} if pools else {})})


def _platform(**more: Any) -> StackSpec:
    cluster = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}
    found, whole = read({"cluster": cluster, **more})
    assert found == []
    assert whole is not None
    return whole


def of_files() -> Iterator[Case]:
    """Stack files to which a rule objects."""
    for rule, serving, more, *_ in (*test_rules.FINDINGS, *test_token.FINDINGS, *test_monitors.FINDINGS):
        yield rule, lambda serving=serving, more=more: spec(serving, **more)  # type: ignore[misc]
    for rule, serving, gke, cluster, *_ in test_gke_rules.FINDINGS:
        yield rule, lambda serving=serving, gke=gke, cluster=cluster: _gke(serving, gke, cluster)  # type: ignore[misc]
    for rule, cluster, serving, pools, *_ in test_coreweave.FINDINGS:
        yield rule, lambda cluster=cluster, serving=serving, pools=pools: _coreweave(cluster, serving, pools)  # type: ignore[misc]
    for rule, router, mirror, *_ in test_mirror.FINDINGS:
        yield rule, lambda router=router, mirror=mirror: spec(NVIDIA, router=router, mirror=mirror)  # type: ignore[misc]
    for rule, router, more, *_ in test_router_rules.FINDINGS:
        yield rule, lambda router=router, more=more: spec(NVIDIA, router=router, **more)  # type: ignore[misc]
    yield test_gke_rules.GATEWAYS[0], lambda: gke_plans.stack(gke={"gateways": False}, router=gke_plans.GATEWAY)
    yield "PLATFORM-01", lambda: _platform(namespace="served")
    yield "SUPPRESS-01", lambda: spec(NVIDIA, suppress=[{"rule": "FILE", "reason": "none"}])


def of_warnings() -> Iterator[Case]:
    """Valid stack files of which something is pointed out."""
    for rule, serving, gke, more, *_ in test_gke_warnings.WARNED:
        yield rule, lambda serving=serving, gke=gke, more=more: gke_plans.stack(serving, gke, **more)  # type: ignore[misc]
    yield "SUPPRESS-02", lambda: spec(NVIDIA, suppress=[{"rule": "PIN-01", "reason": "none"}])
    yield "CW-17", lambda: spec({**NVIDIA, "fabric": "coreweave"})
    yield "CW-18", lambda: cks_plans.stack({"version": "v1.37"})


def of_plans() -> Iterator[tuple[str, str, test_gke_checks.Change]]:
    """Changes of GKE plans that break a law, with the variant they are made to."""
    for rule, variant, change, *_ in test_gke_checks.BREACHES:
        yield rule, variant, change


def valid() -> dict[str, Callable[[], StackSpec]]:
    """Stack files to which no rule objects, of every cloud and of none."""
    found: dict[str, Callable[[], StackSpec]] = {
        "nvidia": lambda: spec(NVIDIA),
        "gateway": lambda: spec(NVIDIA, router={"mode": "gateway", "gateway": {"provider": "istio"}}),
        "mirror": lambda: spec(NVIDIA, mirror={"registry": test_mirror.REGISTRY}),
        "told": lambda: spec(
            {**NVIDIA, "image": "a/b:main", "extraArgs": ["--seed=1"], "tolerations": [{"operator": "Exists"}]},
            suppress=[{"rule": "PIN-01", "reason": "a case"}],
        ),
        "by reference": lambda: spec(NVIDIA, cluster={"provider": "stack", "stack": "platform"}),
        "pools": lambda: _coreweave({}, {}, {}),
        "platform": _platform,
    }
    found |= {f"gke {name}": lambda name=name: gke_plans.variant(name) for name in gke_plans.VARIANTS}  # type: ignore[misc]
    variants = [name for name in cks_plans.VARIANTS if name != "a long name"]  # which NAME-02 refuses
    found |= {f"cks {name}": lambda name=name: cks_plans.variant(name) for name in variants}  # type: ignore[misc]
    return found


def rolled(*, alone: bool) -> Facts:
    """A change that replaces the pods of one role, alone or with those of the other."""
    given = spec(NVIDIA)
    after = serving_blueprint(given, Path("/"))
    before = {role: "another" if role == "decode" or not alone else digest for role, digest in _templates(after)}
    return Facts(given, previous={OUTPUT: before}, objects=after.model_server, workload=after.workload)


def _templates(after: ServingBlueprint) -> Sequence[tuple[str, str]]:
    return [*pod_templates(after.model_server).items()]


#: Rules that a reader of the file or a live check reports: the module, and its tests of a finding and of none.
SAID: dict[str, tuple[str, str, str]] = {
    "FILE": (
        "unit.test_stack_files",
        "test_what_is_no_stack_file_is_refused_with_line_reason_and_fix",
        "test_what_people_may_write",
    ),
    "SPEC": (
        "unit.test_spec",
        "test_it_refuses_and_says_how_to_mend_it",
        "test_every_section_is_frozen_closed_strict_and_camel_cased",
    ),
    "SECRET-02": (
        "mocks.test_credentials",
        "test_nothing_else_may_be_encrypted",
        "test_the_token_is_a_secret_whatever_it_comes_as",
    ),
    "GKE-30": (
        "unit.test_gke_readiness",
        "test_an_api_that_is_off_is_refused_with_the_command",
        "test_a_new_stack_asks_twice_in_the_projects_name_and_only_reads",
    ),
    "CW-03": (
        "unit.test_pool_look",
        "test_a_pool_that_would_be_replaced_is_refused_by_its_field",
        "test_pools_of_this_stacks_are_fine",
    ),
    "CW-10": (
        "unit.test_pool_look",
        "test_nodes_with_pods_are_not_taken_away_by_waiting_for_it",
        "test_pools_of_this_stacks_are_fine",
    ),
    "CW-15": (
        "unit.test_cks_look",
        "test_a_context_that_leads_to_another_cluster",
        "test_the_first_step_is_fine_and_again",
    ),
    "CW-16": (
        "unit.test_pool_look",
        "test_a_pool_that_coreweave_has_refused_is_not_waited_for",
        "test_a_pool_that_is_valid_or_has_its_nodes_or_will_be_another_is_left_alone",
    ),
    "CLUSTER": (
        "unit.test_lookahead",
        "test_an_up_needs_the_cluster",
        "test_an_empty_cluster_is_fine",
    ),
    "EXISTS": (
        "unit.test_lookahead",
        "test_a_foreign_namespace_is_refused_and_told_how_to_take_over",
        "test_what_is_this_stacks_is_fine",
    ),
    "GATEWAY": (
        "unit.test_gateway_look",
        "test_a_class_nobody_serves",
        "test_a_cluster_that_has_it_all_is_fine",
    ),
    "SDK": (
        "unit.test_sdk",
        "test_without_it_whoever_makes_a_cluster_on_gke_is_told",
        "test_with_it_and_of_others_nothing_is_said",
    ),
    "IMM": (
        "unit.test_gke_look",
        "test_a_pool_that_would_be_replaced_is_refused_by_its_fields",
        "test_a_new_stack_and_one_that_is_as_it_was_are_fine",
    ),
}
