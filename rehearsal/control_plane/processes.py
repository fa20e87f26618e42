"""Which processes belong to a directory, and ending exactly those.

A rehearsal runs every program from inside its own directory (`<workdir>/bin/kwokctl`, `<workdir>/kwok/…/bin/etcd`), so
a command line tells its owner. No pid files: after a restart of the machine their numbers are somebody else's. Names
alone are never used: another control plane on the same machine has the same ones.
"""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import RehearsalError

POLL_SECONDS = 0.05
EXEC_LOOKS = 20


@dataclass(frozen=True)
class Process:
    pid: int
    command: str
    """The command line, its arguments joined by blanks."""


def belonging_to(workdir: Path) -> list[Process]:
    """The processes whose program lies in the directory of a rehearsal (an absolute path without links).

    Also one that was given a file of its control plane as `--flag=…`: a tool on PATH can be a wrapper script that ends in
    another program. Somebody's editor or `tail -f` on a log of ours is not matched.
    """
    own = re.escape(str(workdir))
    pattern = re.compile(rf"(?:\S*/)?(?:python[\d.]*|sh|bash)\s+{own}/|{own}/|.*\s-[-\w]+={own}/kwok/")
    return [process for process in _all() if pattern.match(process.command) and process.pid != os.getpid()]


def end(workdir: Path, timeout: float = 10.0) -> int:
    """Kill what belongs to a rehearsal; returns how many processes were ended.

    SIGKILL at once: the data of a simulated cluster is thrown away with it, and an API server that drains its
    connections first takes longer than starting one. Looks again until nothing is left, because a process that is being
    killed may have started another. RehearsalError when something will not die within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    ended: set[int] = set()
    while left := belonging_to(workdir):
        if time.monotonic() >= deadline:
            raise RehearsalError(
                f"processes of {workdir} are still running",
                f"they did not end within {timeout:.0f} s of being killed",
                f"end them by hand (pids {', '.join(str(p.pid) for p in left)}) and try again",
                "\n".join(f"{p.pid} {p.command}" for p in left),
            )
        for process in left:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):  # gone already; or somebody else's, and the loop will say so
                continue
            ended.add(process.pid)
        time.sleep(POLL_SECONDS)
    return len(ended)


def _all() -> list[Process]:
    return _from_proc(Path("/proc")) if Path("/proc/self/cmdline").exists() else _from_ps()


def _from_proc(proc: Path) -> list[Process]:
    found = []
    for entry in proc.iterdir():
        if entry.name.isdigit() and (raw := _command_line(entry)):
            command = raw.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
            found.append(Process(int(entry.name), command))
    return found


def _command_line(entry: Path) -> bytes:
    """Empty for a kernel thread, a zombie, and what ended meanwhile or is hidden from us."""
    try:
        for _ in range(EXEC_LOOKS):
            if raw := (entry / "cmdline").read_bytes():
                return raw
            # Empty with a program behind it: in the middle of becoming that program, for well under a millisecond.
            (entry / "exe").readlink()
            time.sleep(0.001)
    except OSError:
        pass
    return b""


def _from_ps() -> list[Process]:
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    rows = (line.strip().partition(" ") for line in listing.stdout.splitlines())
    return [Process(int(pid), command.strip()) for pid, _, command in rows if pid.isdigit()]
