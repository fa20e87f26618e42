"""Failures during `pulumi up`: the error names the resource and the cause, and the next `up` converges.

A control plane of its own, because its API server is killed. Stacks are not destroyed: it all goes with the control plane.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.machines import SYSTEM
from rehearsal.control_plane import kwokctl, ports, processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.fleet import fleet
from rehearsal.parts import parts as official_parts
from rehearsal.parts.parts import Part, Substitution
from rehearsal.parts.toolchain import Toolchain
from stacks.kube.helm import selector
from tests.engine import waiting
from tests.engine.harness import Run, Stack, control_plane, has_newest

#: All on one node. Nodes come back one after the other here, and on two that are exactly full, prefill pods which took five
#: devices of the first would leave no four together for the second decode pod, for ever.
ONE_NODE = {"accelerator": "nvidia", "prefill": {"replicas": 4, "devices": 1}, "decode": {"replicas": 1, "devices": 4}}
PODS = 4 + 1 + 1  # and the router


class ApiServer:
    """The kube-apiserver of a control plane: killed, and started again just as it was.

    Its clients sleep meanwhile: awake, some of them would wait minutes before they try it again.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._pid = int(kwokctl.pid_file(plane.workdir, "kube-apiserver").read_text())
        self._command = Path(f"/proc/{self._pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        self._directory = os.readlink(f"/proc/{self._pid}/cwd")
        self._again: list[subprocess.Popen[bytes]] = []

    def kill(self) -> None:
        self._clients(signal.SIGSTOP)
        os.kill(self._pid, signal.SIGKILL)
        while self._plane._answers("/livez"):
            time.sleep(0.05)

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self._again.append(
            subprocess.Popen(self._command, cwd=self._directory, stdout=quiet, stderr=quiet, start_new_session=True)
        )
        self._pid = self._again[-1].pid
        waiting.until(self._plane._ready)
        self._clients(signal.SIGCONT)

    def _clients(self, number: signal.Signals) -> None:
        for component in ("kube-controller-manager", "kube-scheduler", "kwok-controller"):
            os.kill(int(kwokctl.pid_file(self._plane.workdir, component).read_text()), number)

    def reap(self) -> None:
        for process in self._again:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def plane(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane("failures", tmp_path_factory.mktemp("failures"), toolchain) as started:
        yield started


@pytest.fixture(scope="module")
def api_server(plane: ControlPlane) -> Iterator[ApiServer]:
    server = ApiServer(plane)
    yield server
    server.reap()


@pytest.fixture
def stack(
    plane: ControlPlane, api_server: ApiServer, toolchain: Toolchain, tmp_path: Path
) -> Iterator[Callable[..., Stack]]:
    """Makes stacks; at the end there is an API server, whatever the test did to it, and nothing works on a stack any more."""
    made: list[Stack] = []

    def make(name: str, machines: dict[str, int] | None = None, **config: Any) -> Stack:
        names = {"serving": ONE_NODE, "name": name, "namespace": f"ns-{name}"}
        created = Stack(name, tmp_path / name, plane, toolchain, names | config)
        made.append(created)
        fleet.fit_to(created.api, fleet.machines_of(created.serving_blueprint) if machines is None else machines)
        return created

    yield make
    if not plane._answers("/livez"):
        api_server.start()
    for one in made:
        processes.end(one.workdir)  # official plugins outlive a CLI that was killed
        for item in one.api.items(f"/apis/apps/v1/namespaces/ns-{one.name}/deployments"):
            one.api.delete(f"/apis/apps/v1/namespaces/ns-{one.name}/deployments/{item['metadata']['name']}")


def until(condition: Callable[[], Any]) -> None:
    waiting.until(condition, pause=0.2)


def refused(stack: Stack) -> set[str]:
    """Deployments whose pods the scheduler has refused."""
    return {
        pod["metadata"]["generateName"].rsplit("-", 2)[0]
        for pod in stack.api.items(f"/api/v1/namespaces/ns-{stack.name}/pods")
        for row in pod.get("status", {}).get("conditions") or []
        if row["type"] == "PodScheduled" and row["status"] == "False"
    }


def router_is_done(stack: Stack) -> bool:
    """Whether the state has the Service, which is read last. No answer where the running CLI is just writing it."""
    exported = stack.run("stack", "export")
    return exported.code == 0 and '"type": "kubernetes:core/v1:Service"' in exported.text


def kubectl(stack: Stack, *arguments: str) -> None:
    subprocess.run([stack.toolchain["kubectl"].path, "--kubeconfig", stack.plane.kubeconfig, *arguments], check=True)


def interrupt(running: "subprocess.Popen[str]") -> Run:
    """Ctrl-C: the terminal sends SIGINT to the whole process group."""
    os.killpg(running.pid, signal.SIGINT)
    text, _ = running.communicate(timeout=waiting.PATIENCE)
    return Run(running.returncode, text)


def releases(stack: Stack) -> list[str]:
    """The status of each revision of the stack's Helm release."""
    found = stack.api.items(f"/api/v1/namespaces/ns-{stack.name}/secrets?{selector(stack.name)}")
    return [secret["metadata"]["labels"]["status"] for secret in found]


def converges(stack: Stack, said: str = "") -> None:
    done = stack.up()
    assert done.code == 0
    assert said in done.text
    assert "pending operations" not in done.text
    assert stack.preview("--expect-no-changes").code == 0
    pods = stack.api.items(f"/api/v1/namespaces/ns-{stack.name}/pods")
    assert len([pod for pod in pods if pod["status"]["phase"] == "Running"]) == PODS


def test_api_server_gone_during_up_and_still_gone_before_the_next(
    stack: Callable[..., Stack], api_server: ApiServer
) -> None:
    gone = stack("gone", {SYSTEM.key: 1})
    running = gone.start("up", "--yes", "--skip-preview")
    until(lambda: len(refused(gone)) == 2)
    api_server.kill()
    time.sleep(1)
    stopped = interrupt(running)
    assert stopped.code != 0
    for role in ("prefill", "decode"):
        assert f"kubernetes:apps/v1:Deployment (gone-{role})" in stopped.text
        # And then that the wait was cancelled, or by chance that the provider could not begin it.
        assert (
            f'{role}" was successfully created, but the Kubernetes API server reported that it failed' in stopped.text
        )
    assert "connection refused" in stopped.text  # what the wait was about when it was ended
    assert "Traceback" not in stopped.text

    before = gone.state()
    failed = gone.up()
    assert failed.code != 0
    assert "the cluster's API server cannot be reached, because" in failed.text
    assert "onnection refused" in failed.text
    assert "llmd-pd:cluster" in failed.text
    assert "check the context, the network and your credentials" in failed.text
    assert "Traceback" not in failed.text
    assert {row["urn"] for row in gone.state()} == {row["urn"] for row in before}

    api_server.start()
    gone.nodes()
    converges(gone)


def test_api_server_gone_while_helm_waits(stack: Callable[..., Stack], api_server: ApiServer) -> None:
    """Helm cannot write that it failed, and would refuse its own release from then on."""
    cut = stack("cut", {})
    running = cut.start("up", "--yes", "--skip-preview")
    until(lambda: len(refused(cut)) == 3)
    api_server.kill()
    assert interrupt(running).code != 0
    api_server.start()
    assert releases(cut) == ["pending-install"]
    assert cut.preview().code == 0
    assert releases(cut) == ["pending-install"]
    cut.nodes()
    converges(cut, "Helm was interrupted at work on release cut in namespace ns-cut (pending-install)")
    assert releases(cut)[-1] == "deployed"


def test_chart_unreachable(stack: Callable[..., Stack], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official_parts, "router_chart", lambda *_: Substitution(Part("router chart", True), {}))
    (port,) = ports.free(1)
    source = f"oci://127.0.0.1:{port}/charts/standalone"
    chart = stack("chart", router={"chart": {"source": source}})
    for failed in (chart.preview(), chart.up()):
        assert failed.code != 0
        assert "kubernetes:helm.sh/v3:Release (chart-router)" in failed.text
        assert source in failed.text
        assert "connection refused" in failed.text
        assert "Traceback" not in failed.text
    monkeypatch.undo()
    chart.config.pop("router")
    converges(chart)


def test_a_pod_that_never_gets_ready(stack: Callable[..., Stack]) -> None:
    cordoned = stack("cordoned")
    nodes = [node for node in cordoned.nodes() if SYSTEM.key not in node]
    kubectl(cordoned, "cordon", *nodes)
    running = cordoned.start("up", "--yes", "--skip-preview")
    until(lambda: len(refused(cordoned)) == 2)
    time.sleep(2)
    stopped = interrupt(running)
    assert stopped.code != 0
    assert "kubernetes:apps/v1:Deployment (cordoned-prefill)" in stopped.text
    assert "(0/4 Pods available)" in stopped.text
    assert "Minimum number of live Pods was not attained" in stopped.text  # and never the scheduler's reason
    kubectl(cordoned, "uncordon", *nodes)
    converges(cordoned)


def test_ctrl_c_while_everything_waits(stack: Callable[..., Stack]) -> None:
    waits = stack("waits", {})
    running = waits.start("up", "--yes", "--skip-preview")
    until(lambda: len(refused(waits)) == 3)
    stopped = interrupt(running)
    assert stopped.code != 0
    assert "kubernetes:apps/v1:Deployment (waits-decode)" in stopped.text
    assert "kubernetes:helm.sh/v3:Release (waits-router)" in stopped.text
    assert "Traceback" not in stopped.text
    waits.nodes()
    converges(waits)


def test_sigkill_needs_what_pulumi_documents_and_no_more(stack: Callable[..., Stack]) -> None:
    killed = stack("killed", {SYSTEM.key: 1})
    running = killed.start("up", "--yes", "--skip-preview")
    until(lambda: len(refused(killed)) == 2)
    until(lambda: router_is_done(killed))
    running.kill()
    running.communicate()
    killed.nodes()
    locked = killed.up()
    assert locked.code != 0
    assert "the stack is currently locked by 1 lock(s)" in locked.text
    assert "`pulumi cancel`" in locked.text
    assert killed.run("cancel", "--yes").code == 0
    # The Deployments exist, but the killed CLI could not write that down, and Pulumi has no way to be told.
    orphaned = killed.up()
    assert orphaned.code != 0
    assert "interrupted while creating" in orphaned.text
    # Either one: the engine starts nothing more once the first has failed. Before 4.29 the provider finds a conflict of fields.
    exists = r'deployments\.apps "killed-nvidia-gpu-vllm-(prefill|decode)" already exists'
    conflict = r"Deployment::killed-(prefill|decode).* field conflict detected"
    assert re.search(exists if has_newest(killed.toolchain) else conflict, orphaned.text)
    selected = ["--namespace", "ns-killed", "--selector", "llm-d.ai/guide=killed"]
    kubectl(killed, "delete", "deployments", *selected)
    assert killed.run("refresh", "--yes", "--skip-preview", "--clear-pending-creates").code == 0
    converges(killed)
