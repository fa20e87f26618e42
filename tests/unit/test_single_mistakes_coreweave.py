"""Every way in which one field of a NodePool's labels, taints or machine is wrong: refused, short of nodes, or its pods Pending.

The walk is over the objects a stack makes, through the CRD's schema and the rehearsal's controller, as in a rehearsal. RDMA is no
field of them: it is the machine's, and the pods' fabric, which `test_single_mistakes_files.py` walks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hardware.fit.requests import pod_requests
from hardware.machines import COREWEAVE_CPU, MACHINES
from rehearsal.fleet.node_pools import Controller
from rehearsal.parts.standins.crds import NODE_POOL
from rehearsal.verdict.mismatch import machines_of, nearest
from rehearsal.verdict.node_pools import Pools
from stacks.clouds.coreweave.pools import FABRIC, FLAVOR, LEAFGROUP
from stacks.rules.facts import serving_blueprint
from tests import cks_plans
from tests.mistakes import Mistake, added, mistakes, places
from tests.mistakes import Path as Place
from tests.unit.test_coreweave import TEAM, stack
from tests.unit.test_nodepools import NODES, Store

WANTED = {"nodeSelector": {"team": "chat"}, "tolerations": [{**TEAM, "operator": "Equal"}]}
GIVEN = stack(serving=WANTED, acceleratorPool={"labels": {"team": "chat"}, "taints": [TEAM]})
POOLS = {pool.key: pool for pool in cks_plans.pools(GIVEN)}
PODS = pod_requests(serving_blueprint(GIVEN, Path()).model_server)
#: Fields of a NodePool that are neither label, taint nor machine.
ELSEWHERE: dict[str, str] = {
    "computeClass": "a price", "autoscaling": "how many: CW-02", "targetNodes": "how many: CW-01",
    "lifecycle": "how nodes go",
}  # fmt: skip
H200 = MACHINES["coreweave-h200"]
WORDS: dict[str, Sequence[Any]] = {
    "instanceType": [H200.instance_type, *COREWEAVE_CPU, "b200-8x", "gb200-4x"],
    "effect": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
}
NOBODYS = {"key": "nobody", "value": "tolerates"}
#: Values that can be added: the pool, the place, and the value.
ADDED: list[tuple[str, Place, Any]] = [
    *(("acceleratorPool", ("nodeTaints", 1), {**NOBODYS, "effect": effect}) for effect in WORDS["effect"]),
    ("systemPool", ("nodeTaints",), [{**NOBODYS, "effect": "NoSchedule"}]),
    ("acceleratorPool", ("nodeLabels", FLAVOR), ""),
    ("acceleratorPool", ("nodeLabels", FLAVOR), "ethernet"),
    ("acceleratorPool", ("nodeLabels", FABRIC), "mine"),
    ("acceleratorPool", ("nodeLabels", LEAFGROUP), "mine"),
    ("acceleratorPool", ("nodeLabels", "anybodys"), "own"),
]
#: Harmless changes: the pool, the mistakes (a pattern), and why. Everything else has to be found.
HARMLESS: list[tuple[str, str, str]] = [
    ("acceleratorPool", r"nodeTaints(\.0)? gone", "what is tolerated need not be there"),
    ("acceleratorPool", r".*effect is 'PreferNoSchedule'", "a wish, which the scheduler may disregard"),
    ("acceleratorPool", r".* added: .*'PreferNoSchedule'.*", "a wish, which the scheduler may disregard"),
    ("acceleratorPool", rf"nodeLabels\.({FABRIC}|{LEAFGROUP}) added: .*", "all nodes of the pool say the same, and are together"),
    ("acceleratorPool", r"nodeLabels\.anybodys added: own", "nobody selects by it"),
    ("systemPool", rf"instanceType is '({'|'.join(COREWEAVE_CPU)})'", "CPU nodes, of another size"),
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One mistake in the spec of one pool."""

    pool: str
    mistake: Mistake

    def __str__(self) -> str:
        return f"{self.pool}: {self.mistake}"

    @property
    def harmless(self) -> str:
        """Why it changes nothing that matters; empty where it does."""
        found = [why for pool, pattern, why in HARMLESS if pool == self.pool and self.matches(pattern)]
        return found[0] if found else ""

    def matches(self, pattern: str) -> bool:
        return re.fullmatch(pattern, str(self.mistake)) is not None


def cases() -> Iterator[Case]:
    for key, pool in POOLS.items():
        for mistake in mistakes(pool.spec, lambda place, _: WORDS.get(str(place[-1]), ())):
            if mistake.path[0] not in ELSEWHERE:
                yield Case(key, mistake)
        for where, place, value in ADDED:
            if where == key:
                yield Case(key, added(pool.spec, place, value))


CASES = [*cases()]


def refused(schema: dict[str, Any], value: Any, place: str = "spec") -> Iterator[str]:
    """Returns the API server's findings by the CRD's schema."""
    if isinstance(value, dict):
        for key in schema.get("required", ()):
            if key not in value:
                yield f"{place}.{key}: Required value"
        known = schema.get("properties", {})
        for key, part in value.items():
            yield from refused(known.get(key, schema.get("additionalProperties") or {}), part, f"{place}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from refused(schema["items"], part, f"{place}[{index}]")
    elif value not in schema.get("enum", [value]) or len(str(value)) < schema.get("minLength", 0):
        yield f"{place}: Unsupported value: {value!r}"


def verdict(key: str = "", spec: Any = None) -> str:
    """Returns the messages about the pools, one of which has this spec; none if all pods are placed."""
    schema = NODE_POOL.definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    store = Store()
    for pool in POOLS.values():
        manifest = pool.manifest()
        if pool.key == key:
            if found := [*refused(schema, spec)]:
                return "; ".join(found)
            manifest = manifest | {"spec": spec}
        store.objects["/apis/compute.coreweave.com/v1alpha1/nodepools"][pool.name] = manifest | {
            "metadata": {"name": pool.name, "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "1"}
        }
    for _ in range(4):
        Controller(store).reconcile()  # type: ignore[arg-type]
    flaws = [flaw.text for flaw in Pools([*POOLS.values()]).flaws(store)]  # type: ignore[arg-type]
    machines = machines_of(store.objects[NODES].values(), (), ())
    pending = [said for pod in PODS if (said := nearest(pod, machines))]
    router = [machine for machine in machines if not any(row.effect == "NoSchedule" for row in machine.taints)]
    return "; ".join([*flaws, *pending, *([] if router else ["no node without a taint is left for the router"])])


def called(mistake: Mistake) -> Sequence[str]:
    """The names of its field, of which one has to be in what is said."""
    place = [str(step) for step in mistake.path]
    match place[0]:
        case "nodeLabels":
            return tuple(place[1:2]) or ("label ",)
        case "nodeTaints":
            return ("nodeTaints", "taint ")
    return ("instanceType", "instance type", "machine type")


def test_without_a_mistake_every_pod_is_placed() -> None:
    assert verdict() == ""


@pytest.mark.parametrize("case", [case for case in CASES if not case.harmless], ids=str)
def test_a_single_mistake_is_found_and_its_field_named(case: Case) -> None:
    said = verdict(case.pool, case.mistake.content)
    assert said, "every pod is placed"
    assert any(word in said for word in called(case.mistake)), said
    if case.mistake.path == ("instanceType",) and case.mistake.how != "gone":
        assert case.mistake.content["instanceType"] in said


@pytest.mark.parametrize("case", [case for case in CASES if case.harmless], ids=str)
def test_what_is_harmless_is_left_alone(case: Case) -> None:
    assert verdict(case.pool, case.mistake.content) == "", case.harmless


def test_the_tables_are_of_what_is_there() -> None:
    """A row about nothing hides that its subject was renamed."""
    for pool, pattern, _ in HARMLESS:
        assert any(case.pool == pool and case.matches(pattern) for case in CASES), (pool, pattern)
    assert set(ELSEWHERE) <= {str(place[0]) for pool in POOLS.values() for place, _ in places(pool.spec)}
