"""How the program's process ends if a run is refused or interrupted: with the sentences already shown, and no words of Python.

The standard library only: the handler has to stand before the imports that take time.
"""

import atexit
import os
import signal
import sys
from typing import NoReturn

#: By this exit code the language host takes the error as shown and adds nothing to it; it answers any other with `program
#: exited with non-zero exit code`. Source: PYTHON_PROCESS_EXITED_AFTER_SHOWING_USER_ACTIONABLE_MESSAGE_CODE of
#: sdk/python/cmd/pulumi-language-python-exec, pulumi 3.260 (1b59498).
SHOWN = 32
OWN = ("hardware", "releases", "components", "stacks")


def end_quietly_on_interrupt() -> None:
    """Installs the handler for SIGINT, by which the engine ends the program of a failed run or after Ctrl-C.

    The engine says why; Python's own handler would add a traceback of a KeyboardInterrupt, two if a second signal follows.
    """
    signal.signal(signal.SIGINT, lambda *_: _end())


def missing_package(error: ModuleNotFoundError) -> str:
    """The sentence for a package that the program is installed with and does not find.

    Raises:
        ModuleNotFoundError: a module of the program itself is missing.
    """
    package = (error.name or "").partition(".")[0]
    if package in OWN:
        raise error
    return (
        f"the Python package `{package}` is not installed in {sys.prefix}, because that environment lacks the packages of "
        "requirements.lock; run `make setup` in the directory of Pulumi.yaml"
    )


def _end() -> NoReturn:
    """Ends the process at once. An exception would first wait for requests that the engine will not answer any more.

    The exit functions remove temporary files with credentials.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the language host sends one too, beside the engine's
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(SHOWN)
