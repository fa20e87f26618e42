"""The lock file: one holder at a time, and its name for whoever is refused."""

import os
import threading
import time
from pathlib import Path

from rehearsal.control_plane.locks import FileLock


def test_one_holder_at_a_time_whose_name_the_other_can_read(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "x.lock", "building"), FileLock(tmp_path / "x.lock", "cleaning up")
    assert one.acquire()
    assert not other.acquire()
    assert other.holder() == (str(os.getpid()), "building")
    one.release()
    assert other.acquire()
    assert one.holder() == (str(os.getpid()), "cleaning up")
    other.release(unlink=True)
    assert not (tmp_path / "x.lock").exists()


def test_a_holder_that_has_just_got_it_is_given_the_time_to_say_who_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.touch()

    def late() -> None:
        time.sleep(0.01)
        path.write_text("42 building")

    thread = threading.Thread(target=late)
    thread.start()
    assert FileLock(path, "").holder() == ("42", "building")
    thread.join()


def test_nobody_has_no_name(tmp_path: Path) -> None:
    assert FileLock(tmp_path / "x.lock", "").holder() == ("", "")
    (tmp_path / "x.lock").touch()
    assert FileLock(tmp_path / "x.lock", "").holder() == ("", "")
