"""The pretend cloud: what it makes, what it refuses, and that nothing goes while something refers to it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.clouds.gke.faults import FAULTS, SLOW_SECONDS
from rehearsal.clouds.gke.kinds import KINDS
from rehearsal.clouds.gke.versions import CHANNELS, OFFERED
from rehearsal.clouds.pretend import path_of
from rehearsal.plugins.plugin import Failure
from rehearsal.plugins.values import UNKNOWN
from stacks.clouds.gke.plan import GkePlan
from stacks.clouds.gke.versions import parse
from stacks.clouds.resource import Ref, Resource, refs
from tests.gke_plans import VARIANTS, planned, stack, variant
from tests.pretend_cloud import Program, spelt, token

EVERY = pytest.mark.parametrize("name", VARIANTS)
POOL = "pd-disaggregation-accelerators"


def unprotected(plan: GkePlan) -> list[Resource]:
    """As after an `up` with `protect: false`."""
    return [changed(one, deletion_protection=False) if one is plan.cluster else one for one in plan.resources]


def changed(resource: Resource, **args: Any) -> Resource:
    return replace(resource, args={**resource.args, **args})


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json")


def made(program: Program, name: str = "dranet") -> list[Resource]:
    resources = unprotected(planned(variant(name)))
    program.create_all(resources)
    return resources


# --- from nothing and back -----------------------------------------------------------------------------------------------


@EVERY
def test_a_plan_is_made_in_its_order_and_goes_in_the_reverse_until_nothing_is_left(name: str, program: Program) -> None:
    resources = made(program, name)
    assert [record.name for record in program.cloud.records()] == [one.name for one in resources]
    for one in reversed(resources):
        program.delete(one.name)
    assert program.cloud.records() == []
    names = [one.name for one in resources]
    assert [(event.event, event.name) for event in program.cloud.events()] == [
        *(("create", one) for one in names),
        *(("delete", one) for one in reversed(names)),
    ]
    times = [event.time for event in program.cloud.events()]
    assert times == sorted(times)


@EVERY
def test_nothing_goes_while_something_refers_to_it(name: str, program: Program) -> None:
    """A cluster takes its pools along."""
    resources = made(program, name)
    kinds = {one.name: one.type for one in resources}
    pairs = {(ref.resource, one.name) for one in resources for ref in refs(one.args)}
    held = {used for used, user in pairs if (kinds[used], kinds[user]) != ("container.Cluster", "container.NodePool")}
    assert held
    for used in held:
        with pytest.raises(Failure, match=r"is already being used by .*, resourceInUseByAnotherResource"):
            program.delete(used)
    assert len(program.cloud.records()) == len(resources)


def test_in_whatever_order_the_rest_is_tried(program: Program) -> None:
    """Every round deletes what can be; each of them leaves a cloud in which all references lead somewhere."""
    resources = made(program, "multinet")
    waiting = [one.name for one in resources]
    while waiting:
        before = len(waiting)
        for name in list(waiting):
            try:
                program.delete(name)
            except Failure:
                continue
            waiting.remove(name)
        assert len(waiting) < before
    assert program.cloud.records() == []


def test_a_cluster_takes_its_pools_along_and_their_turn_is_no_error(program: Program) -> None:
    made(program)
    program.delete("pd-disaggregation-cluster")
    assert not any(record.kind.startswith("container.") for record in program.cloud.records())
    program.delete(POOL)
    assert [event.event for event in program.cloud.events() if event.name == POOL] == ["create", "delete"]


def test_a_cluster_is_locked_until_it_is_told_otherwise(program: Program) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    with pytest.raises(Failure, match="Cannot destroy cluster because deletion_protection is set to true"):
        program.delete(plan.cluster.name)
    program.update(changed(plan.cluster, deletion_protection=False))
    program.delete(plan.cluster.name)


def test_it_is_kept_in_its_file(tmp_path: Path) -> None:
    first = Program(tmp_path / "deep" / "cloud.json")
    made(first)
    second = Program(tmp_path / "deep" / "cloud.json")
    assert second.cloud.records() == first.cloud.records()
    record = first.cloud.records()[-1]
    read = second.of(record.kind).read(second.told(record.name, record.kind), record.id, {}, {})
    assert read == (record.id, record.inputs, record.state)
    assert second.of(record.kind).read(second.told(record.name, record.kind), "another", {}, {}) is None


# --- what it gives back --------------------------------------------------------------------------------------------------


def test_ids_and_outputs_are_as_googles(program: Program) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    ids = program.ids
    at = "projects/acme-serving"
    assert ids["pd-disaggregation-network"] == f"{at}/global/networks/pd-disaggregation-network"
    assert ids["pd-disaggregation-nodes"] == f"{at}/regions/us-south1/subnetworks/pd-disaggregation-nodes"
    assert ids["pd-disaggregation-nat"] == "acme-serving/us-south1/pd-disaggregation-router/pd-disaggregation-nat"
    assert ids["pd-disaggregation-cluster"] == f"{at}/locations/us-south1/clusters/pd-disaggregation"
    assert ids[POOL] == f"{at}/locations/us-south1/clusters/pd-disaggregation/nodePools/gpu"
    email = "pd-disaggregation-nodes@acme-serving.iam.gserviceaccount.com"
    account = program.states["pd-disaggregation-node-account"]
    assert (account["email"], account["member"]) == (email, f"serviceAccount:{email}")
    agent = program.states["pd-disaggregation-gke-agent"]
    assert agent["email"].startswith("service-")
    assert agent["email"].endswith("@container-engine-robot.iam.gserviceaccount.com")
    cluster = program.states["pd-disaggregation-cluster"]
    endpoints = cluster["controlPlaneEndpointsConfig"]
    assert endpoints["dnsEndpointConfig"]["endpoint"].endswith(".us-south1.gke.goog")
    assert endpoints["dnsEndpointConfig"]["allowExternalTraffic"] is True
    assert cluster["masterVersion"] == plan.settings.gke.version
    assert program.states["pd-disaggregation-network"]["selfLink"].endswith(ids["pd-disaggregation-network"])


@EVERY
def test_whatever_a_plan_refers_to_is_there(name: str, program: Program) -> None:
    plan = planned(variant(name))
    program.create_all(plan.resources)
    for resource in plan.resources:
        assert "nowhere" not in str(spelt(resource.args, program.states))


def test_a_preview_knows_what_it_will_know_later(program: Program) -> None:
    plan = planned(stack())
    inputs = spelt(plan.cluster.args)
    inputs["network"] = UNKNOWN
    cluster = program.of("container.Cluster")
    _, foreseen = cluster.create(program.told("c", "container.Cluster"), inputs, 0, True)
    assert foreseen["controlPlaneEndpointsConfig"]["dnsEndpointConfig"] == {
        "allowExternalTraffic": True,
        "endpoint": UNKNOWN,
    }
    assert foreseen["name"] == "pd-disaggregation"
    assert program.cloud.records() == []
    state = {"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": "e"}}, "masterVersion": "v"}
    told = program.told("c", "container.Cluster")
    after = cluster.update(told, "id", inputs, state, timeout=0, preview=True, ignore=[])
    assert after["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] == "e"


def test_types_are_told_apart_by_the_engines_words() -> None:
    assert {path_of(token(kind)) for kind in KINDS} == set(KINDS)
    assert path_of("gcp:storage/bucket:Bucket") not in KINDS


def test_offered_versions_are_valid_and_their_channels_default_is_one_of_them() -> None:
    assert OFFERED.keys() == CHANNELS.keys() == {"RAPID", "REGULAR", "STABLE", "EXTENDED"}
    for channel, versions in OFFERED.items():
        assert [*versions] == sorted(versions, key=parse, reverse=True)
        assert CHANNELS[channel] in versions


# --- what it refuses to make ---------------------------------------------------------------------------------------------


def test_a_name_is_there_once(program: Program, tmp_path: Path) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    other = Program(tmp_path / "cloud.json", stack="staging")
    other.states = program.states
    for resource in plan.resources:
        if KINDS[resource.type].shared:
            other.create(resource)
            other.delete(resource.name)
        else:
            with pytest.raises(Failure, match=r"Error 409: .* already exists"):
                other.create(resource)
    assert [record.stack for record in program.cloud.records()] == ["urn:pulumi:prod::llmd-pd"] * len(plan.resources)


@pytest.mark.parametrize("name", ["dranet", "multinet", "a4 multinet", "tpu7x", "tpu-v6e"])
def test_what_refers_to_nothing_is_not_made(name: str, program: Program) -> None:
    """Each resource with each of its references led astray."""
    plan = planned(variant(name))
    for resource in plan.resources:
        for argument, value in resource.args.items():
            if isinstance(value, Ref):
                astray = changed(resource, **{argument: Ref("another", value.attribute)})
                with pytest.raises(Failure, match=r"was not found|does not exist"):
                    program.create(astray) if argument != "member" else program.create(
                        changed(resource, member="serviceAccount:nobody@acme")
                    )
        program.create(resource)


def test_neither_without_the_api_it_is_of(program: Program) -> None:
    plan = planned(stack())
    tried = 0
    for resource in plan.resources:
        if resource.type == "projects.Service":
            continue
        if KINDS[resource.type].api:
            tried += 1
            with pytest.raises(Failure, match=r"API.* has not been used in project acme-serving before"):
                program.create(resource)
    assert tried > 5


def test_nor_a_pool_of_dranet_unless_gke_may_make_networks(program: Program) -> None:
    *resources, pool = planned(stack()).resources
    program.create_all([one for one in resources if one.name != "pd-disaggregation-gke-agent-networks"])
    with pytest.raises(Failure, match=r'Required "compute.networks.create" permission'):
        program.create(pool)


def test_nor_a_cluster_whose_ranges_the_subnet_does_not_have(program: Program) -> None:
    plan = planned(stack())
    ranges = {"cluster_secondary_range_name": "pods", "services_secondary_range_name": "service"}
    program.create_all(plan.resources[: plan.resources.index(plan.cluster)])
    with pytest.raises(Failure, match='Secondary range "service" does not exist'):
        program.create(changed(plan.cluster, ip_allocation_policy=ranges))


# --- changes -------------------------------------------------------------------------------------------------------------


@EVERY
def test_what_is_not_changed_is_no_change(name: str, program: Program) -> None:
    plan = planned(variant(name))
    program.create_all(plan.resources)
    assert [one.name for one in plan.resources if program.diff(one).updates] == []


def test_what_cannot_be_changed_is_replaced_and_the_rest_is_not(program: Program) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    pool = plan.resource(POOL)
    node = {**pool.args["node_config"], "spot": True, "labels": {"a.b/c": "d"}}
    changes = program.diff(changed(pool, node_config=node, node_count=3))
    assert changes.replaces == {"nodeConfig.spot"}
    assert changes.updates["nodeConfig.spot"] == "ADD"
    assert changes.updates["nodeCount"] == "UPDATE"
    assert 'nodeConfig.labels["a.b/c"]' in changes.updates
    subnet = plan.resource("pd-disaggregation-nodes")
    assert program.diff(changed(subnet, ip_cidr_range="10.0.0.0/8")).replaces == set()
    assert program.diff(changed(subnet, ip_cidr_range="172.16.0.0/16")).replaces == {"ipCidrRange"}
    assert program.diff(changed(subnet, ip_cidr_range=UNKNOWN)).replaces == {"ipCidrRange"}
    assert program.diff(changed(subnet, network=UNKNOWN)).replaces == {"network"}
    firewall = plan.resource("pd-disaggregation-internal")
    assert program.diff(changed(firewall, source_ranges=["10.0.0.0/8"])).replaces == set()
    assert program.diff(changed(firewall, name="another")).replaces == {"name"}
    role = plan.of("projects.IAMMember")[0]
    assert program.diff(changed(role, role="roles/owner")).replaces == {"role"}


def test_a_change_is_kept_and_told(program: Program) -> None:
    plan = planned(stack())
    program.create_all(plan.resources)
    endpoint = program.states[plan.cluster.name]["controlPlaneEndpointsConfig"]
    program.update(changed(plan.cluster, min_master_version="1.36.1-gke.1215000"))
    (record,) = (one for one in program.cloud.records() if one.kind == "container.Cluster")
    assert record.state["masterVersion"] == "1.36.1-gke.1215000"
    assert record.state["controlPlaneEndpointsConfig"] == endpoint
    assert program.cloud.events()[-1].event == "update"
    program.cloud.path.unlink()
    with pytest.raises(Failure, match="was not found"):
        program.update(plan.cluster)


# --- bad days ------------------------------------------------------------------------------------------------------------

WORDS = {
    "quota": r"Insufficient regional quota to satisfy request: resource 'NVIDIA_H200_GPUS': request requires '16.0'",
    "stockout": r"ZONE_RESOURCE_POOL_EXHAUSTED.*'projects/acme-serving/zones/us-south1-b' does not have enough resources",
    "apply-forbidden": r'Required "container.nodePools.create" permission',
    "zone-mismatch": r'reservation "projects/acme-serving/reservations/h200" not found for node pool "gpu" at zone "us-south1-b"',
}


@pytest.mark.parametrize("fault", WORDS)
def test_a_bad_day_ends_at_the_pool(fault: str, tmp_path: Path) -> None:
    program = Program(tmp_path / "cloud.json", fault=fault)
    *others, system, pool = planned(stack()).resources
    program.create_all(others)
    if fault == "apply-forbidden":
        with pytest.raises(Failure, match=WORDS[fault]):
            program.create(system)
    else:
        program.create(system)
    with pytest.raises(Failure, match=WORDS[fault]):
        program.create(pool)
    assert not any(record.name == pool.name for record in program.cloud.records())


def test_a_slow_pool_comes_late(tmp_path: Path) -> None:
    waited: list[float] = []
    program = Program(tmp_path / "cloud.json", fault="slow-pool", wait=lambda seconds: bool(waited.append(seconds)))
    made(program)
    assert waited == [SLOW_SECONDS]
    with pytest.raises(Failure, match="interrupted"):
        made(Program(tmp_path / "another.json", fault="slow-pool", wait=lambda _: True))
    assert {fault.id for fault in FAULTS} == {*WORDS, "slow-pool"}


def test_a_fault_of_somebody_else_is_none(tmp_path: Path) -> None:
    made(Program(tmp_path / "cloud.json", fault="flood"))


FALLS_SHORT = {
    "tpu7x": "TPUS_PER_TPU_FAMILY",
    "tpu-v6e spot": "TPUS_PER_TPU_FAMILY",
    "spot": "PREEMPTIBLE_NVIDIA_H200_GPUS",
    "a4 dranet": "NVIDIA_B200_GPUS",
    "a4 spot": "PREEMPTIBLE_NVIDIA_B200_GPUS",
    "on demand": "TPUS_PER_TPU_FAMILY",
}


@pytest.mark.parametrize("name", FALLS_SHORT)
def test_a_fault_befalls_what_it_can(name: str, tmp_path: Path) -> None:
    *others, pool = planned(variant(name)).resources
    program = Program(tmp_path / "cloud.json", fault="quota")
    program.create_all(others)
    with pytest.raises(Failure, match=f"resource '{FALLS_SHORT[name]}': request requires '(8|16).0'"):
        program.create(pool)
    mismatch = Program(tmp_path / "another.json", fault="zone-mismatch")
    mismatch.create_all(others)
    if name in ("tpu7x", "a4 dranet"):
        with pytest.raises(Failure, match="not found for node pool"):
            mismatch.create(pool)
    else:
        mismatch.create(pool)
