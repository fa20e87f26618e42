"""The contract of a pretend cloud: every cloud's plan lives and goes in the pretend cloud of its table, in process."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.clouds.inputs import camel
from rehearsal.clouds.pretend import PretendKinds, path_of
from rehearsal.clouds.provider import PretendProvider
from rehearsal.clouds.registry import rehearsal_of
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Resource as Told
from rehearsal.plugins.values import UNKNOWN
from releases.values import look_up
from stacks.clouds.cloud import ClusterPlan
from stacks.clouds.registry import CLOUDS
from stacks.clouds.resource import Ref, refs
from tests.contract.clouds import made
from tests.pretend_cloud import Program, spelt, token

pytestmark = pytest.mark.usefixtures("harbor_registered")


@pytest.fixture
def table(key: str) -> PretendKinds:
    found = rehearsal_of(CLOUDS[key]).pretend
    assert found is not None
    return found


@pytest.fixture
def plan(key: str) -> ClusterPlan:
    return made(key, protect=False).cluster


@pytest.fixture
def program(table: PretendKinds, tmp_path: Path) -> Program:
    return Program(tmp_path / "cloud.json", table=table)


@pytest.fixture
def full(program: Program, plan: ClusterPlan) -> Program:
    """The cloud with the whole plan."""
    program.create_all(plan.resources)
    return program


def test_the_table_has_a_row_for_every_class_of_the_plan(key: str, table: PretendKinds, plan: ClusterPlan) -> None:
    assert {one.type for one in plan.resources} <= table.kinds.keys()
    assert {path_of(token(kind, table.package)) for kind in table.kinds} == set(table.kinds)
    for path, kind in table.kinds.items():
        assert kind.path == path
        assert {*kind.takes, *(named for row in kind.refers.values() for named in row)} <= table.kinds.keys()
        assert {*kind.follows, *kind.aliases} <= kind.computed.keys()
    extra = CLOUDS[key].extra
    assert extra is not None
    assert (extra.package, extra.module) == (f"pulumi-{table.package}", table.sdk)


def test_the_inputs_of_a_plan_are_valid_and_others_are_refused(
    table: PretendKinds, plan: ClusterPlan, program: Program
) -> None:
    if importlib.util.find_spec(table.sdk) is None:
        pytest.skip(f"{table.sdk} is not installed")
    for one in plan.resources:
        assert program.check(one) == {}
        strange = replace(one, args={**one.args, "no_such_argument": 1})
        assert program.check(strange) == {"noSuchArgument": "there is no such argument"}
        program.create(one)


def test_a_law_of_the_cloud_is_asked_before_a_create(tmp_path: Path) -> None:
    """Harbor's; `test_single_mistakes_*` walk those of the others."""
    found = rehearsal_of(CLOUDS["harbor"]).pretend
    assert found is not None
    program = Program(tmp_path / "cloud.json", table=found)
    network, cluster = made("harbor").cluster.resources
    program.create(network)
    assert program.check(cluster) == {}
    moved = replace(cluster, args={**cluster.args, "region": "reef"})
    assert program.check(moved) == {"region": "HARBOR-01: a cluster on a reef"}
    unknown = replace(cluster, args={**cluster.args, "region": UNKNOWN})
    assert program.check(unknown) == {}


def test_a_plan_is_created_in_its_order(plan: ClusterPlan, full: Program) -> None:
    assert [(record.kind, record.name) for record in full.cloud.records()] == [
        (one.type, one.name) for one in plan.resources
    ]


def test_each_reference_has_to_lead_to_a_resource(table: PretendKinds, plan: ClusterPlan, program: Program) -> None:
    tried = 0
    for one in plan.resources:
        for argument, value in one.args.items():
            if isinstance(value, Ref) and argument in table.kinds[one.type].refers:
                tried += 1
                astray = "serviceAccount:nobody@nowhere" if argument == "member" else "nowhere"
                with pytest.raises(Failure, match="nowhere"):
                    program.create(replace(one, args={**one.args, argument: astray}))
        program.create(one)
    assert tried


def test_a_name_exists_once(table: PretendKinds, plan: ClusterPlan, full: Program, tmp_path: Path) -> None:
    """A second create is refused, of this stack or of another; a shared resource is the same one."""
    there = full.cloud.records()
    for stack in ("prod", "other"):
        second = Program(tmp_path / "cloud.json", stack, table)
        second.states = dict(full.states)
        for one, record in zip(plan.resources, there, strict=True):
            if table.kinds[one.type].shared:
                continue
            noun, name = table.kinds[one.type].noun, table.errors.name(record.args, record.id)
            with pytest.raises(Failure) as refused:
                second.create(one)
            assert str(refused.value) == str(table.errors.already_exists(noun, name))
    assert full.cloud.records() == there


def test_reading_returns_the_inputs_with_the_computed_outputs(
    table: PretendKinds, plan: ClusterPlan, full: Program
) -> None:
    assert any(table.kinds[one.type].computed for one in plan.resources)
    for one in plan.resources:
        kind, told = table.kinds[one.type], full.told(one.name, one.type)
        read = full.of(one.type).read(told, full.ids[one.name], {}, {})
        assert read is not None
        id_, inputs, state = read
        assert (id_, inputs) == (full.ids[one.name], spelt(one.args, full.states))
        assert inputs.keys() <= state.keys()
        outputs = {path: look_up(state, tuple(path.split("."))) for path in (*kind.computed, *kind.filled)}
        assert None not in outputs.values()
        assert full.of(one.type).read(told, "nowhere", {}, {}) is None


def test_a_preview_creates_nothing_and_knows_no_outputs(
    table: PretendKinds, plan: ClusterPlan, program: Program
) -> None:
    for one in plan.resources:
        told = program.told(one.name, one.type)
        id_, foreseen = program.of(one.type).create(told, spelt(one.args), 0, True)
        assert id_ == ""
        for path in table.kinds[one.type].computed:
            assert look_up(foreseen, tuple(path.split("."))) == UNKNOWN
    assert program.cloud.records() == []


def test_an_immutable_change_replaces_and_no_change_does_nothing(key: str, plan: ClusterPlan, full: Program) -> None:
    assert [one.name for one in plan.resources if full.diff(one).updates] == []
    immutable = CLOUDS[key].replaces
    assert immutable is not None
    known = [one for one in plan.resources if immutable.knows(one.type)]
    assert plan.cluster in known
    for one in known:
        moved = {place: "x" for place in ("name", "zone", "region", "location") if place in one.args}
        other = replace(one, args={**one.args, **moved})
        fields = immutable.replacing_fields(one.args, other.args, one.type)
        assert fields
        assert full.diff(other).replaces == {camel(field) for field in fields}


def test_nothing_goes_while_something_refers_to_it(table: PretendKinds, plan: ClusterPlan, full: Program) -> None:
    there = full.cloud.records()
    kinds = {one.name: table.kinds[one.type] for one in plan.resources}
    pairs = {(ref.resource, one.name) for one in plan.resources for ref in refs(one.args)}
    held = {used for used, user in pairs if kinds[user].path not in kinds[used].takes}
    assert held
    for used in held:
        with pytest.raises(Failure) as refused:
            full.delete(used)
        (record,) = [one for one in there if one.name == used]
        words = str(table.errors.in_use(kinds[used].noun, table.errors.name(record.args, record.id), "USER", "USER"))
        assert str(refused.value).startswith(words.partition("USER")[0])
    assert full.cloud.records() == there


def test_what_goes_with_its_owner_needs_no_delete_of_its_own(
    table: PretendKinds, plan: ClusterPlan, full: Program
) -> None:
    for one in reversed(plan.resources):
        if takes := table.kinds[one.type].takes:
            full.delete(one.name)
            assert not [record for record in full.cloud.records() if record.kind in (one.type, *takes)]


def test_deleted_in_the_reverse_order_nothing_is_left(plan: ClusterPlan, full: Program) -> None:
    for one in reversed(plan.resources):
        full.delete(one.name)
        full.delete(one.name)  # no error: it does not exist any more
    assert full.cloud.records() == []
    names = [one.name for one in plan.resources]
    assert [(event.event, event.name) for event in full.cloud.events()] == [
        *(("create", name) for name in names),
        *(("delete", name) for name in reversed(names)),
    ]


def test_what_does_not_exist_is_not_changed(plan: ClusterPlan, full: Program) -> None:
    full.cloud.path.unlink()
    for one in plan.resources:
        with pytest.raises(Failure):
            full.update(one)
    assert full.cloud.records() == []


def test_the_plugin_has_the_tables_kinds_only(table: PretendKinds, tmp_path: Path) -> None:
    provider = PretendProvider(table, "1", Engine(""), {"LLMD_PD_PRETEND_CLOUD": str(tmp_path / "cloud.json")})
    for kind in table.kinds:
        provider.lifecycle(Told("urn", token(kind, table.package), "a"))
    with pytest.raises(Failure, match=f"is not offered by the offline stand-in for the {table.package} plugin"):
        provider.lifecycle(Told("urn", token("storage.Bucket", table.package), "a"))
