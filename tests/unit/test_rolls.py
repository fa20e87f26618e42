"""A change that replaces the pods of one role and leaves the other's: which changes do, and what is pointed out of them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from hardware.accelerators import ACCELERATORS
from hardware.render.pods import model_server
from hardware.render.workload import Workload
from hardware.role_replacement import REPORTS, UNKNOWN, VERSIONS, connector, engine_version, known_of
from hardware.vocabulary import ROLES, Role
from releases import RELEASES
from stacks.blueprint import ServingBlueprint
from stacks.clouds.cloud import Previous
from stacks.findings import Problem, run
from stacks.program import check_change
from stacks.rules.facts import Facts, serving_blueprint
from stacks.rules.previous import OUTPUT, ROLL_01, pod_templates, rolled_alone
from tests.blueprints import asking_all
from tests.unit.test_rules import spec
from tests.unit.workloads import MAY, combinations, workload

OWNER = "acme/llmd-pd/prod"
DOCS = Path(__file__).parents[2] / "docs"


def planned(serving: dict[str, Any] | None = None, **more: Any) -> ServingBlueprint:
    return serving_blueprint(spec({"accelerator": "nvidia"} | (serving or {}), **more), Path("/"))


def rolled(before: ServingBlueprint, after: ServingBlueprint) -> Role | None:
    return rolled_alone(pod_templates(before.model_server), pod_templates(after.model_server))


TUNED = {"dropArgs": ["--gpu-memory-utilization"]}  # of prefill alone


@pytest.mark.parametrize(
    ("serving", "more", "wanted"),
    [
        ({}, {}, None),
        ({"prefill": {"replicas": 7}}, {}, None),
        ({"decode": {"replicas": 1}, "prefill": {"autoscaled": True}}, {}, None),
        ({"decode": {"devices": 2}}, {}, "decode"),
        ({"prefill": {"memory": "64Gi"}}, {}, "prefill"),
        ({"decode": {"cpu": "24"}, "prefill": {"replicas": 4}}, {}, "decode"),
        (TUNED, {}, "prefill"),
        ({"decode": {"cpu": "24"}, "prefill": {"cpu": "24"}}, {}, None),
        ({"image": "docker.io/vllm/vllm-openai:v0.19.2"}, {}, None),
        ({"env": {"A": "b"}}, {}, None),
        ({"extraArgs": ["--seed=1"]}, {}, None),
        ({"fabric": "coreweave"}, {}, None),
        ({"engine": "sglang"}, {}, None),
        ({}, {"name": "other"}, None),
        ({}, {"release": "guide-2026-06"}, None),
        ({}, {"router": {"resources": {"requests": {"cpu": "2"}}}}, None),
    ],
)
def test_the_change_of_one_pod_template_is_told(
    serving: dict[str, Any], more: dict[str, Any], wanted: Role | None
) -> None:
    assert rolled(planned(), planned(serving, **more)) == wanted
    assert rolled(planned(serving, **more), planned()) == wanted


def test_the_routing_proxy_is_decodes() -> None:
    other = replace(MAY, sidecar=replace(MAY.sidecar, image="ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.1"))
    templates = [pod_templates(model_server(workload(bill=bill))) for bill in (MAY, other)]
    assert rolled_alone(*templates) == "decode"


@pytest.mark.parametrize(
    "before",
    [
        None,
        {},
        "x",
        [],
        1,
        {"prefill": "x"},
        {"decode": "x"},
        {"prefill": 1, "decode": None},
        {"prefill": {}, "decode": []},
    ],
)
def test_of_a_stack_that_never_exported_any_nothing_is_told(before: Any) -> None:
    assert rolled_alone(before, pod_templates(planned().model_server)) is None


def test_a_digest_is_the_same_in_every_run() -> None:
    """Neither the order of keys nor Python's hashes are in it: else every upgrade would seem to replace something."""
    one, other = planned().model_server, planned().model_server
    other = [{key: obj[key] for key in reversed([*obj])} for obj in other]
    assert pod_templates(one) == pod_templates(other)
    assert {*pod_templates(one)} == {*ROLES}
    assert len({*pod_templates(one).values()}) == 2


# --- what is pointed out -------------------------------------------------------------------------------------------------


def said_of(role: Role, made: Workload) -> list[Problem]:
    """Returns the warnings about a change that replaces only the pods of this role."""
    objects = model_server(made)
    previous = Previous("", {OUTPUT: {**pod_templates(objects), role: "another"}}, {})
    return [*run((ROLL_01,), Facts(objects=objects, workload=made, previous=previous)).warnings]


@pytest.mark.parametrize(
    ("role", "made", "words"),
    [
        ("prefill", workload(), ["decode pods may crash", "vllm#49238", "vLLM 0.19.1 keeps peers that are gone", "tried on CPU"]),
        ("decode", workload(), ["prefill pods may keep the state", "smg#2382", "while all pods are Ready"]),
        ("prefill", workload(bill=RELEASES["guide-2026-06"]), ["vLLM 0.23.0 keeps peers that are gone"]),
        ("prefill", workload(engine="sglang"), ["sglang#36029", "SGLang 0.5.8.post1 drops prefill pods that do not answer"]),
        ("decode", workload(engine="sglang"), ["smg#2503", "prefill pods may crash"]),
        ("decode", workload(accelerator="amd"), ["which version of vLLM is in ghcr.io/llm-d/llm-d-rocm:v0.7.0 is not known"]),
        ("decode", workload(registry="registry.example.com/llmd"), ["vLLM 0.19.1 keeps peers"]),
    ],
)  # fmt: skip
def test_it_says_what_is_known_of_the_engine(role: Role, made: Workload, words: list[str]) -> None:
    (found,) = [*said_of(role, made)]
    assert (found.rule, found.path, found.source) == (
        "ROLL-01",
        f"llmd-pd:serving.{role}",
        "docs/operate.md",
    )
    other = next(each for each in ROLES if each != role)
    assert f"replaces the {role} pods and not the {other} pods" in found.what
    for each in (*words, "a second stack beside", "both roles at once"):
        assert each in str(found)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("accelerator", ["tpu", "tpu-v6e"])
def test_nothing_is_reported_of_the_tpus_connectors(accelerator: str, role: Role) -> None:
    assert [*said_of(role, workload(accelerator, bill=RELEASES["guide-2026-06"]))] == []


@pytest.mark.parametrize("bill", RELEASES.values(), ids=[*RELEASES])
def test_every_build_over_nixl_has_its_reports(bill: Any) -> None:
    for accelerator, engine, fabric in combinations(bill):
        made = workload(accelerator, engine, fabric, bill)
        nixl = connector(made.hardware.build) in REPORTS
        assert nixl == (not accelerator.startswith("tpu"))
        for role in ROLES:
            assert len([*said_of(role, made)]) == nixl


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/vllm/vllm-openai:v0.19.1-x86_64-cu130", "0.19.1"),
        ("vllm/vllm-openai:v0.23.0@sha256:" + "0" * 64, "0.23.0"),
        ("registry:5000/mirror/vllm/vllm-openai:v0.26.0", "0.26.0"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.23.0-gpu-py312", "0.23.0"),
        ("docker.io/lmsysorg/sglang:v0.5.13.post1", "0.5.13.post1"),
        ("docker.io/vllm/vllm-openai:nightly-20261101", None),
        ("docker.io/vllm/vllm-openai@sha256:" + "0" * 64, None),
        ("ghcr.io/llm-d/llm-d-rocm:v0.7.0", None),
        ("registry.example.com/ours:v1.2.3", None),
        ("", None),
    ],
)
def test_the_version_of_an_engine_is_that_of_its_tag(image: str, version: str | None) -> None:
    assert engine_version(image) == version


def test_of_a_version_without_reports_that_is_said() -> None:
    (build,) = (each for each in ACCELERATORS["nvidia"].builds if each.engine.key == "vllm")
    assert known_of(build, "vllm/vllm-openai:v0.99.0") == f"vLLM 0.99.0 {UNKNOWN}"


@pytest.mark.parametrize("bill", RELEASES.values(), ids=[*RELEASES])
def test_the_docs_name_the_versions_of_every_release_and_every_report(bill: Any) -> None:
    text = (DOCS / "operate.md").read_text()
    section = text[text.index("## Roll one role") :]
    section = section[: section.index("\n## ")]
    for engine in ("vllm", "sglang"):
        made = workload(engine=engine, bill=bill)
        version = engine_version(made.image)
        assert version is not None
        assert f"{version}" in section
    clauses = [*VERSIONS.values(), *(clause for reports in REPORTS.values() for clause in reports.values())]
    named = {report for clause in clauses for report in re.findall(r"\w+#\d+", clause)}
    assert len(named) > 4
    assert [report for report in sorted(named) if f"[{report}](https://github.com/" not in section] == []


# --- the look ------------------------------------------------------------------------------------------------------------


def look(monkeypatch: pytest.MonkeyPatch, outputs: Any, after: ServingBlueprint) -> list[str]:
    said: list[str] = []

    def invoke(token: str, arguments: dict[str, Any]) -> Any:
        assert (token, arguments) == ("pulumi:pulumi:readStackOutputs", {"name": OWNER})
        if isinstance(outputs, Exception):
            raise outputs
        return type("Answer", (), {"value": {"outputs": outputs}})

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    facts = Facts(after.spec, planned=True)
    check_change(asking_all(facts), facts, OWNER)
    return said


def exported(before: ServingBlueprint) -> dict[str, Any]:
    return {OUTPUT: pod_templates(before.model_server), "namespace": "x"}


@pytest.mark.parametrize("outputs", [{}, {"namespace": "x"}, {OUTPUT: None}, {OUTPUT: "x"}, exported(planned())])
def test_a_new_stack_an_old_one_and_one_that_is_as_it_was_are_fine(
    outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(monkeypatch, outputs, planned()) == []


def test_one_role_is_a_warning_and_both_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = look(monkeypatch, exported(planned()), planned({"decode": {"devices": 2}}))
    assert said.startswith("llmd-pd:serving.decode: the change replaces the decode pods and not the prefill pods")
    assert said.endswith("(ROLL-01) [docs/operate.md]")
    assert look(monkeypatch, exported(planned()), planned({"env": {"A": "b"}})) == []


def test_outputs_that_cannot_be_read_are_said_and_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (said,) = look(monkeypatch, Exception("the bucket is gone"), planned())
    assert said.endswith("a change is not looked at: the bucket is gone")
