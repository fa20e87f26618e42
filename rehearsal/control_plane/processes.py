"""The processes that belong to a directory, and ending exactly those.

A rehearsal runs every program from inside its own directory (`<workdir>/bin/kwokctl`, `<workdir>/kwok/…/bin/etcd`), so a command
line shows the owner. There are no pid files: after a restart of the machine their numbers belong to other processes. Names alone
are never used: another control plane on the same machine has the same ones.
"""

import contextlib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from rehearsal.errors import RehearsalError

POLL_SECONDS = 0.05
EXEC_LOOKS = 20
_INTERPRETER = re.compile(r"python[\d.]*|sh|bash")


@dataclass(frozen=True)
class Process:
    """A process as it was listed."""

    handle: psutil.Process
    arguments: Sequence[str]
    """The command line, the program first."""

    @property
    def pid(self) -> int:
        """Its number."""
        return self.handle.pid

    @property
    def command(self) -> str:
        """The command line, its arguments joined by blanks."""
        return " ".join(self.arguments)

    def kill(self) -> bool:
        """Sends SIGKILL, unless the number is another process's by now; False if it ended already or is not ours to kill."""
        try:
            self.handle.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return True


def belonging_to(workdir: Path) -> list[Process]:
    """Returns the processes whose program lies in the directory of a rehearsal (an absolute path without links).

    A process that was given a file of its control plane as `--flag=…` belongs to it too: a tool on PATH can be a wrapper script
    that ends in another program. An editor or `tail -f` on a log of the rehearsal does not.
    """
    return [process for process in _all() if _belongs(process.arguments, f"{workdir}/") and process.pid != os.getpid()]


def _belongs(arguments: Sequence[str], own: str) -> bool:
    program, *rest = arguments
    if program.startswith(own):
        return True
    if _INTERPRETER.fullmatch(os.path.basename(program)) and rest and rest[0].startswith(own):
        return True
    flags = (argument.partition("=") for argument in rest if argument.startswith("-"))
    return any(value.startswith(f"{own}kwok/") for _, _, value in flags)


def end(workdir: Path, timeout: float = 10.0) -> int:
    """Kills the processes of a rehearsal; returns how many were ended.

    SIGKILL at once: the data of a simulated cluster is thrown away with it, and an API server that drains its connections first
    takes longer than starting one. Looks again until nothing is left, because a process that is being killed may have started
    another.

    Raises:
        RehearsalError: a process did not end within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    ended: set[int] = set()
    while left := belonging_to(workdir):
        if time.monotonic() >= deadline:
            raise RehearsalError(
                what=f"processes of {workdir} are still running",
                why=f"they did not end within {timeout:.0f} s of being killed",
                fix=f"end them by hand (pids {', '.join(str(process.pid) for process in left)}) and try again",
                details="\n".join(f"{process.pid} {process.command}" for process in left),
            )
        ended |= {process.pid for process in left if process.kill()}
        time.sleep(POLL_SECONDS)
    return len(ended)


def _all() -> list[Process]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            # Not `process_iter`: it keeps handles, also of a process whose number another one has by now.
            found.append(psutil.Process(pid))
    return [Process(handle, arguments) for handle in found if (arguments := _command_line(handle))]


def _command_line(handle: psutil.Process) -> list[str]:
    """Empty for a kernel thread, a zombie, and a process that ended meanwhile or is hidden from this user."""
    try:
        for _ in range(EXEC_LOOKS):
            # Empty although it has a program: it is just becoming that program, for well under a millisecond.
            if (arguments := handle.cmdline()) or not handle.exe():
                return arguments
            time.sleep(0.001)
    except psutil.Error:
        pass
    return []
