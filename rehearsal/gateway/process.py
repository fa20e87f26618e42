"""Starting the gateway controller as a process of a rehearsal's control plane, and finding it again.

A process and not a thread: who works with a kept rehearsal runs `pulumi up` and `destroy` after `llmd-pd rehearse` has ended.
It is started from the rehearsal's directory, so that its command line tells whose it is (`rehearsal.processes`).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rehearsal import kwokctl, processes
from rehearsal.control_plane import ControlPlane
from rehearsal.files import write_whole

NAME = "gateway-controller"
MODULE = "rehearsal.gateway"
#: The directory with this project's packages.
CHECKOUT = Path(__file__).resolve().parents[2]


def restart(plane: ControlPlane, classes: Sequence[str]) -> None:
    """Start the controller, in the place of the one of an earlier rehearsal. It makes the GatewayClasses of these names.

    Returns at once: the controller answers within a second. Costs 40 MB and a few hundredths of a core, so that only
    a rehearsal with a gateway has one. OSError when the process cannot be started.
    """
    for process in running(plane.workdir):
        os.kill(process.pid, signal.SIGKILL)  # it holds nothing that the next one does not read from the API server
    log = kwokctl.log_file(plane.workdir, NAME)
    program = plane.workdir / "bin" / NAME
    start = f"sys.path.insert(0, {str(CHECKOUT)!r}); runpy.run_module({MODULE!r}, run_name='__main__', alter_sys=True)"
    write_whole(program, f"import runpy, sys\n{start}\n")
    command = [
        sys.executable,
        str(program),
        f"--kubeconfig={plane.kubeconfig}",
        f"--context={plane.context}",
        f"--log-file={log}",
        *(f"--class={name}" for name in classes),
    ]
    with log.open("a") as output:
        subprocess.Popen(
            command,
            env={**os.environ, **plane.environment()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # it outlives the command, and a Ctrl-C
        )


def ran(workdir: Path) -> bool:
    """Whether the cluster in `workdir` had a controller at some time, so that Gateways may be left that only it lets go."""
    return kwokctl.log_file(workdir, NAME).exists()


def running(workdir: Path) -> list[processes.Process]:
    """The controllers of the rehearsals in a directory."""
    return [row for row in processes.belonging_to(workdir) if f"/bin/{NAME} " in row.command]
