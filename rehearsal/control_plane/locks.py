"""Lock files that name their holder, for messages. The kernel releases a lock when its holder dies, however it dies.

`filelock` owns the locking. What is locked, and what a caller does when it is refused, is the caller's.
"""

import os
import time
from functools import partial
from pathlib import Path

from filelock import BaseFileLock, FileLock

HOLDER_LOOKS = 50


def named_lock(path: Path, purpose: str) -> BaseFileLock:
    """Returns a lock on `path`, not acquired yet; while it is held the file contains `<pid> <purpose>`.

    Its `acquire(timeout=SECONDS)` raises `filelock.Timeout` if another process holds the lock. Child processes do not inherit it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path, thread_local=False, on_acquired=partial(_note, purpose))


def _note(purpose: str, fd: int) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()} {purpose}".encode(), 0)


def holder(path: Path) -> tuple[str, str]:
    """Returns (pid, purpose) of the present or last holder; blanks if it was killed before it wrote them."""
    for _ in range(HOLDER_LOOKS):
        try:
            pid, _, purpose = path.read_text().partition(" ")
        except FileNotFoundError:
            break
        if purpose:
            return pid, purpose
        time.sleep(0.001)  # the holder has the lock and is about to write
    return "", ""


def remove(lock: BaseFileLock) -> None:
    """Releases a lock and deletes its file, in the other order: no other process can acquire the old file in between."""
    if lock.is_locked:
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
