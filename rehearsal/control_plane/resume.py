"""Whether a kept rehearsal can be continued: its control plane answers, and no run of Pulumi was killed in it.

A killed run leaves a lock, and objects that exist while the state says they were about to be created; the next run would fail on
those. A fleet holds nothing of value, so such a rehearsal starts over.
"""

import contextlib
import json
import shutil
import time
from pathlib import Path

import psutil

from rehearsal.control_plane import plane as control_plane
from rehearsal.control_plane import processes
from rehearsal.control_plane.plane import ControlPlane
from rehearsal.errors import RehearsalError
from rehearsal.report import Report

#: Seconds within which a running API server has to answer, also on a busy machine.
ANSWER_SECONDS = 10.0


def take_up(workdir: Path, report: Report) -> ControlPlane | None:
    """Returns the control plane of a rehearsal that can be continued; else removes the rest of it and returns None.

    Raises:
        RehearsalError: a `pulumi` of a user works on its stack.
    """
    plane = ControlPlane.from_workdir(workdir)
    if plane is None:
        return None
    if _killed_run(workdir):
        why = "a run of `pulumi` in it was killed"
    elif not _answers(plane):
        why = "its control plane does not answer"
    else:
        report.info("it is running already and is continued")
        return plane
    report.info(f"{why}: starting over")
    processes.end(workdir)
    shutil.rmtree(workdir / "state", ignore_errors=True)
    return None


def _killed_run(workdir: Path) -> bool:
    """Whether a lock is left by a killed run. This process holds the rehearsal's lock, so its own `pulumi` cannot hold one."""
    ours = {process.pid for process in processes.belonging_to(workdir)}
    locks = list((workdir / "state" / ".pulumi" / "locks").rglob("*.json"))
    for lock in locks:
        pid = json.loads(lock.read_text())["pid"]
        if pid not in ours and _is_pulumi(pid):
            raise RehearsalError(
                f"rehearsal {workdir.name} is in use",
                f"`pulumi` (pid {pid}) works on its stack",
                "wait for it to end, or interrupt it with Ctrl-C",
            )
    return bool(locks)


def _is_pulumi(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).name() == "pulumi"
    return False


def _answers(plane: ControlPlane) -> bool:
    deadline = time.monotonic() + ANSWER_SECONDS
    while control_plane.alive(plane.workdir):
        if plane.healthy():
            return True
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return False
