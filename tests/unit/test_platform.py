"""A platform stack: how it is told, what it may say, and what the commands make of it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from commands.check import examine
from commands.cli import run
from stacks.clouds.coreweave.rules import RULES as COREWEAVE
from stacks.clouds.gke.cloud import of_gke
from stacks.clouds.gke.rules import OF_THE_FILE
from stacks.clouds.gke.spec import Gke
from stacks.file.load import load, load_serving
from stacks.findings import ERROR, StackFileError
from stacks.platform import resolve_platform
from stacks.rules.facts import blueprint, serving_blueprint
from stacks.spec.stack import StackSpec, is_platform
from tests.blueprints import spec_from_config
from tests.gke_plans import GKE
from tests.unit.rendering import INSTALLER

CLUSTER: dict[str, Any] = {"provider": "coreweave", "context": "cw", "machine": "coreweave-h200", "nodes": 4}
ON_GKE: dict[str, Any] = {"provider": "gke", "machine": "gke-a3-ultragpu-8g-dra", "nodes": 4, "gke": GKE}
TAINT = {"key": "a", "value": "b", "effect": "NoSchedule"}
#: The project's defaults for keys that a stack file leaves out.
DEFAULTS: dict[str, Any] = {
    "name": "pd-disaggregation", "namespace": "llm-d-pd-disaggregation", "release": "guide-2026-05", "serving": {},
    "router": {}, "monitoring": {}, "crds": {}, "mirror": {},
}  # fmt: skip


def written(directory: Path, **config: Any) -> Path:
    path = directory / "Pulumi.platform.yaml"
    path.write_text(yaml.safe_dump({"config": {f"llmd-pd:{key}": value for key, value in config.items()}}))
    return path


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in CLUSTER.items() if name != key}


def made(**cks: Any) -> dict[str, Any]:
    """The cluster too."""
    return {**CLUSTER, "coreweave": {"cluster": {"zone": "US-EAST-02A", "version": "v1.35", **cks}}}


def gke(**stated: Any) -> dict[str, Any]:
    return {"cluster": {**ON_GKE, "gke": {**GKE, **stated}}}


@pytest.mark.parametrize(
    ("config", "so"),
    [
        ({"cluster": CLUSTER}, True),
        ({"cluster": CLUSTER, "serving": {}}, True),
        ({"cluster": CLUSTER, "serving": {"accelerator": "nvidia"}}, False),
        ({"cluster": {"provider": "existing"}}, False),
        ({"cluster": {"provider": "stack", "stack": "a"}}, False),
        ({}, False),
        ({"cluster": "coreweave"}, False),
    ],
)
def test_it_makes_nodes_and_serves_nothing(config: dict[str, Any], so: bool) -> None:
    assert is_platform(config) is so


def test_a_file_with_a_cluster_is_enough(tmp_path: Path) -> None:
    found = load(written(tmp_path, name="shared", cluster=CLUSTER))
    assert found.spec.serving is None
    assert found.stack == "platform"
    pools = blueprint(found.spec).cluster.pools
    assert [(pool.name, pool.spec["targetNodes"]) for pool in pools] == [("shared-cpu", 1), ("shared-gpu", 4)]


def test_what_the_project_adds_is_not_the_files() -> None:
    assert spec_from_config({**DEFAULTS, "cluster": CLUSTER}) == spec_from_config({"cluster": CLUSTER})


FINDINGS: list[tuple[str, dict[str, Any], str, str]] = [
    ("PLATFORM-01", {"router": {"mode": "gateway"}}, "router", "nothing of it serves"),
    ("PLATFORM-01", {"router": {"mode": "standalone"}}, "router", "nothing of it serves"),
    ("PLATFORM-01", {"mirror": {"registry": None}}, "mirror", "nothing of it serves"),
    ("PLATFORM-01", {"monitoring": {"podMonitors": True}}, "monitoring", "nothing of it serves"),
    ("PLATFORM-01", {"cluster": without("machine")}, "cluster.machine", "name one, such as"),
    ("MACHINE-01", {"cluster": {**CLUSTER, "machine": "dgx"}}, "cluster.machine", "not in the table"),
    ("MACHINE-01", {"cluster": {**ON_GKE, "machine": "dgx"}}, "cluster.machine",
     "use one of gke-a3-ultragpu-8g-dra, gke-a4-highgpu-8g-dra, gke-tpu7x, gke-ct6e"),
    ("CW-01", {"cluster": without("nodes")}, "cluster.nodes", "it is what you pay for"),
    ("CW-02", {"cluster": {**CLUSTER, "coreweave": {"acceleratorPool": {"autoscaling": {"min": 5, "max": 6}}}}},
     "cluster.nodes", "not between 5 and 6"),
    ("CW-06", {"cluster": {**CLUSTER, "coreweave": {"systemPool": {"instanceType": "x"}}}},
     "cluster.coreweave.systemPool.instanceType", "no CPU instance type"),
    ("CW-07", {"cluster": {**CLUSTER, "machine": "gke-tpu7x"}}, "cluster.machine", "no CoreWeave's"),
    ("CW-08", {"cluster": {**CLUSTER, "coreweave": {"acceleratorPool": {"labels": {"ib.coreweave.cloud/x": "a"}}}}},
     'cluster.coreweave.acceleratorPool.labels["ib.coreweave.cloud/x"]', "not the stack's to write"),
    ("CW-09", {"cluster": {**CLUSTER, "coreweave": {"acceleratorPool": {"taints": [TAINT, TAINT]}}}},
     "cluster.coreweave.acceleratorPool.taints[1]", "there twice"),
    ("CW-11", {"cluster": made(version="v1")}, "cluster.coreweave.cluster.version", "is no minor version"),
    ("CW-12", {"cluster": made(vpc={"pods": "10.16.0.0/13"})}, "cluster.coreweave.cluster.vpc.pods", "overlaps"),
    ("CW-13", {"cluster": made(vpc={"pods": "10.0.0.0/24"})}, "cluster.coreweave.cluster.vpc.pods", "the pods of 2 nodes"),
    ("CW-14", {"cluster": {**made(), "context": None, "kubeconfig": "a"}}, "cluster.context", "without `context`"),
    ("CLUSTER-01", {"cluster": {**CLUSTER, "gke": GKE}}, "cluster.gke", "with `provider: coreweave`"),
    ("CLUSTER-03", {"cluster": {key: value for key, value in ON_GKE.items() if key != "gke"}}, "cluster.gke", "is missing"),
    ("PLATFORM-01", {"cluster": {**ON_GKE, "machine": None}}, "cluster.machine", "`machine: gke-a3-ultragpu-8g-dra`"),
    ("MIRROR-01", {**gke(), "mirror": {"registry": "team"}}, "mirror.registry", "begins with no host"),
    ("GKE-01", gke(version="1.33.1-gke.1000000"), "cluster.gke.version", "it came with 1.34.1-gke.1829001"),
    ("GKE-08", gke(acceleratorPool={"labels": {"nvidia.com/gpu.present": "true"}}),
     'cluster.gke.acceleratorPool.labels["nvidia.com/gpu.present"]',
     "not the stack's to set"),
    ("GKE-10", gke(zone="us-central1-b"), "cluster.gke.zone", "is not in us-south1"),
    ("GKE-12", gke(rdma="multinet"), "cluster.gke.rdma", "such nodes are those of dranet"),
    ("GKE-17", gke(version="1.35"), "cluster.gke.version", "no whole version"),
    ("GKE-19", {"cluster": {**ON_GKE, "machine": "coreweave-h200"}}, "cluster.machine", "none of GKE's"),
    ("GKE-20", {"cluster": {**ON_GKE, "nodes": None}}, "cluster.nodes", "it is what you pay for"),
    ("GKE-21", gke(systemPool={"min": 4}), "cluster.gke.systemPool", "write `min: 3` with `max: 4`"),
    ("GKE-24", gke(acceleratorPool={"taints": [TAINT, TAINT]}), "cluster.gke.acceleratorPool.taints[1]", "is there twice"),
    ("GKE-22", gke(acceleratorPool={"name": "system"}), "cluster.gke.acceleratorPool.name", "both pools are called"),
    ("GKE-27", gke(systemPool={"machineType": "a3-ultragpu-8g"}), "cluster.gke.systemPool.machineType", "has accelerators"),
    ("GKE-28", gke(version="<look-it-up>"), "cluster.gke.version", "has to be looked up"),
    ("GKE-29", gke(maintenanceWindow={"days": ["SA"]}), "cluster.gke.maintenanceWindow.days", "4 hours on SA are too few"),
    ("CAP-01", gke(capacity={}), "cluster.gke.capacity", "it is not said"),
    ("CAP-02", gke(capacity={"reservation": "h200"}), "cluster.gke.capacity.reservation", "no reservation's full name"),
    ("CAP-03", gke(capacity={"flexStart": {"maxRunDuration": 604_801}}), "cluster.gke.capacity.flexStart.maxRunDuration",
     "write 604800 at most"),
    ("NET-01", gke(network={"peers": ["10.0.0.0/12"]}), "cluster.gke.network.peers[0]", "overlaps peer"),
    ("NET-03", gke(network={"base": "10.0.0.0/21"}), "cluster.gke.network.base", "`pods` gets"),
    ("TPU-04", {"cluster": {**ON_GKE, "machine": "gke-tpu7x", "gke": {**GKE, "version": "1.34.2-gke.1000000"}}},
     "cluster.gke.version", "no tpu7x-standard-4t"),
    ("SPEC", {"servng": {}}, "servng", "did you mean `serving`?"),
    ("SPEC", {"cluster": {**CLUSTER, "nodes": "4"}}, "cluster.nodes", "take the quotes off: 4"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "config", "path", "words"), FINDINGS, ids=[f"{f[0]} {f[3][:30]}" for f in FINDINGS])
def test_a_rule_finds_what_it_is_for(rule: str, config: dict[str, Any], path: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(StackFileError) as refusal:
        load(written(tmp_path, **{"cluster": CLUSTER, **config}))
    (found,) = refusal.value.problems
    assert (found.rule, found.path) == (rule, f"llmd-pd:{path}")
    assert words in str(found)
    assert found.line > 0


def test_every_rule_has_a_case() -> None:
    errors = [row for row in (*OF_THE_FILE, *COREWEAVE) if row.severity is ERROR]
    of_clouds = {row.id for row in errors if not row.title.startswith("when Pulumi runs")}
    # These two are about what serves.
    expected = {"PLATFORM-01", "MIRROR-01", "CLUSTER-01", "MACHINE-01"} | of_clouds - {"GKE-26", "CW-05"}
    assert {rule for rule, *_ in FINDINGS} - {"SPEC"} == expected


def test_commands_that_ask_what_serves_refuse_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, cluster=CLUSTER)
    with pytest.raises(StackFileError, match="this is a platform stack, because it has no `serving`"):
        load_serving(file)
    assert run(["versions", "diff", "guide-2026-05", "guide-2026-06", str(file)]) == 1
    assert "this is a platform stack" in capsys.readouterr().err


def test_check_and_render_know_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, cluster=CLUSTER)
    assert examine(file)[:2] == ("nodes only, 1 × cd-gp-i64-erapids and 4 × gd-8xh200ib-i128", ())
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["node-pools.yaml"]
    kinds = [obj["kind"] for obj in yaml.safe_load_all((tmp_path / "out" / "node-pools.yaml").read_text())]
    assert kinds == ["NodePool", "NodePool"]
    assert "node-pools.yaml: 2 objects" in capsys.readouterr().out


def test_check_knows_one_on_gke(tmp_path: Path) -> None:
    file = written(tmp_path, cluster=ON_GKE, mirror={"charts": "oci://mirror.example/charts"})
    assert examine(file)[:2] == ("nodes only, 1 to 3 × e2-standard-16 and 4 × a3-ultragpu-8g, a cluster of its own", ())
    found = load(file)
    assert found.spec.serving is None
    planned = of_gke(blueprint(found.spec).cluster)
    assert planned.charts[0].chart == "oci://mirror.example/charts/nvidia-dra-driver-gpu"
    assert planned.settings.gateway, "who serves on it may have some"
    assert planned.pools == ()


def test_a_render_of_one_on_gke_has_its_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, **gke(gpuDriver={"installer": str(INSTALLER)}))
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 0
    files = ["cluster.yaml", "driver-installer.yaml", "nvidia-dra-driver-gpu.values.yaml"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == files
    assert capsys.readouterr().out.startswith(f"{tmp_path}/out/cluster.yaml: ")
    assert run(["render", str(file), "-o", str(tmp_path / "out"), "--skip-driver-installer"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [files[0], files[2]]
    assert "driver-installer.yaml: left out, because of --skip-driver-installer" in capsys.readouterr().out


def test_a_render_of_what_served_before_leaves_only_the_nodes(tmp_path: Path) -> None:
    file = written(tmp_path, cluster=CLUSTER, serving={"accelerator": "nvidia", "fabric": "coreweave"})
    assert run(["render", str(file), "-o", str(tmp_path / "out"), "--skip-crds"]) == 0
    assert (tmp_path / "out" / "model-server.yaml").exists()
    written(tmp_path, cluster=CLUSTER)
    assert run(["render", str(file), "-o", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["node-pools.yaml"]


def test_the_default_spec_says_nothing() -> None:
    assert StackSpec().cluster.provider == "existing"


# --- a stack that refers to it -------------------------------------------------------------------------------------------


def referring(directory: Path, name: str = "platform", **serving: Any) -> Path:
    path = directory / "Pulumi.chat.yaml"
    config = {
        "llmd-pd:cluster": {"provider": "stack", "stack": name},
        "llmd-pd:serving": {"accelerator": "nvidia", "fabric": "coreweave", **serving},
    }
    path.write_text(yaml.safe_dump({"config": config}))
    return path


def test_on_gke_it_is_warned_of_what_its_nodes_need(tmp_path: Path) -> None:
    file = written(tmp_path, **gke(capacity={"spot": True}, network={"base": "10.0.0.0/20"}))
    _, problems, warnings, _ = examine(file)
    assert problems == ()
    assert {(found.rule, found.file) for found in warnings} == {("CAP-08", str(file)), ("NET-09", str(file))}
    lines = file.read_text().splitlines()
    assert [lines[found.line - 1].split()[0] for found in warnings] == ["capacity:", "base:"]


def test_on_gke_it_is_known_what_the_nodes_are(tmp_path: Path) -> None:
    written(tmp_path, **gke(rdma="dranet", acceleratorPool={"labels": {"team": "a"}, "taints": [TAINT]}))
    serving = {"fabric": "gke-rdma", "nodeSelector": {"team": "a"}, "tolerations": [{"key": "a", "operator": "Exists"}]}
    chat = referring(tmp_path, **serving)
    text, problems, *_ = examine(chat)
    assert problems == ()
    assert text.startswith("nvidia/vllm on gke-rdma, 8×1 + 2×4 of gke-a3-ultragpu-8g-dra (4 nodes)")
    cluster = resolve_platform(load(chat)).spec.cluster
    assert isinstance(cluster.section, Gke)
    assert cluster.section.rdma == "dranet"
    assert cluster.kubeconfig is None, "which only the engine can know"
    (problem,) = examine(referring(tmp_path, **{**serving, "tolerations": []})).problems
    assert problem.path == "llmd-pd:serving.tolerations"
    (problem,) = examine(referring(tmp_path, **{**serving, "fabric": "gke"})).problems
    assert (problem.rule, problem.path) == ("MACHINE-02", "llmd-pd:serving.fabric")


def test_pods_on_a_multi_networking_platform_are_attached_to_its_nics(tmp_path: Path) -> None:
    cluster = {**ON_GKE, "machine": "gke-a3-ultragpu-8g-rdma"}
    chat = referring(tmp_path, fabric="gke")
    for mode, attached in (("multinet", True), ("none", False)):
        written(tmp_path, cluster={**cluster, "gke": {**GKE, "rdma": mode}})
        (pods, *_) = serving_blueprint(resolve_platform(load(chat)).spec, tmp_path).model_server
        template = next(obj for obj in [pods, *_] if obj["kind"] == "Deployment")["spec"]["template"]
        assert ("networking.gke.io/interfaces" in template["metadata"].get("annotations", {})) is attached


def test_a_render_is_of_the_pods_on_those_nodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, cluster={**ON_GKE, "machine": "gke-a3-ultragpu-8g-rdma", "gke": {**GKE, "rdma": "multinet"}})
    chat, out = referring(tmp_path, fabric="gke"), tmp_path / "out"
    assert run(["render", str(chat), "-o", str(out), "--skip-crds"]) == 0
    found = [obj for obj in yaml.safe_load_all((out / "model-server.yaml").read_text()) if obj["kind"] == "Deployment"]
    expected = [
        obj
        for obj in serving_blueprint(resolve_platform(load(chat)).spec, tmp_path).model_server
        if obj["kind"] == "Deployment"
    ]
    assert [obj["spec"] for obj in found] == [obj["spec"] for obj in expected]
    assert "networking.gke.io/interfaces" in found[0]["spec"]["template"]["metadata"]["annotations"]
    assert not (out / "cluster.yaml").exists(), "which is the other stack's"
    capsys.readouterr()

    alone = referring(tmp_path, "infra/llmd-pd/elsewhere", fabric="gke")
    assert run(["render", str(alone), "-o", str(out), "--skip-crds"]) == 0
    assert "networking.gke.io/interfaces" not in (out / "model-server.yaml").read_text()
    assert capsys.readouterr().err.startswith(
        f"Note: the nodes belong to stack infra/llmd-pd/elsewhere, whose file {tmp_path}/Pulumi.elsewhere.yaml is not here: "
    )

    assert run(["render", str(referring(tmp_path, fabric="gke-rdma")), "-o", str(out), "--skip-crds"]) == 1
    assert "llmd-pd:serving" in capsys.readouterr().err


def test_a_platform_without_gateways_is_no_place_for_one(tmp_path: Path) -> None:
    written(tmp_path, **gke(gateways=False))
    chat = referring(tmp_path, fabric="gke-rdma")
    content = yaml.safe_load(chat.read_text())
    content["config"]["llmd-pd:router"] = {"mode": "gateway", "gateway": {"provider": "gke"}}
    chat.write_text(yaml.safe_dump(content))
    (problem,) = examine(chat).problems
    assert problem.path == "llmd-pd:router.gateway.provider"
    assert "the cluster of stack platform has none" in str(problem)
    written(tmp_path, **gke())
    assert examine(chat).problems == ()


def test_check_looks_at_the_file_beside_it(tmp_path: Path) -> None:
    chat = referring(tmp_path)
    text, problems, *_ = examine(chat)
    assert problems == ()
    assert text.endswith("the nodes belong to stack platform, whose file is not here: not checked against")
    written(tmp_path, cluster=CLUSTER)
    text, problems, *_ = examine(referring(tmp_path, "acme/llmd-pd/platform"))
    assert (text, problems) == (
        "nvidia/vllm on coreweave, 8×1 + 2×4 of coreweave-h200 (4 nodes), guide-2026-05, on nodes of stack "
        "acme/llmd-pd/platform", (),
    )  # fmt: skip
    (problem,) = examine(referring(tmp_path, prefill={"replicas": 30})).problems
    assert problem.path == "llmd-pd:cluster.stack"
    assert "4 nodes of coreweave-h200 cannot hold all pods" in str(problem)
    nodes = f"the nodes are those of stack platform ({tmp_path}/Pulumi.platform.yaml"
    assert problem.fix == f"let stack platform make more, or ask for fewer replicas; {nodes}:5)"
    assert (problem.file, problem.line) == (str(chat), 4)
    (problem,) = examine(referring(tmp_path, fabric="gke"))[1]
    assert (problem.rule, problem.path) == ("MACHINE-02", "llmd-pd:serving.fabric")
    assert problem.fix == f"write `fabric: coreweave` or `fabric: base`; {nodes}:4)"
    assert (problem.file, problem.line) == (str(chat), 7)


#: Keys of the serving stack's cluster and of its `serving`, the platform stack's cluster, and for each problem: its rule, its
#: path, the line of this file that holds a text, and the line of the platform stack's file that the message names.
ACROSS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[tuple[str, str, str, str]]]] = [
    ({"machine": "gke-tpu7x"}, {"accelerator": "tpu", "fabric": "base"}, CLUSTER,
     [("CLUSTER", "cluster.machine", "machine:", "machine:")]),
    ({"nodes": 9}, {}, CLUSTER, [("CLUSTER", "cluster.nodes", "nodes:", "nodes:")]),
    ({}, {"prefill": {"replicas": 30}}, CLUSTER, [("FIT-01", "cluster.stack", "stack: platform", "nodes:")]),
    ({}, {"prefill": {"replicas": 60}},
     {**CLUSTER, "coreweave": {"acceleratorPool": {"autoscaling": {"min": 1, "max": 5}}}},
     [("FIT-01", "cluster.stack", "stack: platform", "max:")]),
    ({}, {}, {**CLUSTER, "coreweave": {"acceleratorPool": {"taints": [TAINT]}}},
     [("FIT-01", "serving.tolerations", "llmd-pd:serving:", "taints:")]),
    ({}, {"nodeSelector": {"team": "a"}}, {**CLUSTER, "coreweave": {"acceleratorPool": {"labels": {"team": "b"}}}},
     [("FIT-01", "serving.nodeSelector.team", "team:", "labels:")]),
    ({}, {"fabric": "gke"}, CLUSTER, [("MACHINE-02", "serving.fabric", "fabric:", "machine:")]),
]  # fmt: skip


@pytest.mark.parametrize(("own", "serving", "platform", "expected"), ACROSS, ids=[str(case[3]) for case in ACROSS])
def test_a_problem_between_two_files_names_the_lines_of_both(
    own: dict[str, Any],
    serving: dict[str, Any],
    platform: dict[str, Any],
    expected: list[tuple[str, str, str, str]],
    tmp_path: Path,
) -> None:
    def line(path: Path, text: str) -> int:
        return next(number for number, row in enumerate(path.read_text().splitlines(), start=1) if text in row)

    other, chat = written(tmp_path, cluster=platform), referring(tmp_path, **serving)
    content = yaml.safe_load(chat.read_text())
    content["config"]["llmd-pd:cluster"] |= own
    chat.write_text(yaml.safe_dump(content))
    found = examine(chat).problems
    assert [(row.rule, row.path, row.file, row.line) for row in found] == [
        (rule, f"llmd-pd:{path}", str(chat), line(chat, text)) for rule, path, text, _ in expected
    ]
    for row, (*_, text) in zip(found, expected, strict=True):
        assert f"({other}:{line(other, text)})" in str(row)


def test_a_machine_of_a_platform_stack_is_not_this_files_to_write(tmp_path: Path) -> None:
    written(tmp_path, **gke())
    (problem,) = examine(referring(tmp_path, fabric="gke")).problems
    assert problem.fix.startswith(
        "write `fabric: gke-rdma`, or refer to a stack that makes gke-a3-ultragpu-8g-rdma or gke-a4"
    )


def test_what_is_suppressed_of_both_files_together_is_printed(tmp_path: Path) -> None:
    """The machine is known from the other file. With it, whether pods fit is judged on that machine."""
    written(tmp_path, cluster=CLUSTER)
    chat = referring(tmp_path, fabric="gke")

    def suppress(*rules: str) -> Any:
        content = yaml.safe_load(chat.read_text())
        content["config"]["llmd-pd:suppress"] = [{"rule": rule, "reason": "tried"} for rule in rules]
        chat.write_text(yaml.safe_dump(content))
        return examine(chat)

    _, problems, warnings, suppressed = suppress("MACHINE-02")
    assert (problems, warnings) == ((), ())
    (row,) = suppressed
    assert (row.problem.rule, row.problem.path, row.problem.file) == ("MACHINE-02", "llmd-pd:serving.fabric", str(chat))
    assert row.problem.line > 0
    (warning,) = suppress("FIT-01", "MACHINE-02").warnings
    assert (warning.rule, warning.path) == ("SUPPRESS-02", "llmd-pd:suppress[0].rule")
    assert warning.line > 0
    written(tmp_path, cluster={**ON_GKE, "machine": "gke-tpu7x", "gke": {**GKE, "version": "1.35.2-gke.1234000"}})
    assert {problem.rule for problem in suppress("MACHINE-02").problems} == {"FIT-01"}
    assert suppress("MACHINE-02", "FIT-01").problems == ()
    (tmp_path / "Pulumi.platform.yaml").unlink()
    assert suppress("FIT-01", "MACHINE-02").warnings == (), "what they find is not known without the other file"


def test_a_platform_stack_prints_what_it_suppresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = {"acceleratorPool": {"labels": {"kubernetes.io/a": "b"}}}
    suppress = [{"rule": "CW-08", "reason": "an agent of ours reads it"}, {"rule": "FIT-01", "reason": "none"}]
    file = written(tmp_path, cluster={**CLUSTER, "coreweave": pool}, suppress=suppress)
    assert run(["check", str(file)]) == 0
    good, warning, suppressed, _ = capsys.readouterr().out.splitlines()
    assert good.endswith("nodes only, 1 × cd-gp-i64-erapids and 4 × gd-8xh200ib-i128")
    assert "llmd-pd:suppress[1].rule: rule FIT-01 finds nothing in this stack" in warning
    assert suppressed.startswith(f"Suppressed: {file}:")
    assert (
        "because its scheduler and this stack's affinity go by what it says; reason given: an agent of ours"
        in suppressed
    )


@pytest.mark.parametrize(
    ("config", "name", "words"),
    [
        (
            {"cluster": CLUSTER, "serving": {"accelerator": "nvidia", "fabric": "coreweave"}},
            "platform",
            "has `serving` of its own",
        ),
        ({"cluster": CLUSTER}, "infra/networks/platform", "is of another project"),
        ({"cluster": without("nodes")}, "platform", "the number of nodes is missing"),
    ],
)
def test_what_cannot_be_stood_on(config: dict[str, Any], name: str, words: str, tmp_path: Path) -> None:
    written(tmp_path, **config)
    (problem,) = examine(referring(tmp_path, name)).problems
    assert words in str(problem)
    assert problem.line > 0
