"""A lock file that the kernel lets go of when its holder dies, however it dies.

Owns `FileLock`; what is locked, and what a caller does when it is refused, is the caller's.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

POLL_SECONDS = 0.1
HOLDER_LOOKS = 50


class FileLock:
    """An exclusive `flock` on `path`; the file holds `<pid> <purpose>` of its holder, for messages.

    Python opens files non-inheritable, so no child process keeps the lock alive.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self._purpose = purpose
        self._fd: int | None = None

    def acquire(self, timeout: float = 0.0) -> bool:
        """Take the lock within `timeout` seconds; `inf` waits for ever. False: somebody else has it."""
        deadline = time.monotonic() + timeout
        while not self._try():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _try(self) -> bool:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A holder may unlink the file: a lock on a file nobody can find any more protects nothing.
            found = os.stat(self.path).st_ino == os.fstat(fd).st_ino
        except (BlockingIOError, FileNotFoundError):
            found = False
        if not found:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()} {self._purpose}".encode())
        self._fd = fd
        return True

    def holder(self) -> tuple[str, str]:
        """(pid, purpose) that the present or last holder wrote; blanks when it was killed before it could."""
        for _ in range(HOLDER_LOOKS):
            try:
                pid, _, purpose = self.path.read_text().partition(" ")
            except FileNotFoundError:
                break
            if purpose:
                return pid, purpose
            time.sleep(0.001)  # it has the lock, and writes this very moment
        return "", ""

    def release(self, *, unlink: bool = False) -> None:
        """Let go; with `unlink` the file goes too, while still held, so that no one can slip in between."""
        if self._fd is None:
            return
        if unlink:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = None

    def __enter__(self) -> "FileLock":
        self.acquire(float("inf"))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()
