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
from hardware.bill import Bill
from hardware.render.argv import ArgumentError, command_line, kv_config
from hardware.render.join import ConflictError, join
from hardware.render.pods import model_server
from hardware.render.workload import UnknownChoiceError
from hardware.render.workload import hardware as look_up
from hardware.vocabulary import ROLES, Sizing
from releases import RELEASES
from tests.unit.workloads import JUNE, MAY, container, workload

FILES = sorted(path for path in Path(hardware.accelerators.__file__).parent.glob("*.py") if path.name != "__init__.py")
FABRIC_FILE = Path(hardware.accelerators.__file__).parents[1] / "fabrics.py"
FABRICS = sorted({fabric for accelerator in ACCELERATORS.values() for fabric in accelerator.fabrics})


def data_lines(path: Path) -> int:
    """Lines of top-level assignments that hold data: not comments, not lone brackets."""
    source = path.read_text().splitlines()
    assignments = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    lines = [line.strip() for node in assignments for line in source[node.lineno - 1 : node.end_lineno]]
    return sum(1 for line in lines if not line.startswith("#") and any(char.isalnum() for char in line))


@pytest.mark.parametrize("path", [*FILES, FABRIC_FILE], ids=lambda path: path.stem)
def test_hardware_files_are_data(path: Path) -> None:
    logic = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.IfExp, ast.For, ast.ListComp, ast.DictComp)
    assert [type(node).__name__ for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, logic)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_accelerator_files_are_short_and_import_hardware_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert all(module == "dataclasses" or str(module).startswith("hardware.") for module in imported)
    builds = sum(len(found.builds) for found in ACCELERATORS.values() if found.key.replace("-", "_") == path.stem)
    assert data_lines(path) <= 25 * builds


def test_every_accelerator_file_is_registered() -> None:
    modules = {module.name for module in pkgutil.iter_modules(hardware.accelerators.__path__)}
    assert modules == {key.replace("-", "_") for key in ACCELERATORS}


@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
@pytest.mark.parametrize(
    ("accelerator", "engine", "fabric"), list(itertools.product(sorted(ACCELERATORS), ("sglang", "vllm"), FABRICS))
)
def test_cross_product_composes_or_is_refused_by_name(accelerator: str, engine: str, fabric: str, bill: Bill) -> None:
    known = ACCELERATORS[accelerator]
    if known.build(engine) is not None and fabric in known.fabrics and bill.has(accelerator, fabric):
        kinds = [item["kind"] for item in model_server(workload(accelerator, engine, fabric, bill))]
        assert kinds[:3] == ["ServiceAccount", "Deployment", "Deployment"]
        return
    with pytest.raises(UnknownChoiceError) as refused:
        look_up(accelerator, engine, fabric, bill)
    assert refused.value.key in (accelerator, engine, fabric)
    assert accelerator in str(refused.value)
    assert refused.value.key not in refused.value.known
    assert refused.value.key != accelerator or bill.name in str(refused.value)
    assert all(choice in str(refused.value) for choice in refused.value.known)


def test_every_fabric_composes_with_every_accelerator_that_could_carry_it() -> None:
    """Not only the pairs upstream has: a fabric moved to another accelerator keeps what both ask for, or raises."""
    for accelerator, fabric in itertools.product(ACCELERATORS.values(), FABRICS):
        owner = next(found for found in ACCELERATORS.values() if fabric in found.fabrics)
        moved = replace(accelerator, fabrics={fabric: owner.fabrics[fabric]})
        bill = MAY if MAY.has(accelerator.key) else JUNE
        found = workload(accelerator.key, "vllm", next(iter(accelerator.fabrics)), bill)
        combined = replace(found, hardware=replace(found.hardware, accelerator=moved, fabric=owner.fabrics[fabric]))
        context = container(combined).get("securityContext", {})
        assert ("privileged" in context) == (accelerator.key == "hpu")
        assert ("capabilities" in context) == (fabric in ("oci", "aws"))


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
    assert workload("tpu-v6e", bill=JUNE).tensor_parallel("decode") == 8  # 8 chips of 1 core


def test_environment_alone_may_override_and_keeps_its_place() -> None:
    env = container(workload("xpu", fabric="rdma"))["env"]
    assert env[0] == {"name": "UCX_TLS", "value": "ib,rc,ze_copy"}
    assert env[-1] == {"name": "UCX_MEMTYPE_CACHE", "value": "0"}
    mine = container(workload("xpu", env={"UCX_TLS": "tcp,self"}))["env"]
    assert mine[0] == {"name": "UCX_TLS", "value": "tcp,self"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"extra_args": ("--block-size=64",)}, "extraArgs", "is set by the build already"),
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
    """`hardware`, `releases` and what leads to a plan never import pulumi: every command but `up` starts in under a second."""
    rooms = [
        "hardware.render.pods",
        "releases",
        "stacks.file.load",
        "stacks.rules.table",
        "stacks.blueprint",
        "stacks.images",
    ]
    rooms += ["stacks.review.move", "commands.cli"]
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
    assert {"name": "HANDLE", "value": "@llm-d"} in container(workload(env={"HANDLE": "@llm-d"}))["env"]


# --- what a fabric may say ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "names"),
    [(1, ["gke-rdma-claim"]), (3, ["gke-rdma-claim-0", "gke-rdma-claim-1", "gke-rdma-claim-2"])],
)
@pytest.mark.parametrize("bill", RELEASES.values(), ids=RELEASES)
def test_a_claim_per_device_from_one_template(devices: int, names: list[str], bill: Bill) -> None:
    sizing = {role: Sizing(1, devices) for role in ROLES}
    objects = model_server(workload(fabric="gke-rdma", bill=bill, sizing=sizing))
    assert [item["metadata"] for item in objects if item["kind"] == "ResourceClaimTemplate"] == [
        {"name": "gke-rdma-template"}
    ]
    for deployment in objects[1:3]:
        pod = deployment["spec"]["template"]["spec"]
        assert pod["resourceClaims"] == [
            {"name": name, "resourceClaimTemplateName": "gke-rdma-template"} for name in names
        ]
        assert pod["containers"][0]["resources"] == {"claims": [{"name": name} for name in names]}


def test_interfaces_follow_from_devices() -> None:
    for devices, interfaces in ((1, "2"), (4, "8"), (8, "16")):
        sizing = {role: Sizing(1, devices, "8") for role in ROLES}
        found = container(workload(fabric="aws", bill=JUNE, sizing=sizing))["resources"]
        assert found["limits"]["vpc.amazonaws.com/efa"] == found["requests"]["vpc.amazonaws.com/efa"] == interfaces
        assert ("cpu" in found["limits"], found["requests"]["cpu"]) == (False, "8")


def test_every_engine_is_told_the_nixl_backend_in_its_own_way() -> None:
    vllm, sglang = workload(fabric="aws", bill=JUNE), workload(engine="sglang", fabric="aws", bill=JUNE)
    assert '"kv_connector_extra_config":{"backends":["LIBFABRIC"]}' in kv_config(vllm, "decode")
    assert {"name": "SGLANG_DISAGGREGATION_NIXL_BACKEND", "value": "LIBFABRIC"} in container(sglang)["env"]
    assert "LIBFABRIC" not in str(container(workload(engine="sglang")))
    assert "SGLANG" not in str(container(vllm))


def test_roles_are_placed_together_and_apart() -> None:
    decode, prefill = model_server(workload(fabric="aws", bill=JUNE, name="chat"))[1:3]
    for deployment, other in ((decode, "prefill"), (prefill, "decode")):
        affinity = deployment["spec"]["template"]["spec"]["affinity"]
        (together,) = affinity["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        wanted = {row["key"]: row["values"] for row in together["labelSelector"]["matchExpressions"]}
        # The first pod of all is scheduled only because the term selects the pod itself.
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert wanted == {key: [labels[key]] for key in ("llm-d.ai/model", "llm-d.ai/guide")}
        (apart,) = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert apart["podAffinityTerm"]["labelSelector"] == {"matchLabels": {"llm-d.ai/role": other}}


def test_a_fabric_with_another_json_spacing_than_its_build_raises() -> None:
    tpu = workload("tpu")
    spaced = replace(tpu, hardware=replace(tpu.hardware, fabric=replace(tpu.hardware.fabric, kv_separator=", ")))
    with pytest.raises(ConflictError, match=r"kv\.separator"):
        kv_config(spaced, "decode")


def test_what_stands_in_front_is_the_fabrics_to_say() -> None:
    given = workload(fabric="gke-rdma", bill=JUNE)
    build = replace(given.hardware.build, env={"UCX_IB_ROCE_REACHABILITY_MODE": "route"})
    env = container(replace(given, hardware=replace(given.hardware, build=build)))["env"]
    assert env[0] == {"name": "UCX_IB_ROCE_REACHABILITY_MODE", "value": "all"}
    assert len({row["name"] for row in env}) == len(env)
