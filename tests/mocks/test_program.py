"""The running program: the engine's configuration in, the stack of that configuration out, or one error without a traceback."""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from stacks import program
from stacks.clouds.cloud import Previous
from stacks.findings import ERROR, WARNING, Finding, Rule, StackFileError
from stacks.rules import table
from stacks.rules.facts import Facts
from stacks.rules.live import Found
from stacks.rules.sdk import SDK
from stacks.rules.table import Examined
from stacks.spec.cluster import Cluster
from tests.crd_files import write
from tests.gke_plans import GKE
from tests.mocks.recording import OWNER, Recording, record

POOLS = {"provider": "coreweave", "machine": "coreweave-h200", "nodes": 2}


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, str]]:
    """The calls of the live check; the cluster itself is `tests/unit/test_live.py`'s."""
    asked: list[tuple[Any, str]] = []

    def check_live_cluster(_: Examined, facts: Facts, owner: str) -> Found:
        asked.append((facts, owner))
        return Found()

    monkeypatch.setattr(program, "check_live_cluster", check_live_cluster)
    monkeypatch.setattr(program, "repair_helm_records", lambda at, _: asked.append((at, "repaired")))
    return asked


def run(base: Path, *, preview: bool = False, outputs: Mapping[str, Any] | None = None, **config: Any) -> Recording:
    """Runs the program with these keys, each as the engine hands it over: text as it is, maps and lists as JSON.

    `outputs` is what the stack exported the last time.
    """
    given = {
        f"llmd-pd:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    } | {"pulumi:tags": '{"a": "b"}'}
    before = dict(runtime_config.CONFIG.get())
    runtime_config.set_all_config(given)
    try:
        return record(lambda: program.run(base), preview=preview, outputs=outputs or {})
    finally:
        runtime_config.set_all_config(before)


def test_the_stack_of_the_configuration(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    write(tmp_path / "crds")
    recording = run(
        tmp_path,
        name="tiny",
        namespace="team-a",
        serving={"accelerator": "amd", "prefill": {"replicas": 3}},
        crds={"directory": "crds"},
    )
    assert {d.inputs["metadata"]["name"]: d.inputs["spec"]["replicas"] for d in recording.of(":Deployment")} == {
        "tiny-rocm-vllm-prefill": 3,
        "tiny-rocm-vllm-decode": 1,
    }
    assert recording.one(":Release").inputs["description"] == OWNER
    assert len(recording.under("Crds")) == 4
    (planned, owner), (at, done) = looked
    assert (planned.spec.name, owner, at, done) == ("tiny", OWNER, planned.spec.cluster.at, "repaired")


def test_a_crd_that_is_established_is_taken_over_without_a_word_of_pulumis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "crds")
    theirs = "inferencepools.inference.networking.k8s.io"
    monkeypatch.setattr(program, "check_live_cluster", lambda *_: Found(established=frozenset({theirs})))
    recording = run(tmp_path, preview=True, serving={"accelerator": "nvidia"}, crds={"directory": "crds"})
    waited = {
        crd.name: "pulumi.com/waitFor" in crd.inputs["metadata"].get("annotations", {})
        for crd in recording.under("Crds")
    }
    assert len(waited) == 4
    assert [name for name, waits in waited.items() if not waits] == [theirs]


def test_a_preview_looks_and_touches_nothing(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    run(tmp_path, preview=True, serving={"accelerator": "nvidia"}, crds={"manage": False})
    assert [done for _, done in looked] == [OWNER]


def test_text_stays_text_where_json_would_read_something_else(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    with pytest.raises(pulumi.RunError) as error:
        run(tmp_path, name="5", release="true", serving={"accelerator": "nvidia"}, crds={"manage": False})
    assert "llmd-pd:name: `5` cannot be used, because it has to be lower-case letters" in str(error.value)
    assert "release `true` does not exist" in str(error.value)
    assert looked == []


def test_every_problem_of_a_configuration_is_one_error(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    with pytest.raises(pulumi.RunError) as error:
        run(tmp_path, serving={"accelerator": "nvidia", "fabric": "coreweve", "prefill": {"replicas": 0}}, nmae="x")
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    for words in ("`coreweave`?", "at least 1", "`name`?"):
        assert any(words in line for line in lines), words
    assert looked == []


def test_no_configuration_says_what_to_write(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    with pytest.raises(pulumi.RunError, match=r"add `llmd-pd:serving: \{accelerator: nvidia\}`"):
        run(tmp_path)
    assert looked == []


def test_a_refusal_is_said_once_and_the_host_is_told_that_it_was(
    tmp_path: Path, looked: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "error", said.append)
    with pytest.raises(SystemExit) as ended:
        record(lambda: program.main(tmp_path), preview=True)
    assert ended.value.code == 32
    assert len(said) == 1
    assert "add `llmd-pd:serving: {accelerator: nvidia}`" in said[0]
    assert looked == []


def test_an_error_of_the_program_itself_is_not_taken_for_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(program, "run", broken)
    with pytest.raises(ValueError, match="a bug"):
        program.main(tmp_path)


@pytest.mark.parametrize("serving", [{"accelerator": "nvidia", "fabric": "gke-rdma"}, {}])
def test_without_googles_sdk_nothing_begins(
    serving: dict[str, Any], tmp_path: Path, looked: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Cluster) -> None:
        raise StackFileError(
            [SDK.problem(at=("cluster", "provider"), what="it is missing", why="none is there", fix="get it")]
        )

    monkeypatch.setattr(program, "need_sdk", missing)
    monkeypatch.setattr(program, "_point_out", lambda _: pytest.fail("something else comes first"))
    made = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": GKE}
    with pytest.raises(pulumi.RunError, match=r"it is missing, because none is there; get it\. \(SDK\)"):
        run(tmp_path, cluster=made, serving=serving)
    assert looked == []


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    "config",
    [
        {"cluster": POOLS, "serving": {"accelerator": "nvidia", "fabric": "coreweave"}, "crds": {"manage": False}},
        {"cluster": POOLS},
    ],
    ids=["one that serves", "a platform stack"],
)
@pytest.mark.usefixtures("looked")
def test_warnings_of_any_stack_are_said(
    config: dict[str, Any], preview: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    found = Finding(at=("cluster",), what="a gap", why="of a train", fix="mind it")
    row = Rule("X-1", WARNING, "a title", "a reason", "a page", check=lambda _: iter([found]))
    monkeypatch.setattr(table, "rules", lambda: (row,))
    monkeypatch.setattr(program, "check_live_cluster", lambda *_: Found())
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    run(tmp_path, preview=preview, **config)
    assert said == ["llmd-pd:cluster: a gap, because of a train; mind it. (X-1) [a page]"]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.usefixtures("looked")
def test_a_change_of_one_roles_pods_is_pointed_out_by_what_the_last_run_exported(
    preview: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)

    def serve(before: Recording | None, **roles: Any) -> Recording:
        said.clear()
        outputs = before.exports if before else {}
        serving = {"accelerator": "nvidia", **roles}
        return run(tmp_path, preview=preview, outputs=outputs, serving=serving, crds={"manage": False})

    first = serve(None)
    assert said == []
    more = serve(first, prefill={"replicas": 7})
    assert said == []
    alone = serve(more, prefill={"replicas": 7, "memory": "96Gi"})
    (warning,) = said
    assert warning.startswith("llmd-pd:serving.prefill: the change replaces the prefill pods and not the decode pods")
    serve(alone, prefill={"memory": "48Gi"}, decode={"memory": "96Gi"})
    assert said == []


class Change:
    """Two rules about a change, an error and a warning, which have these findings; the last runs they saw, and what was said."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, errors: Sequence[Finding] = (), warnings: Sequence[Finding] = ()
    ) -> None:
        self.asked: list[Previous] = []
        self.said: list[str] = []

        def of(found: Sequence[Finding]) -> Callable[[Facts], Iterator[Finding]]:
            def check(facts: Facts) -> Iterator[Finding]:
                self.asked.append(facts.previous)
                return iter(found)

            return check

        rows = (Rule("X-2", ERROR, "", "", "", of(errors)), Rule("X-3", WARNING, "", "", "", of(warnings)))
        monkeypatch.setattr(table, "rules", lambda: rows)
        monkeypatch.setattr(pulumi.log, "warn", self.said.append)


ON_POOLS: dict[str, Any] = {
    "cluster": POOLS,
    "serving": {"accelerator": "nvidia", "fabric": "coreweave"},
    "crds": {"manage": False},
}
REFUSED = Finding(at=("cluster",), what="it would go", why="of a change", fix="take it back")
ANEW = Finding(at=("cluster",), what="its nodes are made anew", why="of a change", fix="wait")


def test_a_cloud_is_told_of_the_last_run_which_is_read_once(
    tmp_path: Path, looked: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = {"a": {"type": "b", "args": {}}}
    outputs = {"plannedCluster": planned, "namespace": "x"}
    change = Change(monkeypatch, warnings=[ANEW])
    recording = run(tmp_path, outputs=outputs, **ON_POOLS)
    assert change.asked == [Previous(OWNER, outputs, planned)] * 2
    assert recording.reads == [OWNER]
    assert change.said == ["llmd-pd:cluster: its nodes are made anew, because of a change; wait. (X-3)"]
    assert len(recording.of(":NodePool")) == 2, "a warning stops nothing"
    assert looked


@pytest.mark.usefixtures("looked")
def test_a_new_stack_has_no_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change = Change(monkeypatch)
    run(tmp_path, **ON_POOLS)
    assert change.asked == [Previous(OWNER, {}, {})] * 2
    assert change.said == []


@pytest.mark.parametrize("config", [ON_POOLS, {"cluster": POOLS}], ids=["one that serves", "a platform stack"])
def test_problems_of_a_change_end_the_run_before_the_cluster_is_looked_at(
    config: dict[str, Any], tmp_path: Path, looked: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Finding(at=("name",), what="it would go", why="of a change", fix="take it back")
    change = Change(monkeypatch, errors=[REFUSED, other], warnings=[ANEW])
    with pytest.raises(pulumi.RunError) as error:
        run(tmp_path, outputs={"namespace": "x"}, **config)
    lines = [f"llmd-pd:{key}: it would go, because of a change; take it back. (X-2)" for key in ("cluster", "name")]
    assert str(error.value).splitlines() == lines
    assert len(change.said) == 1
    assert looked == []


@pytest.mark.usefixtures("looked")
def test_a_problem_of_a_change_that_is_suppressed_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", logged.append)
    Change(monkeypatch, errors=[REFUSED])
    run(tmp_path, outputs={"namespace": "x"}, suppress=[{"rule": "X-2", "reason": "tried."}], **ON_POOLS)
    (line,) = [line for line in logged if "X-2" in line]
    assert line == "Suppressed: llmd-pd:cluster: it would go, because of a change; reason given: tried. (X-2)"


@pytest.mark.usefixtures("looked")
def test_a_roll_of_one_role_that_is_suppressed_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", logged.append)
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    same = {"crds": {"manage": False}, "suppress": [{"rule": "ROLL-01", "reason": "they talk to each other"}]}
    first = run(tmp_path, serving={"accelerator": "nvidia"}, **same)
    run(tmp_path, outputs=first.exports, serving={"accelerator": "nvidia", "prefill": {"memory": "96Gi"}}, **same)
    assert warned == []
    (line,) = [line for line in logged if "ROLL-01" in line]
    assert line.startswith("Suppressed: llmd-pd:serving.prefill: the change replaces the prefill pods")


def test_a_last_run_that_cannot_be_read_is_said_and_stops_nothing(
    tmp_path: Path, looked: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise RuntimeError("invoke of pulumi:pulumi:readStackOutputs failed: the bucket is gone")

    change = Change(monkeypatch, errors=[REFUSED])
    monkeypatch.setattr(pulumi.runtime, "invoke", gone)
    recording = run(tmp_path, **ON_POOLS)
    (warning,) = change.said
    assert warning.startswith("The stack as it was last planned cannot be read")
    assert warning.endswith("a change is not looked at: the bucket is gone")
    assert change.asked == []
    assert len(recording.of(":NodePool")) == 2
    assert looked


@pytest.mark.skipif(importlib.util.find_spec("pulumi_coreweave") is None, reason="pulumi-coreweave is not installed")
def test_a_cluster_is_compared_with_what_the_last_run_kept_of_it(tmp_path: Path, looked: list[tuple[Any, str]]) -> None:
    def step(outputs: Mapping[str, Any] | None, **cks: Any) -> Recording:
        cluster = {**POOLS, "coreweave": {"cluster": {"zone": "US-EAST-02A", "version": "v1.35", **cks}}}
        return run(tmp_path, outputs=outputs, **{**ON_POOLS, "cluster": cluster})

    first = step(None).exports
    assert set(first) == {"next", "plannedCluster"}
    assert step(first).exports == first
    with pytest.raises(pulumi.RunError, match=r"zone of VPC pd-disaggregation-vpc would change, .*\(IMM\)"):
        step(first, zone="US-EAST-08A")
    assert looked == [], "nothing leads to the cluster yet"


@pytest.mark.usefixtures("looked")
def test_of_an_existing_cluster_nothing_is_kept(tmp_path: Path) -> None:
    assert "plannedCluster" not in run(tmp_path, **ON_POOLS).exports


@pytest.mark.usefixtures("looked")
def test_crds_that_cannot_be_had_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"crds.directory: `nowhere` does not exist"):
        run(tmp_path, serving={"accelerator": "nvidia"}, crds={"directory": "nowhere"})
