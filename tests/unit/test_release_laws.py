"""The laws of releases: they differ in data only, say nothing of what there is not, and leave the token to the stack."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import hardware
import releases
from hardware.accelerators import ACCELERATORS
from hardware.bill import Bill
from hardware.render.argv import ArgumentError, command_line, flag
from hardware.render.pods import model_server
from hardware.vocabulary import HF_TOKEN, ROLES, SecretRef
from releases import RELEASES
from tests.unit.workloads import JUNE, combinations, container, workload

BILLS = sorted(Path(releases.__file__).parent.glob("guide_*.py"))
RENDERING = (
    "render/pods",
    "render/argv",
    "render/claims",
    "render/env",
    "render/workload",
    "vocabulary",
    "render/join",
)


@pytest.mark.parametrize("module", RENDERING)
def test_no_release_is_known_where_objects_are_rendered(module: str) -> None:
    text = (Path(hardware.__file__).parent / f"{module}.py").read_text()
    assert not any(name in text for name in (*RELEASES, "guide-20", "2026"))
    compared = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare | ast.Match)]
    identity = {"name", "date", "commit", "source"}
    asked = [
        ast.unparse(node)
        for node in compared
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and part.attr in identity and "bill" in ast.unparse(part.value)
    ]
    assert asked == []


@pytest.mark.parametrize("path", BILLS, ids=lambda path: path.stem)
def test_bills_are_data(path: Path) -> None:
    logic = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.IfExp, ast.For, ast.ListComp, ast.DictComp)
    assert [type(node).__name__ for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, logic)] == []


def test_every_bill_is_registered() -> None:
    assert {path.stem.replace("_", "-") for path in BILLS} == set(RELEASES)


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_a_release_by_another_name_renders_the_same(bill: Bill) -> None:
    renamed = replace(bill, name="x", date="", commit="", source="")
    for choice in combinations(bill):
        assert model_server(workload(*choice, bill)) == model_server(workload(*choice, renamed))


def test_every_combination_is_in_some_release() -> None:
    everything = {
        (key, build.engine.key, fabric)
        for key, accelerator in ACCELERATORS.items()
        for build in accelerator.builds
        for fabric in accelerator.fabrics
    }
    assert {choice for bill in RELEASES.values() for choice in combinations(bill)} == everything


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_a_release_speaks_of_what_there_is(bill: Bill) -> None:
    """A key that nothing has any more would change nothing, silently."""
    there = combinations(bill)
    builds = {choice[:2] for choice in there}
    assert bill.images.keys() <= builds | set(there)
    assert bill.scratch.keys() | bill.dropped.keys() <= builds
    assert all(row.builds is None or row.builds <= builds for row in bill.env)
    assert {len(key) for key in bill.lacks} <= {1, 2}
    assert all(key[0] in ACCELERATORS for key in bill.lacks)
    assert all(key[1] in ACCELERATORS[key[0]].fabrics for key in bill.lacks if len(key) == 2)
    for (accelerator, engine), flags in bill.dropped.items():
        build = ACCELERATORS[accelerator].build(engine)
        assert build is not None
        assert set(flags) <= {flag(word) for text in (build.argv, *build.role_args.values()) for word in text.split()}
        assert not set(flags) & set(build.tuned)


def test_a_flag_the_release_dropped_is_the_stacks_to_set() -> None:
    for role in ROLES:
        assert not any("memory" in word for word in command_line(workload(bill=JUNE), role))
    mine = workload(bill=JUNE, extra_args=("--gpu-memory-utilization=0.8",))
    assert command_line(mine, "decode")[-1] == "--gpu-memory-utilization=0.8"
    with pytest.raises(ArgumentError, match="not among this build's flags"):
        command_line(workload(bill=JUNE, drop_args=("--gpu-memory-utilization",)), "prefill")


@pytest.mark.parametrize(
    ("choice", "bill"),
    [(choice, bill) for bill in RELEASES.values() for choice in combinations(bill)],
    ids=lambda value: value.name if isinstance(value, Bill) else "-".join(value),
)
def test_the_token_is_the_releases_or_the_stacks(choice: tuple[str, str, str], bill: Bill) -> None:
    given = workload(*choice, bill, env={"LAST": "1"})
    token = replace(given, hf_token=SecretRef("mine", "key", optional=True))
    for role in range(2):
        before, after = container(given, role)["env"], container(token, role)["env"]
        mine = {"name": "mine", "key": "key", "optional": True}
        assert {"name": HF_TOKEN, "valueFrom": {"secretKeyRef": mine}} in after
        assert [row["name"] for row in after] == (
            [row["name"] for row in before]
            if HF_TOKEN in {row["name"] for row in before}
            else [*(row["name"] for row in before[:-1]), HF_TOKEN, "LAST"]
        )


def test_the_stacks_own_variable_may_be_the_token() -> None:
    env = container(workload(bill=JUNE, hf_token=SecretRef("s", "k"), env={HF_TOKEN: "plain"}))["env"]
    assert env[0] == {"name": HF_TOKEN, "value": "plain"}


def test_the_finer_image_wins() -> None:
    assert workload(bill=JUNE).image == "vllm/vllm-openai:v0.23.0"
    assert workload(bill=JUNE, fabric="coreweave").image == "vllm/vllm-openai:v0.23.0"
    assert "ecr" in workload(bill=JUNE, fabric="aws").image
    assert workload("amd", bill=JUNE).image == workload("amd").image == "ghcr.io/llm-d/llm-d-rocm:v0.7.0"
