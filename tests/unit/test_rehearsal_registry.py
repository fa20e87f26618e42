"""Rehearsals, their locks, and cleaning up after owners that were killed at any moment."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rehearsal.control_plane.registry import Registry
from rehearsal.errors import RehearsalError

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / ".rehearsal", alive=lambda workdir: (workdir / "alive").exists())


def owner(registry: Registry, code: str) -> subprocess.Popen[str]:
    """Another process that runs `code` with a registry of the same root, says so, and waits to be killed."""
    program = f"""
        import os, time
        from pathlib import Path
        from rehearsal.control_plane.registry import Registry
        registry = Registry(Path({str(registry.root)!r}))
        registry.root.mkdir(exist_ok=True)
        os.chdir(registry.root)
        {code}
        print("ready", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_an_ephemeral_one_has_a_name_of_its_own_and_leaves_nothing(registry: Registry) -> None:
    with registry.create("gke-tpu", kept=False) as one, registry.create("gke-tpu", kept=False) as two:
        assert one.name != two.name
        assert one.name.startswith("gke-tpu-")
        assert len(one.name) == len("gke-tpu-") + 6
        one.note_ports({"kubeApiserverPort": 1234})
        record = json.loads((one.workdir / "rehearsal.json").read_text())
        assert (record["name"], record["kept"], record["ports"]) == (one.name, False, {"kubeApiserverPort": 1234})
    assert list(registry.root.iterdir()) == []


def test_a_kept_one_stays_and_is_taken_up_again(registry: Registry) -> None:
    with registry.create("rehearsal", kept=True) as first:
        (first.workdir / "state").touch()
        first.note_ports({"etcdPort": 1})
    with registry.create("rehearsal", kept=True) as second:
        assert (second.workdir, second.created, second.ports) == (first.workdir, first.created, {"etcdPort": 1})
        assert (second.workdir / "state").exists()
        second.remove()
    assert list(registry.root.iterdir()) == []
    assert registry.open("rehearsal") is None


def test_the_same_name_twice_is_refused_with_the_owners_pid(registry: Registry) -> None:
    other = owner(registry, "held = registry.create('rehearsal', kept=True)")
    try:
        with pytest.raises(RehearsalError, match=rf"a rehearsal named rehearsal is running \(pid {other.pid}\)"):
            registry.create("rehearsal", kept=True)
        with pytest.raises(RehearsalError, match=f"pid {other.pid}"):
            registry.open("rehearsal")
        assert registry.sweep() == []
    finally:
        kill(other)
    registry.create("rehearsal", kept=True).release()


def test_somebody_who_cleans_up_is_waited_for(registry: Registry) -> None:
    code = """
        import threading
        from rehearsal.control_plane.registry import CLEANING
        from rehearsal.control_plane.locks import named_lock, remove
        lock = named_lock(registry._lock_file("rehearsal"), CLEANING)
        lock.acquire()
        threading.Timer(1, lambda: remove(lock)).start()
    """
    other = owner(registry, textwrap.dedent(code).strip().replace("\n", "\n        "))
    try:
        registry.create("rehearsal", kept=True).release()
    finally:
        kill(other)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "-x", "a" * 64, "a\n"])
def test_a_name_that_cannot_be_a_directory_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(RehearsalError, match="cannot be named"):
        registry.create(name, kept=True)
    assert not registry.root.exists()


HELD = (
    "from rehearsal.control_plane.locks import named_lock; "
    "held = named_lock(registry._lock_file('x'), 'in use'); held.acquire()"
)
KILLED_AT = {
    "with a lock only": HELD,
    "with a directory but no record": f"{HELD}; Path('x').mkdir()",
    "with a torn record": "held = registry.create('x', kept=True); Path('x/rehearsal.json').write_text('')",
    "ephemeral": "held = registry.create('x', kept=False)",
    "kept, before its control plane ran": "held = registry.create('x', kept=True)",
}


@pytest.mark.parametrize("code", KILLED_AT.values(), ids=KILLED_AT)
def test_sweep_cleans_up_after_an_owner_killed(registry: Registry, code: str) -> None:
    other = owner(registry, code)
    assert registry.sweep() == []
    kill(other)
    assert len(registry.sweep()) == 1
    assert list(registry.root.iterdir()) == []


def test_sweep_ends_the_processes_of_a_dead_rehearsal(registry: Registry) -> None:
    other = owner(registry, "held = registry.create('x', kept=False)")
    (name,) = registry.names()
    (registry.root / name / "bin").mkdir()
    program = registry.root / name / "bin" / "kube-apiserver"
    program.symlink_to(shutil.which("sleep") or "/bin/sleep")
    orphan = subprocess.Popen([program, "60"])
    kill(other)
    try:
        assert registry.sweep() == [name]
        assert orphan.wait(5) == -signal.SIGKILL
    finally:
        orphan.kill()
        orphan.wait()


def test_sweep_leaves_what_lives_and_what_is_not_ours(registry: Registry) -> None:
    with registry.create("kept", kept=True) as kept:
        (kept.workdir / "alive").touch()
    (registry.root / "notes").mkdir()
    with registry.create("running", kept=False) as running:
        assert registry.sweep() == []
        assert running.workdir.exists()
    assert kept.workdir.exists()
    (kept.workdir / "alive").unlink()
    assert registry.sweep() == ["kept"]
    assert os.listdir(registry.root) == ["notes"]
