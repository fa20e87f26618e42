"""The laws of `hardware/`: data stays data, every file is registered, every combination composes or is refused by name."""

import ast
import itertools
import pkgutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import hardware.accelerators
from hardware.accelerators import ACCELERATORS
from hardware.argv import ArgumentError, command_line
from hardware.engines import ENGINES
from hardware.join import ConflictError, join
from hardware.renderer import model_server
from hardware.vocabulary import Sizing
from hardware.workload import UnknownChoiceError, Workload
from hardware.workload import hardware as look_up
from releases import release

FILES = sorted(path for path in Path(hardware.accelerators.__file__).parent.glob("*.py") if path.name != "__init__.py")
FABRICS = sorted({fabric for accelerator in ACCELERATORS.values() for fabric in accelerator.fabrics})


def workload(accelerator: str = "nvidia", engine: str = "vllm", fabric: str = "base", **changes: object) -> Workload:
    found = look_up(accelerator, engine, fabric)
    base = Workload(
        name="pd-disaggregation",
        hardware=found,
        sizing={"prefill": found.accelerator.prefill, "decode": found.accelerator.decode},
        model=found.accelerator.model,
        bill=release("guide-2026-05"),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def data_lines(path: Path) -> int:
    """Lines of top-level assignments that hold data: not comments, not lone brackets."""
    source = path.read_text().splitlines()
    assignments = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    lines = [line.strip() for node in assignments for line in source[node.lineno - 1 : node.end_lineno]]
    return sum(1 for line in lines if not line.startswith("#") and any(char.isalnum() for char in line))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerator_files_are_data(path: Path) -> None:
    tree = ast.parse(path.read_text())
    logic = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.IfExp, ast.For, ast.ListComp, ast.DictComp)
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, logic)] == []
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert all(module == "dataclasses" or str(module).startswith("hardware.") for module in imported)
    builds = sum(len(found.builds) for found in ACCELERATORS.values() if found.key == path.stem)
    assert data_lines(path) <= 25 * builds


def test_every_accelerator_file_is_registered() -> None:
    modules = {module.name for module in pkgutil.iter_modules(hardware.accelerators.__path__)}
    assert modules == set(ACCELERATORS)


@pytest.mark.parametrize(
    ("accelerator", "engine", "fabric"), list(itertools.product(sorted(ACCELERATORS), sorted(ENGINES), FABRICS))
)
def test_cross_product_composes_or_is_refused_by_name(accelerator: str, engine: str, fabric: str) -> None:
    known = ACCELERATORS[accelerator]
    if known.build(engine) is not None and fabric in known.fabrics:
        kinds = [item["kind"] for item in model_server(workload(accelerator, engine, fabric))]
        assert kinds[:3] == ["ServiceAccount", "Deployment", "Deployment"]
        return
    with pytest.raises(UnknownChoiceError) as refused:
        look_up(accelerator, engine, fabric)
    assert refused.value.key in (engine, fabric)
    assert accelerator in str(refused.value)
    assert all(choice in str(refused.value) for choice in refused.value.known)


def test_every_fabric_composes_with_every_accelerator_that_could_carry_it() -> None:
    """Not only the pairs upstream has: a fabric moved to another accelerator keeps what both ask for, or raises."""
    for accelerator, fabric in itertools.product(ACCELERATORS.values(), FABRICS):
        owner = next(found for found in ACCELERATORS.values() if fabric in found.fabrics)
        moved = replace(accelerator, fabrics={fabric: owner.fabrics[fabric]})
        found = workload(accelerator.key, "vllm", next(iter(accelerator.fabrics)))
        combined = replace(found, hardware=replace(found.hardware, accelerator=moved, fabric=owner.fabrics[fabric]))
        container = model_server(combined)[1]["spec"]["template"]["spec"]["containers"][0]
        context = container.get("securityContext", {})
        assert ("privileged" in context) == (accelerator.key == "hpu")
        assert ("capabilities" in context) == (fabric == "oci")


def test_two_values_for_one_field_raise() -> None:
    with pytest.raises(ConflictError, match=r"securityContext\.fsGroup: 107 and 0"):
        join({"securityContext": {"fsGroup": 107}}, {"securityContext": {"fsGroup": 0}})
    with pytest.raises(ConflictError, match="nests"):
        join({"nests": {"a": 1}}, {"nests": [1]})
    xpu = workload("xpu", "vllm", "base", spec={"securityContext": {"fsGroup": 0}})
    with pytest.raises(ConflictError, match="fsGroup"):
        model_server(xpu)


def test_join_merges_maps_concatenates_lists_and_keeps_its_inputs() -> None:
    one, other = {"a": {"x": 1}, "l": [1]}, {"a": {"y": 2}, "l": [2], "b": 3}
    assert join(one, other) == {"a": {"x": 1, "y": 2}, "l": [1, 2], "b": 3}
    assert (one, other) == ({"a": {"x": 1}, "l": [1]}, {"a": {"y": 2}, "l": [2], "b": 3})


def test_tensor_parallel_follows_from_devices() -> None:
    sizing = {"prefill": Sizing(1, 2), "decode": Sizing(1, 8)}
    assert "--tensor-parallel-size=2" in command_line(workload(sizing=sizing), "prefill")
    assert "--tensor-parallel-size=8" in command_line(workload(sizing=sizing), "decode")
    assert workload("tpu").tensor_parallel("decode") == 8  # 4 chips of 2 cores


def test_environment_alone_may_override_and_keeps_its_place() -> None:
    env = model_server(workload("xpu", fabric="rdma"))[1]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert env[0] == {"name": "UCX_TLS", "value": "ib,rc,ze_copy"}
    assert env[-1] == {"name": "UCX_MEMTYPE_CACHE", "value": "0"}
    mine = model_server(workload("xpu", env={"UCX_TLS": "tcp,self"}))[1]["spec"]["template"]["spec"]["containers"][0][
        "env"
    ]
    assert mine[0] == {"name": "UCX_TLS", "value": "tcp,self"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"extra_args": ("--block-size=64",)}, "extraArgs", "dropArgs to replace"),
        ({"extra_args": ("--tensor-parallel-size=2",)}, "extraArgs", "follows from the rest"),
        ({"drop_args": ("--port",)}, "dropArgs", "follows from the rest"),
        ({"drop_args": ("--no-such-flag",)}, "dropArgs", "not among this build's flags"),
    ],
)
def test_edits_that_contradict_are_refused(changes: dict[str, object], field: str, words: str) -> None:
    with pytest.raises(ArgumentError, match=words) as refused:
        command_line(workload(**changes), "decode")
    assert refused.value.field == field


def test_edits_drop_a_flag_with_its_value_and_append() -> None:
    tpu = workload("tpu", drop_args=("--limit-mm-per-prompt",), extra_args=("--seed", "7"))
    line = command_line(tpu, "decode")
    assert "--limit-mm-per-prompt" not in line
    assert not any("image" in word for word in line)
    assert line[-2:] == ["--seed", "7"]
    # A flag only one role has may be dropped for both: the other simply does not have it.
    dropped = workload(drop_args=("--gpu-memory-utilization",))
    assert command_line(dropped, "decode") == command_line(workload(), "decode")
    assert len(command_line(dropped, "prefill")) == len(command_line(workload(), "prefill")) - 1


def test_rooms_without_pulumi() -> None:
    """`hardware`, `releases` and the spec never import pulumi: every command but `up` starts in well under a second."""
    rooms = ["hardware.renderer", "releases", "stacks.spec", "stacks.files", "stacks.rules", "operations.cli"]
    code = "\n".join(
        [
            "import sys",
            *(f"import {room}" for room in rooms),
            "print({name.split('.')[0] for name in sys.modules} & {'pulumi', 'pulumi_kubernetes', 'grpc'})",
        ]
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "set()"


def test_a_stacks_own_variable_is_text_whatever_it_begins_with() -> None:
    container = model_server(workload(env={"HANDLE": "@llm-d"}))[1]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "HANDLE", "value": "@llm-d"} in container["env"]
