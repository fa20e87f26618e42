"""The contract of a cloud: every cloud of the registry passes this suite, and so does one that plugs in through it alone."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.check import examine
from commands.cli import run
from rehearsal.clouds.cloud import CloudRehearsal
from rehearsal.clouds.registry import rehearsal_of
from rehearsal.faults import check
from releases import files
from stacks.blueprint import Blueprint
from stacks.clouds.changes import changes, fingerprint
from stacks.clouds.cloud import EXISTING, ClusterPlan, Follows, Previous
from stacks.clouds.outputs import CLUSTER, PLANNED
from stacks.clouds.registry import CLOUDS
from stacks.clouds.resource import refs
from stacks.compose import compose
from stacks.file.load import load
from stacks.findings import run as ask
from stacks.leftovers import find_leftovers
from stacks.platform import Foundation, stand_on
from stacks.rules.facts import Facts, blueprint
from stacks.rules.table import rules
from tests.blueprints import examined, spec_from_config
from tests.contract.clouds import EXAMPLES, config, made
from tests.contract.harbor import cloud as harbor
from tests.crd_files import write
from tests.mocks.recording import OWNER, Recording, record
from tests.mocks.test_gke import COMPUTED

pytestmark = pytest.mark.usefixtures("harbor_registered")

ROOT = Path(__file__).parents[2]


def file(directory: Path, key: str, **more: Any) -> Path:
    path = directory / f"Pulumi.{key}.yaml"
    stated = {f"llmd-pd:{name}": value for name, value in config(key, **more).items()}
    path.write_text(yaml.safe_dump({"config": stated}))
    return path


def test_every_cloud_that_makes_nodes_has_an_example() -> None:
    assert {word for word, cloud in CLOUDS.items() if cloud.makes_nodes} == EXAMPLES.keys()


def test_a_stack_file_is_checked(key: str, tmp_path: Path) -> None:
    found = examine(file(tmp_path, key))
    assert found.problems == ()
    assert found.description


def test_a_faulty_section_has_the_line_of_its_key(key: str, tmp_path: Path) -> None:
    section = {**EXAMPLES[key][0][key], "regoin": 1}
    path = file(tmp_path, key, **{key: section})
    (problem,) = [row for row in examine(path).problems if "regoin" in row.path]
    assert problem.path == f"llmd-pd:cluster.{key}.regoin"
    assert "regoin" in path.read_text().splitlines()[problem.line - 1]


def test_a_section_of_another_cloud_is_refused(key: str, tmp_path: Path) -> None:
    other = next(word for word in EXAMPLES if word != key)
    found = examine(file(tmp_path, key, **{other: EXAMPLES[other][0][other]}))
    assert [row.path for row in found.problems] == [f"llmd-pd:cluster.{other}"]


def test_its_rules_are_in_the_table(key: str) -> None:
    listed = [rule.id for rule in rules()]
    assert all(listed.count(rule.id) == 1 for rule in CLOUDS[key].rules)
    assert CLOUDS[key].rules


def test_a_law_of_its_resources_is_told_before_they_are_made(tmp_path: Path) -> None:
    (problem,) = examine(file(tmp_path, "harbor", harbor={"region": "reef"})).problems
    assert (problem.rule, problem.path) == ("HARBOR-01", "pd-disaggregation-cluster.region")


def test_a_plan_is_a_function_of_the_stack_file(key: str) -> None:
    assert made(key).cluster == made(key).cluster


def test_resources_come_after_what_they_refer_to(key: str) -> None:
    before: set[str] = set()
    for resource in made(key).cluster.resources:
        assert {ref.resource for ref in refs(resource.args)} | {*resource.after} <= before, resource.name
        assert resource.name not in before
        before.add(resource.name)


def test_what_bills_is_protected_until_the_file_says_otherwise(key: str) -> None:
    guarded, free = made(key).cluster, made(key, protect=False).cluster
    assert guarded.cluster.protect
    assert not any(resource.protect for resource in free.resources)
    assert not any(pool.protect for pool in free.pools)
    assert guarded.node_resources or guarded.pools


def test_the_same_plan_replaces_nothing_and_another_place_the_cluster(key: str) -> None:
    plan, table = made(key).cluster, CLOUDS[key].replaces
    assert table is not None
    before = fingerprint(plan.resources, table)
    assert changes(before, plan.resources, table) == []
    assert plan.cluster.name in before
    moved = tuple(
        replace(one, args={**one.args, "zone": "x", "region": "x", "location": "x"}) if one is plan.cluster else one
        for one in plan.resources
    )
    assert [(found.resource.name, found.replaced) for found in changes(before, moved, table)] == [
        (plan.cluster.name, True)
    ]


def test_a_render_has_every_resource(key: str, tmp_path: Path) -> None:
    path, out = file(tmp_path, key), tmp_path / "out"
    assert run(["render", str(path), "-o", str(out), "--skip-crds", "--skip-driver-installer"]) == 0
    described = [row for row in yaml.safe_load_all((out / "cluster.yaml").read_text()) if row]
    assert [row["name"] for row in described] == [row.name for row in made(key).cluster.resources]


@pytest.fixture
def composed(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Blueprint, Recording]:
    extra = CLOUDS[key].extra
    if extra is not None and importlib.util.find_spec(extra.module) is None:
        pytest.skip(f"{extra.package} is not installed")
    monkeypatch.setattr(files, "manifest_objects", lambda *_: [])
    write(tmp_path / "crds")
    planned = made(key)
    computed = {**COMPUTED, "harbor:cluster:Cluster": {"endpoint": "harbor.example"}}
    return planned, record(lambda: compose(planned, OWNER), computed=computed)


def test_it_is_composed_as_it_is_planned(composed: tuple[Blueprint, Recording]) -> None:
    planned, recording = composed
    plan = planned.cluster
    cloud = {one.name: one for one in recording.under("CloudCluster")}
    assert {resource.name for resource in plan.resources} <= cloud.keys()
    for resource in plan.resources:
        assert cloud[resource.name].protected is resource.protect
        assert cloud[resource.name].provider == f"{planned.cloud.key}-provider"
    assert [one.name for one in recording.of(":NodePool") if one.name in {pool.name for pool in plan.pools}] == [
        pool.name for pool in plan.pools
    ]


def test_a_destroy_takes_the_cluster_last(composed: tuple[Blueprint, Recording]) -> None:
    """Everything in the cluster goes before the guard looks, the guard before the nodes, the nodes before the cluster."""
    planned, recording = composed
    plan = planned.cluster
    (guard,) = recording.of(":Guard")
    served = [*recording.of(":Deployment"), *recording.of(":Release")]
    assert served
    for one in served:
        if one in recording.under("ClusterAddons"):
            continue
        assert guard.name in recording.before(one), one.name
    nodes = plan.node_resources or tuple(pool.name for pool in plan.pools)
    assert nodes[0] in recording.before(guard)
    for name in nodes:
        if name != plan.cluster_name:
            (node,) = [one for one in recording.resources if one.name == name]
            (provider,) = [one for one in recording.resources if one.name == node.provider]
            assert plan.cluster_name in recording.before(node) | recording.before(provider), name
    assert guard.inputs["cluster"] == plan.in_use.cluster if plan.in_use else False


def test_a_stack_serves_on_the_nodes_of_a_platform_stack(key: str) -> None:
    labels = {"team": "chat"}
    section = {**EXAMPLES[key][0][key], "acceleratorPool": {"labels": labels}}
    platform = blueprint(spec_from_config(config(key, serves=False, **{key: section})))
    there = Foundation.exported(json.loads(json.dumps(Foundation.made_by(platform).output())))
    assert there == Foundation.made_by(platform)
    serving = {**EXAMPLES[key][1], "nodeSelector": labels}
    spec = spec_from_config({"cluster": {"provider": "stack", "stack": "platform"}, "serving": serving})
    stood = stand_on(examined(spec), there, "platform").facts
    found = stood.spec.cluster
    assert found.cloud.key == key
    assert found.accelerator_pool.labels == labels
    assert (found.machine, found.nodes) == (EXAMPLES[key][0]["machine"], 2)
    assert stood.blueprint.cluster == ClusterPlan(reached_by=found.at)


def test_it_is_rehearsed(key: str) -> None:
    """Placeholders are filled in, and a pretend cloud makes what is planned (`test_pretend_clouds`)."""
    planned = made(key)
    rehearsed = rehearsal_of(planned.cloud)
    assert rehearsed.pretend is not None
    assert rehearsed.placeholders(planned.spec.cluster.section) == {}
    assert rehearsed.faults
    for fault in rehearsed.faults:
        check(fault.id, rehearsed.faults)


def test_a_cloud_without_a_line_of_its_own_is_rehearsed_as_an_existing_cluster() -> None:
    rehearsed = rehearsal_of(EXISTING)
    assert type(rehearsed) is CloudRehearsal
    assert rehearsed.pretend is None


def test_the_page_about_it_exists(key: str) -> None:
    extra = CLOUDS[key].extra
    assert extra is not None
    assert key == "harbor" or (ROOT / extra.page).exists()


def test_a_second_run_of_the_same_stack_is_not_refused(key: str) -> None:
    """Rules of a change and of the live cluster are those of one cloud, and silent about stacks of another."""
    made_before, table = made(key), CLOUDS[key].replaces
    planned = fingerprint(made_before.cluster.resources, table) if table else {}
    before = Previous(OWNER, {"namespace": "served", PLANNED: planned}, planned)
    assert ask(rules(), Facts(made_before.spec, planned=True, previous=before)).errors == ()


# --- the cloud that plugs in ---------------------------------------------------------------------------------------------


def test_its_leftovers_are_reported_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "harbor")
    assert find_leftovers(blueprint(load(path).spec), "harbor").left == []
    harbor.THERE.append("pd-disaggregation-network")
    try:
        assert run(["leftovers", str(path)]) == 1
    finally:
        harbor.THERE.clear()
    out = capsys.readouterr().out
    assert "Network pd-disaggregation-network" in out
    assert "region `north`" in out


def test_its_kubeconfig_follows_from_it() -> None:
    assert isinstance(made("harbor").cluster.reached_by, Follows)
    computed = {"harbor:cluster:Cluster": {"endpoint": "harbor.example", "name": "pd-disaggregation"}}
    recording = record(lambda: compose(made("harbor"), OWNER), computed=computed)
    reached = {one.inputs["kubeconfig"] for one in recording.of("pulumi:providers:kubernetes")}
    assert reached == {'{"cluster": "pd-disaggregation", "server": "harbor.example"}'}
    assert {CLUSTER, PLANNED}.isdisjoint(recording.exports)


def test_it_says_what_a_change_replaces() -> None:
    table = harbor.HARBOR.replaces
    assert table is not None
    first = made("harbor")
    before = Previous(OWNER, {PLANNED: {}}, fingerprint(first.cluster.resources, table))
    moved = made("harbor", harbor={"region": "south"})
    facts = Facts(moved.spec, planned=True, previous=before)
    assert [found.what for found in ask(rules(), facts).errors if found.rule == "IMM"] == [
        "pd-disaggregation-network is replaced",
        "pd-disaggregation-cluster is replaced",
    ]
