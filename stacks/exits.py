"""How the program's process ends if a run is refused or interrupted: with the sentences already shown, and no words of Python.

The standard library only: the handler has to stand before the imports that take time.
"""

import atexit
import os
import signal
import sys
from typing import NoReturn

#: By this exit code the language host takes the error as shown and adds nothing to it; it answers any other with `program exited
#: with non-zero exit code` (PYTHON_PROCESS_EXITED_AFTER_SHOWING_USER_ACTIONABLE_MESSAGE_CODE, sdk/python/cmd of pulumi 3.259.0).
SHOWN = 32


def end_quietly_on_interrupt() -> None:
    """Installs the handler for SIGINT, by which the engine ends the program of a failed run or after Ctrl-C.

    The engine says why; Python's own handler would add a traceback of a KeyboardInterrupt, two if a second signal follows.
    """
    signal.signal(signal.SIGINT, lambda *_: _end())


def _end() -> NoReturn:
    """Ends the process at once. An exception would first wait for requests that the engine will not answer any more.

    The exit functions remove temporary files with credentials.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the language host sends one too, beside the engine's
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(SHOWN)
