"""A platform stack, and a stack that refers to it: what is registered and exported, what is read and refused."""

import importlib.util
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import mocks

from releases import files
from stacks.clouds.outputs import CLUSTER as OUTPUT
from stacks.compose import compose
from stacks.findings import StackFileError
from stacks.outputs import READ, full_name, referred
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.spec.stack import StackSpec
from tests.blueprints import examined, spec_from_config, whole
from tests.gke_plans import GKE
from tests.mocks.recording import OWNER, record
from tests.mocks.test_gke import COMPUTED, ENDPOINT
from tests.mocks.test_gke_compose import INSTALLER

on_gke = pytest.mark.skipif(importlib.util.find_spec("pulumi_gcp") is None, reason="pulumi-gcp is not installed")

CLUSTER: dict[str, Any] = {
    "provider": "coreweave", "kubeconfig": "~/kube/cw", "context": "cw", "machine": "coreweave-h200", "nodes": 2,
}  # fmt: skip
SERVING: dict[str, Any] = {"accelerator": "nvidia", "fabric": "coreweave"}
HOW_TO_REACH = {key: CLUSTER[key] for key in ("kubeconfig", "context")}
EXPORTED = {
    **HOW_TO_REACH,
    "cloud": "coreweave",
    "machine": "coreweave-h200",
    "nodes": 2.0,
    "labels": {},
    "taints": [],
}  # the engine's are floats


TAINT = {"key": "team", "value": "chat", "effect": "NoSchedule"}


def referring(serving: Mapping[str, Any] = SERVING, **cluster: Any) -> StackSpec:
    stated = {"provider": "stack", "stack": "platform", **cluster}
    return spec_from_config({"cluster": stated, "serving": dict(serving), "crds": {"manage": False}})


class _Engine(mocks.Mocks):
    def __init__(self, outputs: dict[str, Any] | None) -> None:
        self.outputs = outputs
        self.asked: list[str] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise AssertionError(args.typ)

    def call(self, args: mocks.MockCallArgs) -> Any:
        assert args.token == READ
        self.asked.append(args.args["name"])
        if self.outputs is None:
            raise ValueError(f"unknown stack {args.args['name']!r}")
        return {"name": args.args["name"], "outputs": self.outputs, "secretOutputNames": []}


def resolved(spec: StackSpec, outputs: dict[str, Any] | None) -> StackSpec:
    engine = _Engine(outputs)
    mocks.set_mocks(engine, preview=True, logger=logging.getLogger("engine"))
    found = referred(examined(spec), "acme/llmd-pd/platform").facts.spec
    assert engine.asked == ["acme/llmd-pd/platform"]
    return found


def refusal(spec: StackSpec, outputs: dict[str, Any] | None) -> str:
    with pytest.raises(StackFileError) as refused:
        resolved(spec, outputs)
    (problem,) = refused.value.problems
    return str(problem)


def test_nodes_and_nothing_else_and_how_to_find_them() -> None:
    planned = blueprint(spec_from_config({"cluster": CLUSTER}))
    recording = record(lambda: compose(planned, OWNER))
    kinds = [r.type.rpartition(":")[2] for r in recording.resources if r.type.startswith("kubernetes:")]
    assert kinds == ["NodePool", "NodePool"]
    assert recording.exports == {
        OUTPUT: {
            **HOW_TO_REACH,
            "cloud": "coreweave",
            "machine": "coreweave-h200",
            "nodes": 2,
            "labels": {},
            "taints": [],
            "gateways": True,
        }
    }
    assert all(pool.protected for pool in recording.under("NodePools"))
    assert {pool.name for pool in recording.under("NodePools")} <= recording.one(":PoolGuard").after


@on_gke
def test_a_cluster_and_everything_under_it_and_how_to_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "manifest_objects", lambda *_: [INSTALLER])
    cluster = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "gke": GKE}
    planned = blueprint(spec_from_config({"cluster": cluster}), tmp_path)
    recording = record(lambda: compose(planned, OWNER), computed=COMPUTED)
    made = {registered.name for registered in recording.under("CloudCluster")}
    assert {resource.name for resource in planned.cluster.resources} <= made
    assert {"DaemonSet", "Release"} == {r.type.rpartition(":")[2] for r in recording.under("ClusterAddons")}
    (guard,) = recording.of(":Guard")
    assert {resource.name for resource in planned.cluster.of("container.NodePool")} <= guard.after
    assert {r.name for r in recording.under("ClusterAddons")} <= guard.after, "who lives there is asked first"
    found = recording.exports[OUTPUT]
    assert json.loads(found["kubeconfig"])["clusters"][0]["cluster"] == {"server": f"https://{ENDPOINT}"}
    assert {key: value for key, value in found.items() if key != "kubeconfig"} == {
        "cloud": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 2, "context": None, "labels": {}, "taints": [],
        "rdma": "dranet", "gateways": True,
    }  # fmt: skip
    serving = referring({"accelerator": "nvidia", "fabric": "gke-rdma"})
    served = serving_blueprint(resolved(serving, {OUTPUT: found}), tmp_path)
    assert (served.spec.cluster.kubeconfig, served.spec.cluster.nodes) == (found["kubeconfig"], 2)
    recording = record(lambda: compose(whole(served), OWNER))
    assert {r.inputs["kubeconfig"] for r in recording.of("pulumi:providers:kubernetes")} == {found["kubeconfig"]}
    assert recording.under("CloudCluster") == []


def test_the_cluster_is_what_the_other_stack_says() -> None:
    found = resolved(referring(), {OUTPUT: EXPORTED}).cluster
    assert (found.kubeconfig, found.context, found.machine, found.nodes) == ("~/kube/cw", "cw", "coreweave-h200", 2)
    assert type(found.nodes) is int


def test_a_share_of_the_nodes_is_the_serving_stacks_to_say() -> None:
    few = {**SERVING, "prefill": {"replicas": 2}, "decode": {"replicas": 1}}
    assert resolved(referring(few, nodes=1), {OUTPUT: EXPORTED}).cluster.nodes == 1


def test_it_serves_as_on_nodes_of_its_own_but_makes_none() -> None:
    planned = serving_blueprint(resolved(referring(), {OUTPUT: EXPORTED}), Path())
    assert whole(planned).cluster.pools == ()
    (deployment, *_) = [obj for obj in planned.model_server if obj["kind"] == "Deployment"]
    assert "podAffinity" in deployment["spec"]["template"]["spec"]["affinity"], "on one fabric, there too"
    recording = record(lambda: compose(whole(planned), OWNER))
    assert recording.under("NodePools") == []
    assert {r.inputs.get("context") for r in recording.of("pulumi:providers:kubernetes")} == {"cw"}


@pytest.mark.parametrize(
    ("spec", "outputs", "words"),
    [
        (referring(), None, "cluster.stack: stack acme/llmd-pd/platform cannot be read, because "),
        *((referring(), outputs, "cluster.stack: stack acme/llmd-pd/platform exports no nodes, because it makes none, or")
          for outputs in ({}, {OUTPUT: "x"}, {OUTPUT: {"endpoint": "x"}}, {OUTPUT: {**EXPORTED, "machine": None}},
                          {OUTPUT: {**EXPORTED, "nodes": None}}, {OUTPUT: {**EXPORTED, "cloud": "another"}},
                          {OUTPUT: {key: value for key, value in EXPORTED.items() if key != "cloud"}})),
        (referring({**SERVING, "fabric": "base"}, machine="nvidia-generic"), {OUTPUT: EXPORTED},
         "cluster.machine: machine `nvidia-generic` is not there, because the nodes of stack acme/llmd-pd/platform are"),
        (referring(nodes=3), {OUTPUT: EXPORTED},
         "cluster.nodes: 3 nodes are not there, because stack acme/llmd-pd/platform makes 2; write `nodes: 2` or less"),
        (referring(), {OUTPUT: {**EXPORTED, "nodes": 1.0}}, "cluster.stack: 1 node of coreweave-h200 cannot hold all pods"),
        (referring(), {OUTPUT: {**EXPORTED, "taints": [TAINT]}}, "serving.tolerations: team: a pod asks for a node without it"),
        (referring({**SERVING, "nodeSelector": {"team": "x"}}), {OUTPUT: {**EXPORTED, "labels": {"team": "chat"}}},
         "serving.nodeSelector.team: team: a pod asks for x, a node has chat"),
        (referring({"accelerator": "nvidia"}), {OUTPUT: EXPORTED}, "serving.fabric: the fabric is left out, because KV cache"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_by_its_field(
    spec: StackSpec, outputs: dict[str, Any] | None, words: str
) -> None:
    assert words in refusal(spec, outputs)


@pytest.mark.parametrize(
    ("stated", "full"), [("platform", "acme/llmd-pd/platform"), ("infra/clusters/prod", "infra/clusters/prod")]
)
def test_a_name_is_of_this_project_unless_it_says_another(stated: str, full: str) -> None:
    assert full_name(referring(stack=stated), "acme", "llmd-pd") == full
