"""The processes of a rehearsal: exactly those started from its directory."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.control_plane import processes

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def _start(*command: str, executable: str | None = None) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command, executable=executable))
        return started[-1]

    yield _start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    workdir = tmp_path / "with a blank" / "one"
    (workdir / "bin").mkdir(parents=True)
    (workdir / "bin" / "etcd").symlink_to(shutil.which("sleep") or "/bin/sleep")
    return workdir


def pids(workdir: Path) -> set[int]:
    return {process.pid for process in processes.belonging_to(workdir)}


def test_a_program_of_the_directory_belongs_to_it(workdir: Path, start: Start) -> None:
    process = start(str(workdir / "bin" / "etcd"), "60")
    assert pids(workdir) == {process.pid}


def test_a_script_of_the_directory_belongs_to_it(workdir: Path, start: Start) -> None:
    script = workdir / "pulumi-resource-kubernetes"
    script.write_text("import time\ntime.sleep(60)\n")
    process = start(sys.executable, str(script))
    assert pids(workdir) == {process.pid}


def test_a_component_behind_a_wrapper_is_known_by_its_flags(workdir: Path, start: Start) -> None:
    code = "import time; time.sleep(60)"
    flag = f"--data-dir={workdir}/kwok/.kwok/clusters/rehearsal/etcd"
    process = start("/opt/bin/etcd", "-c", code, flag, executable=sys.executable)
    assert pids(workdir) == {process.pid}


def test_neighbours_editors_and_same_named_programs_do_not(workdir: Path, start: Start) -> None:
    neighbour = workdir.with_name("one-2")
    shutil.copytree(workdir, neighbour, symlinks=True)
    log = workdir / "kwok.log"
    log.touch()
    start(str(neighbour / "bin" / "etcd"), "60")
    start("tail", "-f", str(log))
    start("etcd", "60", executable=shutil.which("sleep"))
    assert pids(workdir) == set()


def test_end_kills_them_and_only_them(workdir: Path, start: Start) -> None:
    ours, other = start(str(workdir / "bin" / "etcd"), "60"), start("sleep", "60")
    assert processes.end(workdir) == 1
    assert ours.wait(5) == -9
    assert other.poll() is None
    assert processes.end(workdir) == 0


def test_a_process_that_has_the_number_of_one_that_ended_is_left_alone(workdir: Path, start: Start) -> None:
    process = start(str(workdir / "bin" / "etcd"), "60")
    (listed,) = processes.belonging_to(workdir)
    listed.handle._ident = (process.pid, 0.0)  # what it would be if the process listed had begun at another time
    assert not listed.kill()
    assert process.poll() is None


def test_something_that_will_not_die_is_named(workdir: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = start(str(workdir / "bin" / "etcd"), "60")
    monkeypatch.setattr(processes.Process, "kill", lambda _: True)
    with pytest.raises(processes.RehearsalError, match=f"pids {ours.pid}"):
        processes.end(workdir, timeout=0.1)
