"""The rehearsals of a checkout: their names, directories and owners, and cleaning up after those that were killed.

One rehearsal is a directory `<root>/<name>/` with a record in it and a lock file `<root>/<name>.lock` beside it. Whoever
works with a rehearsal holds its lock; the kernel drops it when they die, however that happens, so a free lock is the
proof that nobody is there (a pid might be somebody else's by now). The lock file is made before the directory and removed
after it: at whatever moment its owner is killed, the next `sweep` finds it. Directories without a lock file are not
touched.
"""

import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock, Timeout

from rehearsal.control_plane import plane as control_plane
from rehearsal.control_plane import processes
from rehearsal.control_plane.files import write_whole
from rehearsal.control_plane.locks import holder, named_lock, remove
from rehearsal.errors import RehearsalError

ROOT = Path(__file__).resolve().parents[2] / ".rehearsal"
IN_USE = "in use"
CLEANING = "cleaning up"
CLEANING_SECONDS = 15.0
"""How long to wait for somebody who is removing the rehearsal of that name: ending processes is given 10 s."""
# It becomes a directory and part of messages; stack names are allowed the same letters.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass
class Rehearsal:
    """A rehearsal that this process holds the lock of; use as a context manager.

    Leaving it removes an ephemeral one, processes and directory, and leaves a kept one running.
    """

    name: str
    workdir: Path
    kept: bool
    created: str
    """UTC, ISO 8601."""
    lock: BaseFileLock
    ports: Mapping[str, int] = field(default_factory=dict)

    def note_ports(self, ports: Mapping[str, int]) -> None:
        """Put the ports of the control plane on record, for people who look."""
        self.ports = dict(ports)
        self._write()

    def release(self) -> None:
        """Let go of it and leave it running; the next `create` of the same name takes it up again."""
        self.lock.release()

    def remove(self) -> None:
        """End its processes, delete its directory, forget its name."""
        _remove(self.workdir, self.lock)

    def _write(self) -> None:
        record = {"name": self.name, "kept": self.kept, "created": self.created, "ports": dict(self.ports)}
        write_whole(_record(self.workdir), json.dumps(record, indent=2))

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.kept:
            self.release()
        else:
            self.remove()


class Registry:
    """The rehearsals under one root directory."""

    def __init__(self, root: Path = ROOT, alive: Callable[[Path], bool] = control_plane.alive) -> None:
        self.root = root.resolve()
        self._alive = alive

    def create(self, name: str, *, kept: bool) -> Rehearsal:
        """A rehearsal and its lock: of exactly this name when kept, of a new name that begins so when ephemeral.

        A kept one that exists is taken up as it is, its directory included. RehearsalError when another process holds
        it, or when the name cannot be one.
        """
        if not _NAME.fullmatch(name):
            raise RehearsalError(
                f"a rehearsal cannot be named {name!r}",
                "the name becomes a directory",
                "use at most 63 letters, digits, dots, dashes and underscores, the first a letter or digit",
            )
        name = name if kept else f"{name}-{secrets.token_hex(3)}"
        lock = self._hold(name)
        workdir = self.root / name
        try:
            if (existing := _read(workdir, lock)) is not None:
                return existing
            shutil.rmtree(workdir, ignore_errors=True)  # of one that was killed before it had a record
            workdir.mkdir()
            created = Rehearsal(name, workdir, kept, datetime.now(UTC).isoformat(timespec="seconds"), lock)
            created._write()
        except BaseException:
            lock.release()
            raise
        return created

    def open(self, name: str) -> Rehearsal | None:
        """The rehearsal of this name and its lock; None when there is none. RehearsalError when another process holds it."""
        if name not in self.names():
            return None
        lock = self._hold(name)
        if (existing := _read(self.root / name, lock)) is None:
            lock.release()
        return existing

    def names(self) -> list[str]:
        """Every rehearsal there is, running, kept or dead, by name."""
        return sorted(path.stem for path in self.root.glob("*.lock"))

    def sweep(self) -> list[str]:
        """Clean up after the dead: ephemeral rehearsals nobody holds, and kept ones whose control plane is gone.

        Returns their names. RehearsalError when a process of one will not die.
        """
        cleaned = []
        for name in self.names():
            lock = named_lock(self._lock_file(name), CLEANING)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            workdir = self.root / name
            try:
                record = _read(workdir, lock)
                if record is None or not record.kept or not self._alive(workdir):
                    _remove(workdir, lock)
                    cleaned.append(name)
            finally:
                lock.release()
        return cleaned

    def _hold(self, name: str) -> BaseFileLock:
        file = self._lock_file(name)
        lock = named_lock(file, IN_USE)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                # A process that removes it is done soon, one that works with it is not.
                if holder(file)[1] != CLEANING:
                    raise
                lock.acquire(timeout=CLEANING_SECONDS)
        except Timeout:
            raise RehearsalError(
                f"a rehearsal named {name} is running (pid {holder(file)[0] or 'unknown'})",
                f"{self.root / name} belongs to that process",
                "wait for it to end, end it, or choose another name",
            ) from None
        return lock

    def _lock_file(self, name: str) -> Path:
        return self.root / f"{name}.lock"


def _record(workdir: Path) -> Path:
    return workdir / "rehearsal.json"


def _read(workdir: Path, lock: BaseFileLock) -> Rehearsal | None:
    try:
        said = json.loads(_record(workdir).read_text())
    except (FileNotFoundError, ValueError):  # never written, or torn by a power cut: nothing to go by either way
        return None
    return Rehearsal(said["name"], workdir, said["kept"], said["created"], lock, said["ports"])


def _remove(workdir: Path, lock: BaseFileLock) -> None:
    processes.end(workdir)
    # The record first: a removal that is cut short must not leave something that looks whole.
    _record(workdir).unlink(missing_ok=True)
    if workdir.exists():
        shutil.rmtree(workdir)
    remove(lock)
