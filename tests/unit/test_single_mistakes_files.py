"""Every way in which one field of a stack file about labels, taints, machine or RDMA is wrong: `check` refuses it and names it.

The walk is over stack files that say all there is to say of a pool. What a plan could get wrong is walked in
`test_single_mistakes_gke.py` and `test_single_mistakes_coreweave.py`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from hardware.accelerators import ACCELERATORS
from hardware.machines import MACHINES, RdmaMode
from stacks.findings import Problem, StackFileError
from tests.blueprints import spec_from_config
from tests.gke_plans import GKE
from tests.mistakes import Mistake, Path, added, at, mistakes

TEAM = {"key": "team", "value": "chat", "effect": "NoSchedule"}
POOL = {"labels": {"team": "chat"}, "taints": [TEAM]}
#: Said twice on purpose: what such nodes are, and what of them the pods want.
WANTED = {"nodeSelector": {"team": "chat"}, "tolerations": [{**TEAM, "operator": "Equal"}]}


def gke(machine: str, rdma: str, **serving: str) -> dict[str, Any]:
    made = {"provider": "gke", "machine": machine, "nodes": 2, "gke": {**GKE, "rdma": rdma, "acceleratorPool": POOL}}
    return {"serving": {**serving, **WANTED}, "cluster": made}


FILES: dict[str, dict[str, Any]] = {
    "dranet": gke("gke-a3-ultragpu-8g-dra", "dranet", accelerator="nvidia", fabric="gke-rdma"),
    "multinet": gke("gke-a3-ultragpu-8g-rdma", "multinet", accelerator="nvidia", fabric="gke"),
    "tpu7x": gke("gke-tpu7x", "none", accelerator="tpu", fabric="base"),
    "coreweave": {
        "serving": {"accelerator": "nvidia", "fabric": "coreweave", **WANTED},
        "cluster": {
            "provider": "coreweave", "context": "cw", "machine": "coreweave-h200", "nodes": 2,
            "coreweave": {"systemPool": {"instanceType": "turin-gp"}, "acceleratorPool": POOL},
        },
    },
}  # fmt: skip
ON_GKE = ("dranet", "multinet", "tpu7x")
#: Places that are changed, in the files that have them.
WALKED: list[Path] = [
    ("cluster", "provider"),
    ("cluster", "machine"),
    ("cluster", "nodes"),
    ("cluster", "gke", "rdma"),
    ("cluster", "gke", "acceleratorPool"),
    ("cluster", "coreweave", "systemPool"),
    ("cluster", "coreweave", "acceleratorPool"),
    ("serving", "accelerator"),
    ("serving", "fabric"),
    ("serving", "nodeSelector"),
    ("serving", "tolerations"),
]
WORDS: dict[str, Sequence[Any]] = {
    "provider": ["existing", "coreweave", "gke", "stack"],
    "machine": [*MACHINES],
    "rdma": get_args(RdmaMode),
    "accelerator": [*ACCELERATORS],
    "fabric": [*dict.fromkeys(fabric for row in ACCELERATORS.values() for fabric in row.fabrics)],
    "effect": ["NoSchedule", "PreferNoSchedule", "NoExecute"],
    "instanceType": [row.instance_type for row in MACHINES.values()],
    "operator": ["Exists", "Equal"],
}


def pool(name: str) -> Path:
    return ("cluster", FILES[name]["cluster"]["provider"], "acceleratorPool")


def more(name: str) -> Iterator[Mistake]:
    """Values that can be added: labels and taints of the machine, and unknown ones."""
    content, machine = FILES[name], MACHINES[FILES[name]["cluster"]["machine"]]
    labels, taints = (*pool(name), "labels"), (*pool(name), "taints", 1)
    for key in machine.all_labels:
        yield added(content, (*labels, key), "mine")
    yield added(content, (*labels, "anybodys"), "own")
    for own in (*machine.taints, None):
        for effect in WORDS["effect"]:
            key, value = (own.key, own.value) if own else ("nobody", "tolerates")
            yield added(content, taints, {"key": key, "value": value, "effect": effect})
    yield added(content, taints, TEAM)
    for key in machine.all_labels:
        yield added(content, ("serving", "nodeSelector", key), "another")
    yield added(content, ("serving", "nodeSelector", "nobodys"), "label")
    yield added(content, ("serving", "tolerations", 1), {"key": "anything", "operator": "Exists"})


#: Harmless changes: the files, the mistakes (a pattern), and why. Everything else has to be found.
HARMLESS: list[tuple[Sequence[str], str, str]] = [
    ([*FILES], r"cluster\.machine gone", "the fabric has one machine of this provider"),
    (("dranet",), r"cluster\.machine is 'gke-a4-highgpu-8g-dra'", "another machine that serves the fabric"),
    (("multinet",), r"cluster\.machine is 'gke-a4-highgpu-8g-rdma'", "another machine that serves the fabric"),
    ([*FILES], r"cluster\.nodes is 3", "one more than is needed"),
    (("dranet", "tpu7x"), r"cluster\.gke\.rdma gone", "it is what such machines have by default"),
    (("multinet",), r"cluster\.gke\.rdma is 'none'", "said aloud: the nodes do without networks for RDMA"),
    (("multinet",), r"serving\.fabric (gone|is 'base')", "upstream's gke fabric is the pod network too"),
    (("tpu7x",), r"serving\.fabric gone", "it is the only one, and the default"),
    (("coreweave",), r"serving\.fabric is 'base'", "TCP, said aloud"),
    (("coreweave",), r"cluster\.coreweave\.systemPool(\.instanceType)? gone", "there is a default"),
    ([*FILES], r"cluster\.\w+\.acceleratorPool\.taints(\.0)? gone", "what is tolerated need not be there"),
    ([*FILES], r".*taints\.0\.effect is 'PreferNoSchedule'", "a wish, which the scheduler may disregard"),
    ([*FILES], r".*taints\.1 added: .*'nobody'.*'PreferNoSchedule'.*", "a wish, which the scheduler may disregard"),
    ([*FILES], r".*labels\.anybodys added: .*", "nobody selects by it"),
    ([*FILES], r"serving\.nodeSelector(\.team)? gone", "labels need not be selected by"),
    ([*FILES], r"serving\.tolerations\.0\.(effect|operator) gone", "all effects; and Equal is Kubernetes' default"),
    ([*FILES], r"serving\.tolerations\.1 added: .*", "what is tolerated need not be there"),
]


@dataclass(frozen=True)
class Case:
    """One mistake in one file."""

    name: str
    mistake: Mistake

    def __str__(self) -> str:
        return f"{self.name}: {self.mistake}"

    @property
    def harmless(self) -> str:
        """Why it changes nothing that matters; empty where it does."""
        found = [why for names, pattern, why in HARMLESS if self.name in names and self.matches(pattern)]
        return found[0] if found else ""

    def matches(self, pattern: str) -> bool:
        return re.fullmatch(pattern, str(self.mistake)) is not None


def cases() -> Iterator[Case]:
    for name, content in FILES.items():
        for below in WALKED:
            if at(content, below) is not None:
                for mistake in mistakes(content, lambda path, _: WORDS.get(str(path[-1]), ()), below):
                    yield Case(name, mistake)
        for mistake in more(name):
            yield Case(name, mistake)


CASES = [*cases()]


def problems(content: Any) -> Sequence[Problem]:
    try:
        spec_from_config(content)
    except StackFileError as error:
        return error.problems
    return ()


def named(path: Path, said: str) -> bool:
    """Whether the field is named: by its path, or as what is written there. Of maps and lists, with the key in them."""
    keys = [str(step) for step in path if not isinstance(step, int)]
    ends = [index + 1 for index, key in enumerate(keys) if key in ("labels", "nodeSelector", "taints", "tolerations")]
    end = ends[0] if ends else len(keys)
    field, last = ".".join(keys[:end]), keys[end - 1]
    spelt = field in said or f"`{last}: " in said or f"{last} `" in said
    return spelt and (last not in ("labels", "nodeSelector") or all(key in said for key in keys[end:]))


@pytest.mark.parametrize("name", FILES)
def test_without_a_mistake_nothing_is_found(name: str) -> None:
    assert problems(FILES[name]) == ()


@pytest.mark.parametrize("case", [case for case in CASES if not case.harmless], ids=str)
def test_a_single_mistake_is_refused_and_its_field_named(case: Case) -> None:
    found = problems(case.mistake.content)
    assert found, "`check` takes it"
    said = "; ".join(map(str, found))
    assert named(case.mistake.path, said), said


@pytest.mark.parametrize("case", [case for case in CASES if case.harmless], ids=str)
def test_what_is_harmless_is_left_alone(case: Case) -> None:
    assert problems(case.mistake.content) == (), case.harmless


def test_the_table_is_of_what_is_there() -> None:
    """A row about nothing hides that its subject was renamed."""
    for names, pattern, _ in HARMLESS:
        for name in names:
            assert any(case.name == name and case.matches(pattern) for case in CASES), (name, pattern)
