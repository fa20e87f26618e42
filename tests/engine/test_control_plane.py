"""The embedded control plane, for real: two at once, pods that run, failures, and nothing left behind."""

import dataclasses
import io
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rehearsal.control_plane import kwokctl, processes
from rehearsal.control_plane import plane as control_plane
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.control_plane.registry import Registry
from rehearsal.errors import RehearsalError
from rehearsal.parts.toolchain import Toolchain
from rehearsal.report import PlainReport
from tests.engine.waiting import PATIENCE, until

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workdirs(tmp_path: Path) -> Iterator[list[Path]]:
    """Directories for control planes; whatever a test leaves running there is ended."""
    made = [tmp_path / "one", tmp_path / "and a two"]
    for workdir in made:
        workdir.mkdir()
    yield made
    for workdir in made:
        processes.end(workdir)


@pytest.fixture
def workdir(workdirs: list[Path]) -> Path:
    return workdirs[1]


def start(workdir: Path, toolchain: Toolchain, out: io.StringIO | None = None) -> ControlPlane:
    return ControlPlane.start(workdir.name, workdir, toolchain, PlainReport(out or io.StringIO()))


def kubectl(plane: ControlPlane, *arguments: str, stdin: Mapping[str, Any] | None = None) -> str:
    environment = {**os.environ, **plane.environment()}
    said = subprocess.run(
        ["kubectl", *arguments],
        env=environment,
        input=json.dumps(stdin) if stdin else None,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def machine(name: str, gpus: int) -> dict[str, Any]:
    resources = {"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]},
        "status": {"capacity": resources, "allocatable": resources},
    }


def pod(name: str, gpus: int) -> dict[str, Any]:
    resources = {"limits": {"nvidia.com/gpu": str(gpus)}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "example.invalid/none:1", "resources": resources}]},
    }


def test_two_at_once_run_their_own_pods_and_leave_nothing(workdirs: list[Path], toolchain: Toolchain) -> None:
    with ThreadPoolExecutor() as pool:
        planes = list(pool.map(lambda workdir: start(workdir, toolchain), workdirs))
    one, two = planes
    assert not set(one.ports.values()) & set(two.ports.values())
    for number, plane in enumerate(planes):
        kubectl(plane, "apply", "-f", "-", stdin=machine(f"node-{number}", gpus=4))
        # Tolerated by the admission plugin: the pod does not say so itself.
        kubectl(plane, "apply", "-f", "-", stdin=pod(f"fits-{number}", gpus=4))
        kubectl(plane, "apply", "-f", "-", stdin=pod(f"too-big-{number}", gpus=5))
    for number, plane in enumerate(planes):
        kubectl(plane, "wait", "--for=condition=Ready", f"pod/fits-{number}", f"--timeout={PATIENCE:.0f}s")
        pods = json.loads(kubectl(plane, "get", "pods", "-o", "json"))["items"]
        assert {p["metadata"]["name"]: p["status"]["phase"] for p in pods} == {
            f"fits-{number}": "Running",
            f"too-big-{number}": "Pending",
        }
        assert kubectl(plane, "config", "get-contexts", "-o", "name") == "llmd-pd-rehearsal\n"
        assert plane.context == "llmd-pd-rehearsal"
        assert any((plane.workdir / "cache" / "kube").iterdir())
        assert plane.healthy()
    one.stop()
    assert not one.healthy()
    assert two.healthy()
    two.stop()
    two.stop()
    assert [processes.belonging_to(workdir) for workdir in workdirs] == [[], []]
    assert not any((workdir / "kwok").exists() for workdir in workdirs)


def test_it_listens_on_loopback_only_and_is_found_again(workdir: Path, toolchain: Toolchain) -> None:
    plane = start(workdir, toolchain)
    assert ControlPlane.from_workdir(workdir) == plane
    assert plane.kubeconfig.stat().st_mode & 0o077 == 0
    command_lines = " ".join(process.command for process in processes.belonging_to(workdir))
    for flag in ("--bind-address=", "--listen-client-urls=http://", "--listen-peer-urls=http://", "--server-address="):
        assert command_lines.count(flag) == command_lines.count(f"{flag}127.0.0.1") > 0

    def kill(component: str) -> None:
        os.kill(int(kwokctl.pid_file(workdir, component).read_text()), signal.SIGKILL)

    kill("kube-scheduler")
    until(lambda: not plane.healthy())
    assert control_plane.alive(workdir)
    kill("etcd")
    until(lambda: not control_plane.alive(workdir))
    again = start(workdir, toolchain)
    assert again.healthy()
    again.stop()
    assert ControlPlane.from_workdir(workdir) is None


@pytest.mark.parametrize("taken", ["etcdPort", "kubeApiserverPort", "kwokControllerPort"])
def test_a_port_that_was_taken_meanwhile_is_not_the_end(
    workdir: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    free, calls = control_plane._free_ports, 0
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def ports() -> list[int]:
            nonlocal calls
            calls += 1
            picked = free()
            if calls == 1:
                picked[kwokctl.PORT_OPTIONS.index(taken)] = listener.getsockname()[1]
            return picked

        monkeypatch.setattr(control_plane, "_free_ports", ports)
        out = io.StringIO()
        plane = start(workdir, toolchain, out)
    assert calls == 2
    assert "was taken by another process: trying other ports" in out.getvalue()
    assert plane.healthy()


def replaced(toolchain: Toolchain, name: str, workdir: Path, script: str) -> Toolchain:
    stand_in = workdir / f"replaced-{name}"
    stand_in.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {toolchain[name].path} --version\n{script}\n')
    stand_in.chmod(0o755)
    return {**toolchain, name: dataclasses.replace(toolchain[name], path=stand_in)}


@pytest.mark.parametrize("component", ["etcd", "kube-apiserver", "kube-scheduler"])
def test_a_component_that_ends_is_named_with_the_end_of_its_log(
    workdir: Path, toolchain: Toolchain, component: str
) -> None:
    broken = replaced(toolchain, component, workdir, "echo the cause of it; exit 3")
    with pytest.raises(RehearsalError, match=f"{component} ended soon after it was started") as failed:
        start(workdir, broken)
    assert failed.value.details == "the cause of it"
    assert processes.belonging_to(workdir) == []


def test_one_that_never_gets_ready_is_given_up(
    workdir: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_plane, "START_SECONDS", 1.0)
    with pytest.raises(RehearsalError, match="it was not ready within 1 s"):
        start(workdir, replaced(toolchain, "kube-apiserver", workdir, "while :; do sleep 0.2; done"))
    assert processes.belonging_to(workdir) == []


def test_a_kwokctl_that_fails_is_quoted(workdir: Path, toolchain: Toolchain) -> None:
    with pytest.raises(RehearsalError, match="kwokctl ended with exit code 4") as failed:
        start(workdir, replaced(toolchain, "kwokctl", workdir, "echo no such thing; exit 4"))
    assert failed.value.details == "no such thing"


def test_tools_behind_wrapper_scripts_are_ended_too(workdir: Path, toolchain: Toolchain) -> None:
    wrapped = replaced(toolchain, "etcd", workdir, f'exec {toolchain["etcd"].path} "$@"')
    plane = start(workdir, wrapped)
    etcd = int(kwokctl.pid_file(workdir, "etcd").read_text())
    assert plane.healthy()
    plane.stop()
    assert etcd not in [process.pid for process in processes._all()]


def test_interrupted_while_starting_leaves_no_process(
    workdir: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_plane: ControlPlane) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(ControlPlane, "_ready", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start(workdir, toolchain)
    assert processes.belonging_to(workdir) == []


def started_by_another(root: Path, seen: str) -> "subprocess.Popen[bytes]":
    """A process that starts the kept rehearsal `killed` under `root`, once the component `seen` of it runs."""
    program = f"""
        from pathlib import Path
        from rehearsal.control_plane.plane import ControlPlane
        from rehearsal.control_plane.registry import Registry
        from rehearsal.report import PlainReport
        from rehearsal.parts.toolchain import ensure
        rehearsal = Registry(Path({str(root)!r})).create("killed", kept=True)
        ControlPlane.start("killed", rehearsal.workdir, ensure(PlainReport()), PlainReport())
    """
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=CHECKOUT, stderr=subprocess.DEVNULL)

    def runs() -> bool:
        assert owner.poll() is None
        return any(f"/{seen} " in process.command for process in processes.belonging_to(root / "killed"))

    until(runs, pause=0.01)
    return owner


@pytest.mark.parametrize("started", ["kwokctl", "etcd", "kube-apiserver", "kwok-controller"])
def test_the_next_one_sweeps_up_after_one_killed_while_starting(
    tmp_path: Path, toolchain: Toolchain, started: str
) -> None:
    root = tmp_path / ".rehearsal"
    workdir = root / "killed"
    owner = started_by_another(root, started)
    assert Registry(root).sweep() == []
    owner.kill()
    owner.wait()
    left = {process.pid for process in processes.belonging_to(workdir)}
    assert left
    assert Registry(root).sweep() == ["killed"]
    assert processes.belonging_to(workdir) == []
    assert list(root.iterdir()) == []
    with Registry(root).create("killed", kept=False) as rehearsal:
        plane = start(rehearsal.workdir, toolchain)
        assert plane.healthy()
    assert not plane.healthy()
    assert list(root.iterdir()) == []


@pytest.mark.usefixtures("toolchain")
def test_what_goes_on_starting_without_its_owner_is_swept_up_too(tmp_path: Path) -> None:
    """kwokctl starts the rest all the same; a kept rehearsal whose components run is not one that ever got ready."""
    root = tmp_path / ".rehearsal"
    workdir = root / "killed"
    owner = started_by_another(root, "kwokctl")
    owner.kill()
    owner.wait()
    until(lambda: control_plane.running(workdir).issuperset(control_plane.ESSENTIAL), pause=0.05)
    assert Registry(root).sweep() == ["killed"]
    assert processes.belonging_to(workdir) == []
    assert list(root.iterdir()) == []
