"""A controller as a process of a rehearsal's control plane: starting it, finding it again, and its loop.

A process and not a thread: in a kept rehearsal `pulumi up` and `destroy` are run after `llmd-pd rehearse` has ended. It is
started from the rehearsal's directory, so that its command line shows its rehearsal (`rehearsal.control_plane.processes`).
"""

import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rehearsal.control_plane import kwokctl, processes
from rehearsal.control_plane.files import write_whole
from rehearsal.control_plane.plane import ControlPlane

#: The directory with this project's packages.
CHECKOUT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Resident:
    """A controller: its name, which is also that of its log, and the module that is its program."""

    name: str
    module: str

    def restart(self, plane: ControlPlane, flags: Sequence[str] = ()) -> None:
        """Starts it in the place of one that runs already, with `flags` after those that every controller has.

        Returns at once: a controller answers within a second. It takes 40 MB and a few hundredths of a core, so only a rehearsal
        that needs it has one. Raises OSError if the process cannot be started.
        """
        for process in self.running(plane.workdir):
            process.kill()  # all its state is in the API server
        log = kwokctl.log_file(plane.workdir, self.name)
        program = plane.workdir / "bin" / self.name
        start = (
            f"sys.path.insert(0, {str(CHECKOUT)!r}); "
            f"runpy.run_module({self.module!r}, run_name='__main__', alter_sys=True)"
        )
        write_whole(program, f"import runpy, sys\n{start}\n")
        command = [
            sys.executable,
            str(program),
            f"--kubeconfig={plane.kubeconfig}",
            f"--context={plane.context}",
            f"--log-file={log}",
            *flags,
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

    def ran(self, workdir: Path) -> bool:
        """Whether the cluster in `workdir` ever had it: then objects can exist whose finalizer only it removes."""
        return kwokctl.log_file(workdir, self.name).exists()

    def running(self, workdir: Path) -> list[processes.Process]:
        """Returns the processes of this controller in the rehearsals below a directory."""
        return [row for row in processes.belonging_to(workdir) if f"/bin/{self.name} " in row.command]


def serve(kubeconfig: Path, reconcile: Callable[[], None]) -> None:
    """Calls `look` again and again until the rehearsal's kubeconfig is removed; errors of the control plane do not end it."""
    trouble = ""
    while kubeconfig.exists():
        trouble = _reconcile(reconcile, trouble)
        time.sleep(LOOK_SECONDS)


def tell(text: str) -> None:
    """Writes a line of the log."""
    print(f"{datetime.now().isoformat(timespec='milliseconds')} {text}", flush=True)


def _reconcile(reconcile: Callable[[], None], before: str) -> str:
    """Calls `look` once; returns the kind of error, which is logged unless it is `before`, that of the last call."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        reconcile()
    except (ApiException, HTTPError, OSError) as error:
        # The API server is starting, its stores are initializing, or an object was changed by another client.
        trouble, words = type(error).__name__, " ".join(str(error).split())
    except Exception as error:
        trouble, words = type(error).__name__, traceback.format_exc()
    else:
        if before:
            tell("it works again")
        return ""
    if trouble != before:
        tell(f"trying again until it works: {words}")
    return trouble
