"""The rehearsals of a checkout: their names, directories and owners, and removing those whose owner was killed.

A rehearsal is a directory `<root>/<name>/` with a record in it, and a lock file `<root>/<name>.lock` beside it. A process that
works with a rehearsal holds its lock. The kernel releases the lock when the process dies, so a free lock proves that no process
works with the rehearsal (a process id can belong to another process by now). The lock file is created before the directory and
removed after it: `sweep` finds the rehearsal at any moment at which its owner was killed. Directories without a lock file are not
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
"""How long to wait for another process that removes the rehearsal of that name: ending its processes may take 10 s."""
# It becomes a directory and a part of messages; stack names may have the same letters.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass
class Rehearsal:
    """A rehearsal whose lock this process holds; a context manager.

    At its end an ephemeral rehearsal is removed, processes and directory; a kept one is left running.
    """

    name: str
    workdir: Path
    kept: bool
    created: str
    """UTC, ISO 8601."""
    lock: BaseFileLock
    ports: Mapping[str, int] = field(default_factory=dict)

    def note_ports(self, ports: Mapping[str, int]) -> None:
        """Writes the ports of the control plane into the record, for users who look there."""
        self.ports = dict(ports)
        self._write()

    def release(self) -> None:
        """Releases it and leaves it running; the next `create` of the same name continues with it."""
        self.lock.release()

    def remove(self) -> None:
        """Ends its processes, and deletes its directory and its lock file."""
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
        """Returns a rehearsal with its lock held: of this name if kept, of a new name that begins with it if ephemeral.

        An existing kept one is returned as it is, with its directory.

        Raises:
            RehearsalError: another process holds it, or the name is not valid.
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
            shutil.rmtree(workdir, ignore_errors=True)  # of a process that was killed before it wrote the record
            workdir.mkdir()
            created = Rehearsal(name, workdir, kept, datetime.now(UTC).isoformat(timespec="seconds"), lock)
            created._write()
        except BaseException:
            lock.release()
            raise
        return created

    def open(self, name: str) -> Rehearsal | None:
        """Returns the rehearsal of this name with its lock held, or None.

        Raises:
            RehearsalError: another process holds it.
        """
        if name not in self.names():
            return None
        lock = self._hold(name)
        if (existing := _read(self.root / name, lock)) is None:
            lock.release()
        return existing

    def names(self) -> list[str]:
        """Returns the names of all rehearsals, running, kept or dead."""
        return sorted(path.stem for path in self.root.glob("*.lock"))

    def sweep(self) -> list[str]:
        """Removes dead rehearsals: ephemeral ones that no process holds, and kept ones whose control plane has ended.

        Returns their names.

        Raises:
            RehearsalError: a process of one did not end.
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
    except (FileNotFoundError, ValueError):  # never written, or cut off by a power failure
        return None
    return Rehearsal(said["name"], workdir, said["kept"], said["created"], lock, said["ports"])


def _remove(workdir: Path, lock: BaseFileLock) -> None:
    processes.end(workdir)
    # The record first: a removal that is interrupted must not leave a rehearsal that looks complete.
    _record(workdir).unlink(missing_ok=True)
    if workdir.exists():
        shutil.rmtree(workdir)
    remove(lock)
