"""Every rule finds what it is for, names the key, says reason and fix, and leaves good stacks alone."""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from hardware.accelerators import ACCELERATORS
from hardware.machines import MACHINES, Machine
from hardware.vocabulary import Sizing
from releases import RELEASES
from stacks.findings import Problem
from stacks.rules import facts as rule
from stacks.rules.facts import Facts
from stacks.rules.fit import cuda_of
from stacks.rules.table import examine
from stacks.serving.workload import machine_of
from stacks.spec.stack import StackSpec
from tests.blueprints import read

COMBINATIONS = [
    (bill.name, accelerator.key, build.engine.key, fabric)
    for bill in RELEASES.values()
    for accelerator in ACCELERATORS.values()
    for build in accelerator.builds
    for fabric in accelerator.fabrics
    if bill.has(accelerator.key, fabric)
]
ENGINES = sorted({engine for _, _, engine, _ in COMBINATIONS})
FABRICS = sorted({fabric for _, _, _, fabric in COMBINATIONS})


def spec(serving: dict[str, Any], **more: Any) -> StackSpec:
    found, whole = read({"serving": serving, **more})
    assert found == []
    assert whole is not None
    return whole


def problems(serving: dict[str, Any], **more: Any) -> list[Problem]:
    return list(examine(spec(serving, **more)).errors)


# --- what every stack may say --------------------------------------------------------------------------------------------


def test_the_combinations_are_upstreams_and_gke_rdma_everywhere() -> None:
    # Upstream's 13, and gke-rdma of both engines; its 15 that differ, gke of vllm, and gke-rdma of sglang.
    assert Counter(name for name, *_ in COMBINATIONS) == {"guide-2026-05": 13 + 2, "guide-2026-06": 15 + 2}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_the_cross_product_composes_or_is_refused_by_name(
    accelerator: str, engine: str, fabric: str, release: str
) -> None:
    found = problems({"accelerator": accelerator, "engine": engine, "fabric": fabric}, release=release)
    if (release, accelerator, engine, fabric) in COMBINATIONS:
        assert found == []
        return
    assert {problem.rule for problem in found} == {"HW-01"}
    for problem in found:
        word, key = problem.path.rpartition(".")[2], {"accelerator": accelerator, "engine": engine, "fabric": fabric}
        assert f"{word} `{key[word]}` " in problem.what
        assert f"accelerator `{accelerator}`" in problem.what
        assert problem.what.endswith((f" does not exist for accelerator `{accelerator}`", f" is not in {release}"))
        assert problem.fix.startswith(("use one of ", "did you mean ", "write "))


@pytest.mark.parametrize(("release", "accelerator", "engine", "fabric"), COMBINATIONS)
def test_the_recipe_fits_the_number_of_nodes_upstream_used(
    release: str, accelerator: str, engine: str, fabric: str
) -> None:
    nodes = {"nvidia": 2, "tpu": 2, "tpu-v6e": 2, "amd": 1, "xpu": 1, "hpu": 1}[accelerator]
    serving = {"accelerator": accelerator, "engine": engine, "fabric": fabric}
    if (accelerator, fabric) == ("xpu", "base"):
        nodes = 2
    assert problems(serving, cluster={"nodes": nodes}, release=release) == []
    if accelerator == "nvidia":
        (short,) = problems(serving, cluster={"nodes": 1}, release=release)
        assert (short.rule, short.path) == ("FIT-01", "llmd-pd:cluster.nodes")


# --- each rule -----------------------------------------------------------------------------------------------------------

NVIDIA = {"accelerator": "nvidia"}
AMD = {"accelerator": "amd"}
TPU = {"accelerator": "tpu"}
TOPOLOGY = "cloud.google.com/gke-tpu-topology"
A4 = {"machine": "gke-a4-highgpu-8g-rdma"}
INSTANCE = "node.kubernetes.io/instance-type"

#: Rule, `serving`, the rest, path, words of the sentence.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("PIN-01", {**NVIDIA, "image": "vllm/vllm-openai:latest"}, {}, "serving.image", "has a floating tag"),
    ("PIN-01", {**NVIDIA, "image": "registry:5000/vllm"}, {}, "serving.image", "`registry:5000/vllm` has no tag"),
    ("PIN-01", {**NVIDIA, "image": "vllm/vllm-tpu:nightly"}, {}, "serving.image", "pin a version tag or a digest"),
    ("PIN-01", {**NVIDIA, "image": "a/b:main-cu130"}, {}, "serving.image", "has a floating tag"),
    ("MODEL-02", {**NVIDIA, "extraArgs": ["--seed=1", "--seed", "2"]}, {}, "serving.extraArgs[1]", "--seed is there twice"),
    ("NAME-01", {**NVIDIA, "model": "a/b-", "dropArgs": []}, {}, "serving.model", "`b-` cannot be a label value"),
    ("POD-01", {**NVIDIA, "tolerations": [{"value": "chat"}]}, {}, "serving.tolerations[0].key",
     "a toleration has no key, because it would be of every taint, which Kubernetes wants said; name the key. (POD-01)"),
    ("POD-01", {**NVIDIA, "tolerations": [{"effect": "NoExecute"}]}, {}, "serving.tolerations[0].key",
     "name the key, or write `operator: Exists`"),
    ("POD-01", {**NVIDIA, "tolerations": [{"operator": "Exists"}, {"key": "a", "operator": "Exists", "value": "b"}]}, {},
     "serving.tolerations[1].value", "tolerates every value"),
    ("POD-01", {**NVIDIA, "tolerations": [{"key": "a", "tolerationSeconds": 6}]}, {},
     "serving.tolerations[0].tolerationSeconds", "write `effect: NoExecute`"),
    ("NAME-01", {**NVIDIA, "model": "a/" + "b" * 64, "dropArgs": []}, {}, "serving.model", "63 characters at most"),
    ("BILL-01", NVIDIA, {"release": "guide-2025-01"}, "release", "`guide-2025-01` does not exist"),
    ("MACHINE-01", NVIDIA, {"cluster": {"machine": "coreweave"}}, "cluster.machine", "did you mean `coreweave-h200`?"),
    ("MACHINE-01", NVIDIA, {"cluster": {"machine": "dgx"}}, "cluster.machine", "use one of nvidia-generic, "),
    # Of those that serve the fabric, one that the pods fit on.
    ("MACHINE-01", {**NVIDIA, "fabric": "coreweave"}, {"cluster": {"machine": "dgx"}}, "cluster.machine",
     "be checked or rehearsed; write `coreweave-h200`. (MACHINE-01)"),
    ("HW-01", {"accelerator": "gpu"}, {}, "serving.accelerator", "use one of nvidia, tpu, amd, xpu, hpu"),
    ("HW-01", {**NVIDIA, "fabric": "coreweve"}, {}, "serving.fabric", "did you mean `coreweave`?"),
    ("HW-01", {**AMD, "engine": "sglang"}, {}, "serving.engine", "write `vllm`"),
    ("HW-01", {"accelerator": "tpu-v6e"}, {}, "serving.accelerator",
     "accelerator `tpu-v6e` is not in guide-2026-05, because only what upstream tested together composes; "
     "write `release: guide-2026-06`, or use one of nvidia, tpu, amd, xpu, hpu."),
    ("HW-01", {"accelerator": "hpu"}, {"release": "guide-2026-06"}, "serving.accelerator",
     "write `release: guide-2026-05`, or use one of nvidia, tpu, tpu-v6e, amd, xpu."),
    ("HW-01", {**NVIDIA, "fabric": "aws"}, {}, "serving.fabric",
     "fabric `aws` of accelerator `nvidia` is not in guide-2026-05, because only what upstream tested together composes; "
     "write `release: guide-2026-06`, or use one of base, coreweave, gke, gke-rdma."),
    ("MODEL-01", {**NVIDIA, "model": "a/b"}, {}, "serving.model", "--no-disable-hybrid-kv-cache-manager"),
    ("MODEL-01", {**AMD, "model": "a/b"}, {}, "serving.model", "write `dropArgs: []` to keep them"),
    ("HW-04", {**NVIDIA, "ipcLock": True}, {}, "serving.ipcLock", "use a fabric with RDMA"),
    ("HW-02", {**NVIDIA, "dropArgs": ["--nope"]}, {}, "serving.dropArgs[0]", "--nope is not among this build's flags"),
    ("HW-02", {**NVIDIA, "dropArgs": ["--block-sise"]}, {}, "serving.dropArgs[0]", "did you mean `--block-size`?"),
    ("HW-02", {**NVIDIA, "extraArgs": ["--seed 1"]}, {}, "serving.extraArgs[0]",
     "`--seed 1` is one word of the command line, because the engine would not start; write `--seed=1`."),
    ("HW-02", {**NVIDIA, "extraArgs": ["max-model-len=1"]}, {}, "serving.extraArgs[0]", "write `--max-model-len=1`"),
    ("HW-02", {**NVIDIA, "extraArgs": ["--seed=1", "2"]}, {}, "serving.extraArgs[1]", "take the item out"),
    ("HW-02", {**NVIDIA, "dropArgs": ["--port"]}, {}, "serving.dropArgs[0]", "cannot be dropped"),
    ("HW-02", {**NVIDIA, "extraArgs": ["--port=1"]}, {}, "serving.extraArgs[0]", "cannot be set"),
    ("HW-02", {**NVIDIA, "extraArgs": ["--block-size=64"]}, {}, "serving.extraArgs[0]",
     "add `--block-size` to `dropArgs` to replace it, or take `--block-size` out of `extraArgs`"),
    ("HW-02", {**TPU, "nodeSelector": {TOPOLOGY: "4x4"}}, {}, f'serving.nodeSelector["{TOPOLOGY}"]', "leave it out"),
    ("HW-02", {**NVIDIA, "fabric": "aws", "nodeSelector": {INSTANCE: "p5e.48xlarge"}}, {"release": "guide-2026-06"},
     f'serving.nodeSelector["{INSTANCE}"]', "leave it out"),
    ("HW-02", {**NVIDIA, "dropArgs": ["--gpu-memory-utilization"]}, {"release": "guide-2026-06"}, "serving.dropArgs[0]",
     "--gpu-memory-utilization is not among this build's flags"),
    ("HW-03", {**TPU, "decode": {"devices": 8}}, {}, "serving.decode.devices", "slice of 4 chips; leave it out, or write `4`"),
    ("HW-05", {**NVIDIA, "image": "a/b:v1-cu126"}, {"cluster": A4}, "serving.image",
     "`a/b:v1-cu126` is built with CUDA 12.6, because NVIDIA B200 (gke-a4-highgpu-8g-rdma) needs 12.8 or later"),
    ("HW-05", {**NVIDIA, "image": "a/b:v1-cuda12.4.1@sha256:" + "0" * 64}, {"cluster": A4}, "serving.image",
     "is built with CUDA 12.4"),
    ("HW-05", {**NVIDIA, "image": "a/b:v1-cu117"}, {}, "serving.image", "NVIDIA H200 (nvidia-generic) needs 11.8"),
    ("NAME-02", NVIDIA, {"name": "a" * 30}, "name", "shorten the stack's name to 22 characters"),
    ("FIT-01", {**NVIDIA, "prefill": {"devices": 16}}, {}, "serving.prefill.devices",
     "a pod asks for 16, a node has 8 (nvidia-generic), because such a pod stays Pending for ever; write "
     "`devices: 8` or less. (FIT-01)"),
    ("FIT-01", {**NVIDIA, "decode": {"memory": "2500Gi"}}, {}, "serving.decode.memory",
     "write `memory: 2000Gi` or less, or write `machine: gke-a3-ultragpu-8g-rdma` or `machine: gke-a4-highgpu-8g-rdma`."),
    ("FIT-01", {**NVIDIA, "decode": {"memory": "2500Gi"}, "nodeSelector": {"pool": "h200"}}, {}, "serving.decode.memory",
     "or write `machine: gke-a3-ultragpu-8g-rdma` or `machine: gke-a4-highgpu-8g-rdma`. (FIT-01)"),
    ("FIT-01", {**NVIDIA, "decode": {"memory": "3000Gi"}}, {}, "serving.decode.memory",
     "or write `machine: gke-a4-highgpu-8g-rdma`. (FIT-01)"),
    # No machine would do, so none is proposed.
    ("FIT-01", {**NVIDIA, "decode": {"memory": "4000Gi"}}, {}, "serving.decode.memory",
     "Pending for ever; write `memory: 2000Gi` or less. (FIT-01)"),
    ("FIT-01", {**NVIDIA, "decode": {"cpu": "191"}}, {}, "serving.decode.cpu",
     "write `cpu: \"190\"` or less, or write `machine: "),
    ("FIT-01", NVIDIA, {"cluster": {"nodes": 1}}, "cluster.nodes",
     "1 node of nvidia-generic cannot hold all pods, because they need 2, and the rest would stay Pending for ever; write"),
    ("FIT-01", {**NVIDIA, "prefill": {"replicas": 33}}, {"cluster": {"nodes": 5}}, "cluster.nodes", "5 nodes of nvidia-generic"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "serving", "more", "path", "words"), FINDINGS, ids=[f"{f[0]} {f[4][:40]}" for f in FINDINGS]
)
def test_a_rule_finds_what_it_is_for(
    rule: str, serving: dict[str, Any], more: dict[str, Any], path: str, words: str
) -> None:
    (found,) = problems(serving, **more)
    assert (found.rule, found.path) == (rule, f"llmd-pd:{path}")
    assert words in str(found)
    assert found.source


#: The mismatches of accelerators and machines that a real scheduler left Pending, and what the rules call them.
MISMATCHES = [
    (NVIDIA | {"fabric": "gke"}, {"machine": "gke-a3-ultragpu-8g-dra", "nodes": 2}, "nvidia.com/gpu"),
    (NVIDIA | {"fabric": "coreweave"}, {"machine": "nvidia-generic", "nodes": 2}, "rdma/ib"),
    (NVIDIA | {"fabric": "coreweave"}, {"machine": "coreweave-h200", "nodes": 1}, "coreweave-h200"),
    (NVIDIA | {"fabric": "gke-rdma"}, {"machine": "gke-a3-ultragpu-8g-rdma", "nodes": 2}, "gpu.nvidia.com"),
    ({"accelerator": "xpu", "fabric": "rdma"}, {"machine": "intel-xpu-dra", "nodes": 1}, "rdma-dranet"),
    (TPU, {"machine": "gke-ct6e", "nodes": 2}, "cloud.google.com/gke-tpu-accelerator"),
]


@pytest.mark.parametrize(("serving", "cluster", "word"), MISMATCHES, ids=[word for *_, word in MISMATCHES])
def test_what_the_scheduler_would_not_place_is_refused(
    serving: dict[str, Any], cluster: dict[str, Any], word: str
) -> None:
    found = problems(serving, cluster=cluster)
    assert found
    assert {problem.rule for problem in found} == {"FIT-01"}
    assert any(word in problem.what for problem in found)
    assert len({(problem.path, problem.what) for problem in found}) == len(found)
    for problem in found:
        assert "ask for 0" not in problem.fix
        assert "for ever" in problem.why


# --- what a rule must not find -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    ["vllm/vllm-openai:v0.19.1", "a/b:nightly-20260430-18ed615", "a/b:main-2f3a1b4", "a/latest@sha256:" + "0" * 64],
)
def test_a_pinned_image(image: str) -> None:
    assert problems({**NVIDIA, "image": image}) == []


@pytest.mark.parametrize("tag", ["v1-cu128", "v1-cu130", "v1-cuda13.0.1", "v1", "cu12", "v1-gpucu126", "v1-cu1261"])
def test_an_image_whose_tag_names_no_older_cuda(tag: str) -> None:
    assert problems({**NVIDIA, "image": f"cu118/b:{tag}"}, cluster=A4) == []


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize(("release", "cuda"), [("guide-2026-05", (13, 0)), ("guide-2026-06", None)])
def test_what_the_images_of_the_releases_say_of_their_cuda(
    release: str, cuda: tuple[int, int] | None, engine: str
) -> None:
    """docs/gke.md says it. An older one than a GPU of the table needs would have to be a matter of the release."""
    for fabric in ("base", "gke", "gke-rdma"):
        given = spec({**NVIDIA, "engine": engine, "fabric": fabric}, release=release)
        assert cuda_of(Facts(given).workload.image) == cuda


def test_an_image_is_not_judged_by_a_gpu_that_the_machine_does_not_have() -> None:
    assert problems({**AMD, "image": "a/b:v1-cu118"}) == []


@pytest.mark.parametrize(
    "serving",
    [
        {"model": "a/b", "dropArgs": []},
        {"model": "a/b", "dropArgs": ["--no-disable-hybrid-kv-cache-manager"]},
        {"model": "a/b", "extraArgs": ["--seed=1"]},
        {"extraArgs": ["--seed", "1", "--served-model-name", "a", "b", "-O3", '--json={"a": 1}', "--text", "a b"]},
        {"model": "openai/gpt-oss-120b"},
        {"dropArgs": ["--block-size"], "extraArgs": ["--block-size=64"]},
        {"dropArgs": ["--gpu-memory-utilization"]},  # a flag of one role only
        {"nodeSelector": {"compute.example/pool": "ours"}},  # labels of nodes the table cannot know
        {"tolerations": [{"key": "team", "operator": "Exists"}]},
        {"tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}, {"key": "team"}]},
    ],
    ids=str,
)
def test_what_a_stack_may_change(serving: dict[str, Any]) -> None:
    assert problems({**NVIDIA, **serving}, cluster={"nodes": 2}) == []


def test_the_machine_has_the_labels_a_stack_selects_its_nodes_by() -> None:
    selecting = spec({**NVIDIA, "nodeSelector": {"compute.example/pool": "ours"}})
    machine = machine_of(selecting)
    assert machine.labels["compute.example/pool"] == "ours"
    assert machine == replace(MACHINES["nvidia-generic"], labels=machine.labels)


@pytest.mark.parametrize("replicas", [2**31 - 1, 10**6])
def test_any_number_of_replicas_is_judged_at_once(replicas: int) -> None:
    began = time.monotonic()
    (found,) = problems({**NVIDIA, "prefill": {"replicas": replicas}}, cluster={"nodes": 3})
    assert found.path == "llmd-pd:cluster.nodes"
    assert time.monotonic() - began < 20  # pod by pod it takes minutes


# --- all at once ---------------------------------------------------------------------------------------------------------


def test_one_bad_edit_does_not_hide_another() -> None:
    serving = {
        "extraArgs": ["--port=1", "--block-size=2", "--fine=3"],
        "dropArgs": ["--nope", "--port", "--kv-transfer-config"],
    }
    found = problems({**NVIDIA, **serving})
    assert [(problem.path.rpartition(".")[2], problem.what.split()[0]) for problem in found] == [
        ("dropArgs[0]", "--nope"),
        ("dropArgs[1]", "--port"),
        ("dropArgs[2]", "--kv-transfer-config"),
        ("extraArgs[0]", "--port"),
        ("extraArgs[1]", "--block-size"),
    ]


def test_a_gate_does_not_hide_what_comes_after() -> None:
    found = problems(
        {
            "accelerator": "tpu",
            "engine": "sglang",
            "fabric": "roce",
            "image": "a:latest",
            "model": "a/b-",
            "dropArgs": ["--nope"],
            "decode": {"devices": 8},
            "prefill": {"memory": "9000Gi"},
        },
        name="a" * 33,
        release="x",
        cluster={"machine": "y"},
    )
    assert sorted(problem.rule for problem in found) == sorted(
        ("PIN-01", "NAME-01", "BILL-01", "MACHINE-01", "HW-01", "HW-01", "HW-02", "HW-03", "NAME-02", "FIT-01")
    )


def test_a_release_without_the_accelerator_does_not_hide_what_comes_after() -> None:
    found = problems({"accelerator": "tpu-v6e", "decode": {"devices": 4}, "fabric": "roce"})
    assert {(problem.rule, problem.path.rpartition(".")[2]) for problem in found} == {
        ("HW-01", "fabric"),
        ("HW-01", "accelerator"),
        ("HW-03", "devices"),
    }
    found = problems({**NVIDIA, "fabric": "aws", "prefill": {"devices": 16}})
    assert sorted(problem.rule for problem in found) == ["FIT-01", "FIT-01", "HW-01"]
    assert all("aws-p5en" in problem.what for problem in found if problem.rule == "FIT-01")


def test_an_image_of_the_stacks_own_wins_on_every_fabric() -> None:
    for fabric in ("base", "aws"):
        mine = spec({**NVIDIA, "fabric": fabric, "image": "a/b:v1"}, release="guide-2026-06")
        assert Facts(mine).workload.image == "a/b:v1"


def test_the_sizing_of_the_fabric_is_the_recipe_that_a_stack_overrides() -> None:
    sglang = {**NVIDIA, "engine": "sglang", "fabric": "aws", "prefill": {"replicas": 3}}
    assert Facts(spec(sglang, release="guide-2026-06")).workload.sizing["prefill"] == Sizing(3, 4, "16", "64Gi")
    assert Facts(spec({**sglang, "fabric": "gke-rdma"})).workload.sizing["prefill"] == Sizing(3, 1, "8", "16Gi")


def test_without_an_accelerator_only_what_needs_none_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    workload = rule.resolve.workload

    def unasked(given: StackSpec, machine: Machine | None) -> Any:
        assert given.served.accelerator in ACCELERATORS, "a workload without an accelerator"
        return workload(given, machine)

    monkeypatch.setattr(rule.resolve, "workload", unasked)
    found = problems({"accelerator": "gpu", "image": "a:latest"}, release="x")
    assert {problem.rule for problem in found} == {"PIN-01", "BILL-01", "HW-01"}
