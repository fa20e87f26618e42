"""Moves of real stacks between the real releases: the text on each change, and no false message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hardware.bill import AddedEnv, Bill
from hardware.vocabulary import SecretRef
from releases import RELEASES
from stacks.blueprint import ServingBlueprint
from stacks.file.load import load
from stacks.review.change import Change, Kind
from stacks.review.model_servers import pod_changes
from stacks.review.move import CannotMoveError, Move, move
from stacks.review.objects import replaced, selector_change
from stacks.review.serving import deployments
from tests.parity.reference import load as documents
from tests.parity.reference import upstream
from tests.shipped import filled
from tests.unit.rendering import config
from tests.unit.workloads import JUNE, MAY, combinations

ROOT = Path(__file__).parents[2]
COREWEAVE = ROOT / "Pulumi.coreweave-h200.yaml"
STEM = "pd-disaggregation-nvidia-gpu-vllm"

Make = Callable[..., Path]


@pytest.fixture
def stack(tmp_path: Path) -> Make:
    """Writes a stack file: `serving`, and other sections by name."""

    def make(serving: Mapping[str, Any], **sections: Any) -> Path:
        path = tmp_path / "Pulumi.test.yaml"
        path.write_text(yaml.safe_dump({"config": config(serving, **sections)}))
        return path

    return make


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bill]:
    """Adds a release that differs from May's in what is given, and nothing else."""

    def make(**changes: Any) -> Bill:
        bill = replace(MAY, name="later", date="2026-12-01", **changes)
        monkeypatch.setitem(RELEASES, "later", bill)
        return bill

    return make


def moved(path: Path, before: str = MAY.name, after: str = JUNE.name, **options: Any) -> Move:
    return move(load(path), before, after, **options)


def said(found: Move, kind: Kind | None = None) -> str:
    return "\n".join(str(change) for change in found.changes if kind in (None, change.kind))


def about(found: Move, subject: str) -> Change:
    (change,) = [change for change in found.changes if change.subject == subject]
    return change


# The stacks of the project, from May to June


def test_what_is_replaced_and_for_how_long_nothing_serves() -> None:
    servers, release_ = moved(COREWEAVE).of(Kind.REPLACED)
    assert servers.subject == f"2 Deployments ({STEM}-decode, {STEM}-prefill)"
    assert (
        "the service is down until the new servers are Ready, which may take 1 h 30 min at most" in servers.finding.what
    )
    assert "inference.networking.k8s.io/engine-type becomes llm-d.ai/engine-type" in servers.finding.why
    assert "its own `name` and `namespace` and room for another 8×1 + 2×4 devices" in servers.finding.fix
    assert release_.subject == "Helm release pd-disaggregation"
    assert "its Service gets another cluster IP" in release_.finding.what
    assert "by the label llm-d-router-gateway instead of inferencepool" in release_.finding.why
    assert "Pulumi does it by itself" in release_.finding.fix


def test_what_breaks() -> None:
    found = moved(COREWEAVE)
    assert [change.subject for change in found.of(Kind.BREAKS)] == [
        "KV cache",
        "label inference.networking.k8s.io/engine-type of all model servers",
        "a prefill that fails",
    ]
    assert "their engine images differ" in about(found, "KV cache").finding.why
    assert "never let both serve in one pool" in about(found, "KV cache").finding.fix
    assert about(found, "a prefill that fails").finding.what.startswith("the client gets its error")


def test_what_changes_with_the_reason_where_it_is_known() -> None:
    lines = said(moved(COREWEAVE), Kind.CHANGES).splitlines()
    for line in (
        "image of all model servers: docker.io/vllm/vllm-openai:v0.19.1-x86_64-cu130 → vllm/vllm-openai:v0.23.0",
        "image of the routing proxy: ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0 → "
        "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0",
        "variable USER of all model servers: added (llm-d), because vLLM fails where the user has no name (vllm#44548)",
        "flag --gpu-memory-utilization of prefill: gone (was `--gpu-memory-utilization=0.9`)",
        "directory /.triton of all model servers: added (scratch space of the pod, volume triton-cache)",
        "image of the endpoint picker: ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0 → "
        "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.0",
        "CRD inference.networking.x-k8s.io_inferenceobjectives.yaml: not installed any more; it stays in the cluster",
    ):
        assert line in lines
    for start in (
        "variable HF_TOKEN of all model servers: added (key HF_TOKEN of Secret llm-d-hf-token, which may be missing), because ",
        "variable VLLM_HTTP_TIMEOUT_KEEP_ALIVE of prefill: added (120), because vLLM closes an idle connection after 5 s",
        "flag --kv-connector of the routing proxy: `--connector=nixlv2` → `--kv-connector=nixlv2`, because ",
        "router's chart: oci://registry.k8s.io/gateway-api-inference-extension/charts/standalone v1.5.0 → "
        "oci://ghcr.io/llm-d/charts/llm-d-router-standalone v0.9.0, because ",
        "router's other values: say the same under other keys: router.epp.{replicas, flags, resources, pluginsConfigFile} "
        "(was inferenceExtension.{replicas, flags, resources, pluginsConfigFile}); ",
        "apiVersion of the endpoint picker's configuration: inference.networking.x-k8s.io/v1alpha1 → llm-d.ai/v1alpha1, ",
        "plugin max-score-picker of the endpoint picker's configuration: dropped, because ",
        "metric of the router's P/D decisions: llm_d_inference_scheduler_disagg_decision_total → "
        "llm_d_epp_disagg_decision_total, because it is renamed; guide-2026-06 still exposes the old name",
    ):
        assert any(line.startswith(start) for line in lines), start
    assert "router's value:" not in said(moved(COREWEAVE)), "no value is another one"


def test_the_steps() -> None:
    assert moved(COREWEAVE).steps == (
        f"write `llmd-pd:release: guide-2026-06` in {COREWEAVE} (now guide-2026-05)",
        f"`llmd-pd check {COREWEAVE}`",
        "`pulumi preview --diff --stack coreweave-h200`",
        "`pulumi up --stack coreweave-h200`",
    )


def test_the_same_engine_is_no_break_of_the_kv_cache(tmp_path: Path) -> None:
    found = moved(filled(tmp_path, "Pulumi.gke-tpu.yaml"))
    assert "KV cache" not in said(found)
    assert "image of all model servers" not in said(found)
    assert "2 h 30 min at most" in found.changes[0].finding.what


def test_another_engine_has_its_own_words(stack: Make) -> None:
    found = moved(stack({"accelerator": "nvidia", "engine": "sglang", "fabric": "coreweave"}))
    assert "sglang:v0.5.8.post1-cu130 → docker.io/lmsysorg/sglang:v0.5.13.post1" in said(found)
    assert "`--connector=sglang` → `--kv-connector=sglang`" in said(found)
    assert "vLLM" not in said(found)


def test_the_way_back_says_what_is_lost() -> None:
    found = moved(COREWEAVE, JUNE.name, MAY.name)
    why = about(found, "variable USER of all model servers").finding.why
    assert why == "that came with guide-2026-06: vLLM fails where the user has no name (vllm#44548)"
    assert about(found, "metric of the router's P/D decisions").kind is Kind.BREAKS
    assert about(found, "a prefill that fails").finding.what.startswith("decode does the whole request itself")
    assert found.steps[0] == f"{COREWEAVE} says `llmd-pd:release: guide-2026-05` already"


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize("file", ["Pulumi.coreweave-h200.yaml", "Pulumi.gke-tpu.yaml"])
def test_the_same_release_changes_nothing(file: str, name: str, tmp_path: Path) -> None:
    path = filled(tmp_path, file)
    assert moved(path, name, name).changes == moved(path, name, name).steps == ()


@pytest.mark.parametrize("key", [key for key in combinations(MAY) if key in combinations(JUNE)], ids="/".join)
def test_every_combination_can_be_moved_forth_and_back(key: tuple[str, str, str], stack: Make) -> None:
    accelerator, engine, fabric = key
    path = stack({"accelerator": accelerator, "engine": engine, "fabric": fabric})
    for before, after in ((MAY, JUNE), (JUNE, MAY)):
        found = moved(path, before.name, after.name)
        assert found.changes[0].subject.startswith("2 Deployments")
        assert len(set(found.changes)) == len(found.changes)
        for change in found.changes:
            assert "\n" not in str(change)
            assert not str(change).endswith(".")


# What a release does not have, or refuses


@pytest.mark.parametrize(
    ("serving", "own", "sentence"),
    [
        (
            {"accelerator": "hpu"},
            MAY,
            "cannot be on guide-2026-06, because accelerator 'hpu' does not exist in guide-2026-06",
        ),
        (
            {"accelerator": "nvidia", "fabric": "aws"},
            JUNE,
            "cannot be on guide-2026-05, because fabric 'aws' does not exist",
        ),
    ],
)
def test_a_stack_that_a_release_does_not_have_cannot_move(
    serving: Mapping[str, Any], own: Bill, sentence: str, stack: Make
) -> None:
    with pytest.raises(CannotMoveError, match=sentence):
        moved(stack(serving, release=own.name))


def test_values_of_the_other_chart_are_said_in_this_ones_keys(stack: Make) -> None:
    given = {"inferenceExtension": {"replicas": 1, "sidecar": {"args": ["x"]}, "odd": 1}, "inferencePool": {}}
    found = moved(stack({"accelerator": "nvidia"}, router={"values": given}))
    first, second = (change for change in found.of(Kind.BREAKS) if change.subject.startswith("llmd-pd:router.values."))
    assert first.finding.what.startswith("`inferenceExtension` is no key of guide-2026-06's chart")
    assert first.finding.fix == (
        "write router.epp.replicas for inferenceExtension.replicas, router.proxy.args for inferenceExtension.sidecar.args "
        "and look inferenceExtension.odd up in the values of the new chart"
    )
    assert second.finding.what.startswith("`inferencePool` is no key")
    assert "router's value:" not in said(found), "what both charts would not know is not compared"


def test_plugins_of_the_team_that_the_picker_does_not_know(stack: Make, later: Callable[..., Bill]) -> None:
    later(router=replace(MAY.router, plugins=frozenset({"queue-scorer"})))
    given = {"plugins": [{"type": "queue-scorer"}, {"type": "decode-filter"}]}
    found = moved(stack({"accelerator": "nvidia"}, router={"plugins": given}), after="later")
    (refused,) = [
        change for change in found.of(Kind.BREAKS) if change.subject == "llmd-pd:router.plugins.plugins[1].type"
    ]
    assert "plugin `decode-filter` is not in release later" in refused.finding.what
    assert "(ROUTER-01)" in refused.finding.what


def test_an_edit_that_the_new_command_line_refuses(stack: Make) -> None:
    edits = {"dropArgs": ["--gpu-memory-utilization"], "extraArgs": ["--gpu-memory-utilization=0.8"]}
    found = moved(stack({"accelerator": "nvidia", **edits}))
    refused = about(found, "llmd-pd:serving.dropArgs[0]")
    assert "--gpu-memory-utilization is not among this build's flags" in refused.finding.what
    assert "flag --gpu-memory-utilization" not in said(found), "the stack's own value is there before and after"


# What has to be there before


def test_a_secret_without_which_pods_do_not_start(stack: Make, later: Callable[..., Bill]) -> None:
    later(
        env=(
            AddedEnv({"PASS": SecretRef("vault", "pass")}),
            AddedEnv({"MAYBE": SecretRef("other", "x", optional=True)}),
        )
    )
    found = moved(stack({"accelerator": "nvidia"}, cluster={"context": "prod"}), after="later")
    needed = about(found, "Secret vault")
    assert needed.kind is Kind.BREAKS
    assert "in namespace llm-d-pd-disaggregation, with the key pass" in needed.finding.what
    assert (
        "`kubectl --context prod create secret generic vault --namespace llm-d-pd-disaggregation " in needed.finding.fix
    )
    assert "Secret other:" not in said(found)


def test_a_stacks_own_image_stays(stack: Make) -> None:
    image = "registry.example.com/vllm:v1"
    found = moved(stack({"accelerator": "nvidia", "image": image}))
    assert f"it stays {image}" in about(found, "serving.image").finding.what
    assert "image of all model servers" not in said(found)
    assert "KV cache" not in said(found)


def test_a_stacks_own_chart_is_the_other_releases(stack: Make, tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "router.tgz").touch()
    found = moved(stack({"accelerator": "nvidia"}, router={"chart": {"source": "./charts/router.tgz"}}))
    assert "./charts/router.tgz" in about(found, "router.chart").finding.what
    assert "llm-d-router-standalone v0.9.0" in about(found, "router.chart").finding.why


def test_mirrors_have_to_hold_the_new_things_first(stack: Make) -> None:
    mirror = {"registry": "registry.example.com/m", "charts": "oci://registry.example.com/charts"}
    found = moved(stack({"accelerator": "nvidia"}, mirror=mirror))
    assert "has to hold the images of guide-2026-06 first" in about(found, "mirror.registry").finding.what
    assert (
        "oci://registry.example.com/charts/llm-d-router-standalone v0.9.0" in about(found, "mirror.charts").finding.what
    )
    assert "registry.example.com/m/vllm/vllm-openai:v0.19.1-x86_64-cu130 → registry.example.com/m/" in said(found)


def test_crds_of_somebody_else_are_theirs_to_bring(stack: Make) -> None:
    path = stack({"accelerator": "nvidia"}, crds={"manage": False})
    crd = "CRD inference.networking.x-k8s.io_inferenceobjectives.yaml"
    assert about(moved(path), crd) == Change(Kind.CHANGES, crd, "not needed any more")
    back = about(moved(path, JUNE.name, MAY.name), crd)
    assert (back.kind, back.finding.what, back.finding.fix) == (
        Kind.BREAKS,
        "needed too",
        "have it in the cluster before the move",
    )


# Releases that differ in one thing


def test_a_release_that_differs_in_nothing(later: Callable[..., Bill]) -> None:
    later()
    found = moved(COREWEAVE, after="later")
    assert found.changes == ()
    assert found.steps


def test_images_alone_roll_in_place_and_mix(later: Callable[..., Bill]) -> None:
    later(images={("nvidia", "vllm"): "vllm/vllm-openai:v1.0.0"}, kv_compatibility="another")
    found = moved(COREWEAVE, after="later")
    assert [change.subject for change in found.changes] == ["KV cache", "Deployments", "image of all model servers"]
    assert "a quarter at a time" in about(found, "Deployments").finding.what
    assert "while it rolls" in about(found, "KV cache").finding.fix


def test_a_routing_proxy_alone_rolls_the_pods_of_decode(later: Callable[..., Bill]) -> None:
    """Prefill pods go on: ROLL-01, as a preview says it."""
    later(sidecar=replace(MAY.sidecar, image="ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.1"))
    found = moved(COREWEAVE, after="later")
    assert [change.subject for change in found.of(Kind.BREAKS)] == ["Deployment of decode"]
    assert "smg#2382" in about(found, "Deployment of decode").finding.why
    assert (
        about(found, "Deployments").finding.what == "updated in place: the decode pods are replaced a quarter at a time"
    )


def test_a_shared_word_says_that_pods_may_be_paired(later: Callable[..., Bill]) -> None:
    later(images={("nvidia", "vllm"): "vllm/vllm-openai:v0.19.2"})
    assert "KV cache" not in said(moved(COREWEAVE, after="later"))


@pytest.mark.parametrize("still", [True, False])
def test_a_renamed_metric_breaks_unless_the_old_name_is_still_there(still: bool, later: Callable[..., Bill]) -> None:
    names = frozenset({MAY.metrics.decisions}) if still else frozenset()
    later(metrics=replace(MAY.metrics, decisions="new_total", still=names))
    (change,) = moved(COREWEAVE, after="later").changes
    assert change.finding.what == f"{MAY.metrics.decisions} → new_total"
    assert change.kind is (Kind.CHANGES if still else Kind.BREAKS)


def test_a_metric_of_another_engine_is_of_no_interest(later: Callable[..., Bill]) -> None:
    engines = {**MAY.metrics.engines, "sglang": replace(MAY.metrics.engines["sglang"], requests="other")}
    later(metrics=replace(MAY.metrics, engines=engines))
    assert moved(COREWEAVE, after="later").changes == ()


def test_a_value_that_becomes_another(later: Callable[..., Bill]) -> None:
    later(router=replace(MAY.router, values=(*MAY.router.values, {"inferenceExtension": {"flags": {"v": 4}}})))
    (change,) = moved(COREWEAVE, after="later").changes
    assert str(change) == "router's value: inferenceExtension.flags.v: 2 → 4"


# Rendered charts


def epp(kind: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "pd-disaggregation-epp"}, **spec}


def test_what_helm_cannot_upgrade_is_found_in_the_charts(later: Callable[..., Bill]) -> None:
    later()
    made = {
        MAY.name: [epp("Deployment", spec={"selector": {"matchLabels": {"a": "x"}}}), epp("Secret")],
        "later": [epp("Deployment", spec={"selector": {"matchLabels": {"b": "x"}}}), epp("ServiceMonitor")],
    }

    def render(plan: ServingBlueprint) -> Sequence[dict[str, Any]]:
        return made[plan.bill.name]

    found = moved(COREWEAVE, after="later", render=render)
    broken, *others = found.changes
    assert broken.finding.what == "a plain `pulumi up` fails half-way, when Helm upgrades it"
    assert "Deployment pd-disaggregation-epp changes in spec.selector" in broken.finding.why
    assert [str(change) for change in others] == [
        "Secret pd-disaggregation-epp: not made by the chart any more",
        "ServiceMonitor pd-disaggregation-epp: made by the chart now",
    ]
    urn = "urn:pulumi:coreweave-h200::llmd-pd::llmd-pd:index:Router$kubernetes:helm.sh/v3:Release::pd-disaggregation-router"
    assert found.steps[-2:] == (
        f"`pulumi preview --diff --stack coreweave-h200 --replace '{urn}'`",
        f"`pulumi up --stack coreweave-h200 --replace '{urn}'`",
    )
    assert moved(COREWEAVE, after="later", render=lambda plan: None if plan.bill is MAY else []).changes == ()


# Gateways


def test_a_route_that_changes_hands_is_handed_over_in_one_up(stack: Make) -> None:
    gateway = {"provider": "istio", "manage": False, "name": "shared", "namespace": "gateways"}
    path = stack({"accelerator": "nvidia"}, router={"mode": "gateway", "gateway": gateway})
    found = moved(path)
    ours = about(found, "HTTPRoute pd-disaggregation-shared")
    assert ours.kind is Kind.CHANGES
    assert (
        ours.finding.what
        == "deleted at the end of the `up`: the router's chart makes HTTPRoute pd-disaggregation from then on"
    )
    assert "can name a Gateway in another namespace" in ours.finding.why
    assert "destroy" not in " ".join(found.steps)
    release_ = about(found, "Helm release pd-disaggregation")
    assert "its InferencePool goes with it" in release_.finding.what, "the route is not the release's, and stays"
    back = moved(path, JUNE.name, MAY.name)
    assert about(back, "HTTPRoute pd-disaggregation-shared").finding.what == (
        "made by the stack after the router's release, whose HTTPRoute pd-disaggregation goes"
    )
    assert "its InferencePool and route go with it" in about(back, "Helm release pd-disaggregation").finding.what
    assert "destroy" not in " ".join(back.steps)


# Upstream's own renders


def references(name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = [upstream(bill.name) for bill in (MAY, JUNE)]
    if None in found:
        pytest.skip("upstream's files are not at hand")
    may, june = (directory / name for directory in found if directory is not None)
    return documents(may), documents(june)


def test_the_pods_change_as_upstreams_do() -> None:
    may, june = references("modelserver_gpu_vllm_coreweave.yaml")
    theirs = {change.subject: change.finding.what for change in pod_changes(deployments(may), deployments(june), {})}
    ours = {change.subject: change.finding.what for change in moved(COREWEAVE).changes if change.subject in theirs}
    # Ours may be missing: the model is not gated.
    assert ours.pop("variable HF_TOKEN of all model servers").startswith(
        theirs.pop("variable HF_TOKEN of all model servers").rstrip(")")
    )
    assert ours == theirs
    assert len(replaced(may, june)) == 2


def test_the_endpoint_picker_is_selected_as_upstreams_charts_do() -> None:
    directories = [upstream(bill.name) for bill in (MAY, JUNE)]
    if None in directories:
        pytest.skip("upstream's files are not at hand")
    may, june = (directory / "charts" for directory in directories if directory is not None)
    pair = [documents(may / "standalone.yaml"), documents(june / "standalone_v0.10.0.yaml")]
    ((old, new),) = replaced(*pair)
    assert selector_change(old, new) == f"{MAY.router.epp_selector} becomes {JUNE.router.epp_selector}"
