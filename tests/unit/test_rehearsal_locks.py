"""Lock files: one holder at a time, and its name for a caller that is refused."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import Timeout

from rehearsal.control_plane.locks import holder, named_lock, remove


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.lock"


def test_one_holder_at_a_time_whose_name_the_other_can_read(path: Path) -> None:
    one, other = named_lock(path, "building"), named_lock(path, "cleaning up")
    one.acquire(timeout=0)
    with pytest.raises(Timeout):
        other.acquire(timeout=0)
    assert holder(path) == (str(os.getpid()), "building")
    one.release()
    other.acquire(timeout=0)
    assert holder(path) == (str(os.getpid()), "cleaning up")
    remove(other)
    assert not path.exists()


def test_a_lock_whose_file_was_removed_while_a_process_waited_for_it_is_not_given(path: Path) -> None:
    """Two processes would otherwise hold it: one by the removed file, one by the new."""
    one, other = named_lock(path, "cleaning up"), named_lock(path, "in use")
    one.acquire(timeout=0)
    waiting = threading.Thread(target=other.acquire, kwargs={"timeout": 5})
    waiting.start()
    time.sleep(0.1)  # it has tried once
    remove(one)
    waiting.join()
    with pytest.raises(Timeout):
        named_lock(path, "a third").acquire(timeout=0)
    assert holder(path) == (str(os.getpid()), "in use")
    other.release()


def test_a_lock_that_is_not_held_is_not_removed(path: Path) -> None:
    path.write_text("42 in use")
    remove(named_lock(path, "cleaning up"))
    assert path.exists()


def test_the_lock_of_a_killed_process_is_free_and_no_child_keeps_it(path: Path) -> None:
    program = (
        "import subprocess, sys, time; from pathlib import Path; from rehearsal.control_plane.locks import named_lock\n"
        "lock = named_lock(Path(sys.argv[1]), 'building'); lock.acquire(timeout=0)\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        lock = named_lock(path, "cleaning up")
        with pytest.raises(Timeout):
            lock.acquire(timeout=0)
        assert holder(path) == (str(process.pid), "building")
        process.kill()
        process.wait()
        lock.acquire(timeout=1)
    finally:
        process.kill()
        os.kill(child, 9)


def test_a_holder_that_has_just_got_it_is_given_the_time_to_write_its_name(path: Path) -> None:
    path.touch()

    def late() -> None:
        time.sleep(0.01)
        path.write_text("42 building")

    thread = threading.Thread(target=late)
    thread.start()
    assert holder(path) == ("42", "building")
    thread.join()


def test_without_a_holder_there_is_no_name(path: Path) -> None:
    assert holder(path) == ("", "")
    path.touch()
    assert holder(path) == ("", "")
