"""`llmd-pd rehearse` and `down` as a user runs them: processes of their own, in a registry of their own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rehearsal.control_plane import kwokctl, processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.parts.toolchain import PROVIDER, VERSIONS, Toolchain
from rehearsal.verdict.verdict import verdict_of
from stacks.kube.api import Api
from tests.engine.harness import has_newest
from tests.engine.waiting import PATIENCE, read_until, until

CHECKOUT = Path(__file__).parents[2]
GUIDE = CHECKOUT / "Pulumi.rehearsal.yaml"
COREWEAVE = CHECKOUT / "Pulumi.coreweave-h200.yaml"
PODS = "/api/v1/namespaces/llm-d-pd-disaggregation/pods"
#: The command line, with rehearsals somewhere else than in the checkout.
PROGRAM = """
    import signal, sys
    from pathlib import Path
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs the tests in the background ignores it
    from rehearsal import session
    from rehearsal.control_plane import registry
    from commands.cli import run
    there, Registry = Path(sys.argv[1]), registry.Registry
    registry.Registry = session.Registry = lambda: Registry(there)
    sys.exit(run(sys.argv[2:]))
"""

Started = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "rehearsals"
    processes.end(tmp_path / "rehearsals")


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Started]:
    """Starts `llmd-pd ARGUMENTS` in a process group of its own; both streams go to one pipe."""
    made: list[subprocess.Popen[str]] = []

    def started(*arguments: object, env: Mapping[str, str] = os.environ) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(root), *map(str, arguments)]
        made.append(
            subprocess.Popen(
                command, cwd=CHECKOUT, env=dict(env) | {"TMPDIR": str(tmp_path)}, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
        )  # fmt: skip
        return made[-1]

    yield started
    for process in made:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    text, _ = process.communicate(timeout=PATIENCE)
    print(text)
    return process.returncode, text


def sigkill(process: "subprocess.Popen[str]") -> None:
    """A process that it started keeps running and writes to the same pipe, which is not read to its end."""
    process.kill()
    process.wait()


def nothing_is_left(root: Path) -> None:
    assert processes.belonging_to(root) == []
    assert list(root.iterdir()) == []


def on_nodes(nodes: int, directory: Path, file: Path = GUIDE) -> Path:
    """A shipped file with another number of nodes: three have room for the guide whatever the order of its pods, one has not."""
    content = yaml.safe_load(file.read_text())
    content["config"]["llmd-pd:cluster"]["nodes"] = nodes
    path = directory / file.name
    path.write_text(yaml.safe_dump(content))
    return path


def test_two_at_once_of_the_same_file_pass_and_leave_nothing(
    start: Started, root: Path, toolchain: Toolchain, tmp_path: Path
) -> None:
    """One of them on January's provider under the name of any other: what it says itself is what the report says."""
    own, file = tmp_path / "plugins", on_nodes(3, tmp_path)
    own.mkdir()
    shutil.copy(toolchain[PROVIDER].path, own / PROVIDER)
    both = [start("rehearse", file), start("rehearse", file, env={**os.environ, "LLMD_PD_PLUGINS": str(own)})]
    until(lambda: len(list(root.glob("*/rehearsal.json"))) == 2)
    until(lambda: all(json.loads(path.read_text())["ports"] for path in root.glob("*/rehearsal.json")))
    records = [json.loads(path.read_text()) for path in root.glob("*/rehearsal.json")]
    assert len({record["name"] for record in records}) == 2
    assert len({port for record in records for port in record["ports"].values()}) == 2 * len(records[0]["ports"])
    texts = []
    for process in both:
        code, text = finished(process)
        assert code == 0
        texts.append(text)
        assert "PASSED    11 of 11 pods are placed and Ready on 3 × nvidia-generic and 1 × system" in text
        # Whole names, where each of them runs, and no line is wrapped in a pipe.
        report = text.partition("a look at every pod: done")[2]
        nodes = re.findall(r"^(sim-nvidia-generic-\d) \(\d+ pods?\)$", report, re.MULTILINE)
        assert nodes
        assert nodes == sorted(set(nodes) & {f"sim-nvidia-generic-{index}" for index in range(3)})
        pods = re.findall(
            r"^  pd-disaggregation-nvidia-gpu-vllm-(prefill|decode)-\w+-\w{5} +Ready$", report, re.MULTILINE
        )
        assert sorted(pods) == ["decode"] * 2 + ["prefill"] * 8
        assert "…" not in report
        assert re.search(
            r"^endpoint  http://pd-disaggregation-epp\.llm-d-pd-disaggregation\.svc:80 ", report, re.MULTILINE
        )
        assert re.search(r"^took .* pulumi up \d+\.\d s", report, re.MULTILINE)
        assert re.search(r"^official +.*etcd \d", report, re.MULTILINE)
        assert re.search(r"^official +router chart \((oci://|Go module )\S+ v\d", report, re.MULTILINE)
        assert re.search(r"^official +CRDs \(4 files, checked by checksum", report, re.MULTILINE)
        assert "A rehearsal cannot see image pulls" in report
        assert f"llmd-pd rehearse {file} --keep" in report
        assert max(map(len, text.partition("pulumi up …")[0].splitlines())) < 200  # a fallback is one short line
    (version, said) = re.findall(r"^official +plugin resource-kubernetes (\S+) \((.*)\)$", texts[1], re.MULTILINE)[0]
    assert said.startswith(f"{own}/{PROVIDER}, named by LLMD_PD_PLUGINS")
    assert "named by LLMD_PD_PLUGINS" not in texts[0]
    if not has_newest(toolchain):
        assert version == f"{VERSIONS['pulumi-kubernetes']}+module.20260115033456"
    nothing_is_left(root)


@pytest.mark.parametrize("holds", [[], ["pulumi-resource-gcp"]])
def test_a_directory_without_plugins_is_one_sentence(
    start: Started, root: Path, tmp_path: Path, holds: list[str]
) -> None:
    for name in holds:
        (tmp_path / name).touch(mode=0o755)
    code, text = finished(start("rehearse", GUIDE, env={**os.environ, "LLMD_PD_PLUGINS": str(tmp_path)}))
    assert code == 1
    assert f"LLMD_PD_PLUGINS={tmp_path} names no official plugin" in text
    assert "Traceback" not in text
    assert not root.exists() or list(root.iterdir()) == []


def test_what_if_fails_with_the_schedulers_reason(start: Started, root: Path) -> None:
    other_machine = start("rehearse", COREWEAVE, "--machine", "nvidia-generic")
    one_node = start("rehearse", COREWEAVE, "--nodes", "1")
    for process, resource, fleet, ready in (
        (other_machine, "rdma/ib", "1 × nvidia-generic", {1}),
        (one_node, "nvidia.com/gpu", "1 × coreweave-h200", range(3, 10)),
    ):
        code, text = finished(process)
        assert code == 1
        verdict = re.search(
            r"^FAILED +(\d+) of 11 pods are placed and Ready on (.*) and 1 × system\.$", text, re.MULTILINE
        )
        assert verdict
        assert int(verdict[1]) in ready
        assert verdict[2] == fleet
        assert f"on all 2 nodes, the node has too little {resource} left (or none at all)" in text
        assert re.search(rf"scheduler: 0/2 nodes are available: .*2 Insufficient {resource}", text)
        assert "The wait of `pulumi up` was ended: the scheduler has refused" in text
    nothing_is_left(root)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("config:\n  llmd-pd:serving: {accelerator: nvidia, fabrik: base}\n", (), "did you mean `fabric`?"),
        ("config:\n  llmd-pd:serving: {accelerator: nvidia}\n", ("--machine", "abacus"), "machine `abacus` is not in"),
        ("config:\n  llmd-pd:serving: {accelerator: nvidia, decode: {devices: 16}}\n", (), "a pod asks for 16"),
        ("", (), "the file is empty"),
    ],
)
def test_a_bad_stack_file_is_refused_before_anything_is_started(
    start: Started, root: Path, tmp_path: Path, content: str, options: tuple[str, ...], words: str
) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text(content)
    code, text = finished(start("rehearse", tmp_path / "Pulumi.bad.yaml", *options))
    assert code == 1
    assert words in text
    assert "Traceback" not in text
    assert not root.exists()


@pytest.mark.parametrize(
    ("moment", "signal_number", "whole_group"),
    [
        ("control plane of rehearsal", signal.SIGTERM, False),  # CI ends a job
        ("pd-disaggregation-prefill creating", signal.SIGINT, True),  # Ctrl-C on a terminal
    ],
)
def test_interrupted_it_removes_its_fleet_without_a_traceback(
    start: Started, root: Path, tmp_path: Path, moment: str, signal_number: signal.Signals, whole_group: bool
) -> None:
    process = start("rehearse", on_nodes(1, tmp_path))
    read_until(process, moment)
    if whole_group:
        os.killpg(process.pid, signal_number)
    else:
        process.send_signal(signal_number)
    code, text = finished(process)
    assert code == 130
    assert "interrupted: the rehearsal is removed, nothing of it runs any more" in text
    assert "Traceback" not in text
    nothing_is_left(root)


def test_kept_looked_at_by_hand_taken_up_and_removed(start: Started, root: Path, tmp_path: Path) -> None:
    file = on_nodes(3, tmp_path)
    killed = start("rehearse", file)
    read_until(killed, "pd-disaggregation-prefill creating")
    sigkill(killed)
    (lock,) = root.glob("*.lock")
    assert any("pulumi" in process.command for process in processes.belonging_to(root))

    code, text = finished(start("rehearse", file, "--keep"))
    assert code == 0
    assert f"removed the rest of rehearsal {lock.stem}" in text
    assert processes.belonging_to(root / lock.stem) == []
    env = root / "rehearsal" / "env"
    next_steps = text.partition("Next:\n")[2].splitlines()
    assert [line.split()[0] for line in next_steps[:3]] == [".", "kubectl", "pulumi"]
    assert "  llmd-pd down rehearsal" in next_steps
    assert str(env) in next_steps[0]

    # In a shell of an agent, which the CLI would want to sign up, and of a user with a stack of their own.
    agents = {**os.environ, "CLAUDECODE": "1", "AI_AGENT": "x", "PULUMI_STACK": "prod"}
    for shell, options in (("bash", "-eu"), ("sh", "-eu")):
        steps = f'. {env}; [ -z "${{CLAUDECODE:-}}${{AI_AGENT:-}}" ]; {next_steps[1]} -o name; command -v helm pulumi'
        if shell == "bash":
            steps += f"; {next_steps[2]} --non-interactive --expect-no-changes"
        done = subprocess.run(
            [shell, options, "-c", steps], env=agents, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("pod/pd-disaggregation-nvidia-gpu-vllm") == 10
        assert f"{root}/rehearsal/bin/helm" in done.stdout
    ended = subprocess.run(["sh", "-euc", f"PATH=; . {env}; echo $PATH"], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == f"{root}/rehearsal/bin"

    again = start("rehearse", file, "--keep")
    read_until(again, "it is running already and is continued")
    refused, why = finished(start("down"))
    assert refused == 1
    assert "a rehearsal named rehearsal is running (pid" in why
    code, text = finished(again)
    assert code == 0
    assert re.search(r"^ +\d+ unchanged$", text, re.MULTILINE)

    assert finished(start("down"))[1].splitlines() == ["removed rehearsal rehearsal"]
    nothing_is_left(root)
    assert finished(start("down")) == (0, "there is no rehearsal to remove\n")
    assert finished(start("down", "rehearsal")) == (1, "there is no rehearsal rehearsal\n")


def test_a_kept_one_that_was_killed_or_hangs_starts_over(start: Started, root: Path, tmp_path: Path) -> None:
    killed = start("rehearse", on_nodes(1, tmp_path), "--keep")
    read_until(killed, "pd-disaggregation-prefill creating")
    sigkill(killed)
    # Its `pulumi` goes on for itself and holds the lock of the state.
    hanging = start("rehearse", on_nodes(1, tmp_path), "--keep")
    read_until(hanging, "a run of `pulumi` in it was killed: starting over")
    read_until(hanging, "pd-disaggregation-prefill creating")
    os.kill(int(kwokctl.pid_file(root / "rehearsal", "kube-apiserver").read_text()), signal.SIGSTOP)
    code, text = finished(hanging)
    assert code == 1
    assert "the fleet's API server (kube-apiserver) does not answer any more" in text
    assert "rehearse again" in text
    assert "Traceback" not in text

    code, text = finished(start("rehearse", on_nodes(3, tmp_path), "--keep"))
    assert code == 0
    assert "starting over" in text
    assert "PASSED    11 of 11 pods" in text


def test_what_pods_refer_to_is_looked_for(plane: ControlPlane) -> None:
    api = Api(str(plane.kubeconfig), plane.context)
    namespace = {"metadata": {"name": "references"}}
    api.create("/api/v1/namespaces", namespace)

    def deployment(name: str, **spec: Any) -> None:
        container = {"name": "main", "image": "example.invalid/none:1", "env": spec.pop("env", [])}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}
        body = {"selector": {"matchLabels": {"app": name}}, "template": template}
        obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}
        assert api.create("/apis/apps/v1/namespaces/references/deployments", obj)

    token = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "HF_TOKEN"}}}
    spare = {"name": "S", "valueFrom": {"secretKeyRef": {"name": "spare", "key": "k", "optional": True}}}
    deployment("starts-in-a-rehearsal", env=[token, spare], volumes=[{"name": "c", "configMap": {"name": "settings"}}])
    deployment("without-account", serviceAccountName="nobody")
    deployment("without-volume", volumes=[{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}])
    api.create("/api/v1/nodes", {"metadata": {"name": "here", "annotations": {"kwok.x-k8s.io/node": "fake"}}})
    try:
        until(
            lambda: (
                len(verdict_of(api, "references").reasons()) == 2
                and sum(p.ready for p in verdict_of(api, "references").pods) == 1
            )
        )
        verdict = verdict_of(api, "references")
        assert not verdict.passed
        assert verdict.missing == [
            "ConfigMap settings does not exist; starts-in-a-rehearsal refers to it",
            "PersistentVolumeClaim weights does not exist; without-volume refers to it",
            "Secret hf-token does not exist; starts-in-a-rehearsal refers to it",
            "ServiceAccount nobody does not exist; without-account refers to it",
        ]
        reasons = "\n".join(verdict.reasons())
        assert "1 of 1 pods of without-account never created" in reasons
        assert 'serviceaccount "nobody" not found' in reasons
        assert "volume claim weights does not exist" in reasons
    finally:
        api.delete("/api/v1/namespaces/references")
        api.delete("/api/v1/nodes/here")
