"""A controller as a process of a rehearsal's control plane: starting it, finding it again, and its loop.

A process and not a thread: who works with a kept rehearsal runs `pulumi up` and `destroy` after `llmd-pd rehearse` has ended.
It is started from the rehearsal's directory, so that its command line tells whose it is (`rehearsal.control_plane.processes`).
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
    """A controller by its name, which is its log's too, and the module that is its program."""

    name: str
    module: str

    def restart(self, plane: ControlPlane, flags: Sequence[str] = ()) -> None:
        """Start it, in the place of the one of an earlier rehearsal, with `flags` after those every one has.

        Returns at once: a controller answers within a second. Costs 40 MB and a few hundredths of a core, so that only
        a rehearsal that needs it has one. OSError when the process cannot be started.
        """
        for process in self.running(plane.workdir):
            process.kill()  # it holds nothing that the next one does not read from the API server
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
        """Whether the cluster in `workdir` had it at some time, so that objects may be left that only it lets go."""
        return kwokctl.log_file(workdir, self.name).exists()

    def running(self, workdir: Path) -> list[processes.Process]:
        """Those of the rehearsals in a directory."""
        return [row for row in processes.belonging_to(workdir) if f"/bin/{self.name} " in row.command]


def serve(kubeconfig: Path, look: Callable[[], None]) -> None:
    """Looks until the rehearsal is gone: its kubeconfig is. A control plane that does not answer is waited for."""
    trouble = ""
    while kubeconfig.exists():
        trouble = _look(look, trouble)
        time.sleep(LOOK_SECONDS)


def tell(text: str) -> None:
    """A line of the log."""
    print(f"{datetime.now().isoformat(timespec='milliseconds')} {text}", flush=True)


def _look(look: Callable[[], None], before: str) -> str:
    """One look; what kind of trouble there was, told unless it is that of `before`. The next look may go well."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        look()
    except (ApiException, HTTPError, OSError) as error:
        # An API server that starts, stores that initialize, an object that has changed meanwhile.
        trouble, words = type(error).__name__, " ".join(str(error).split())
    except Exception as error:
        trouble, words = type(error).__name__, traceback.format_exc()
    else:
        if before:
            tell("it goes well again")
        return ""
    if trouble != before:
        tell(f"trying again until it goes well: {words}")
    return trouble
