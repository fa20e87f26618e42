"""Exits of the program's process after a refusal or an interrupt: the engine has shown the message, so Python prints nothing.

Imports the standard library only: the handler must be installed before the imports that take time.
"""

import atexit
import os
import signal
import sys
from typing import NoReturn

#: With this exit code the language host takes the error as shown and adds nothing. To any other code it adds `program exited
#: with non-zero exit code`. Source: PYTHON_PROCESS_EXITED_AFTER_SHOWING_USER_ACTIONABLE_MESSAGE_CODE of
#: sdk/python/cmd/pulumi-language-python-exec, pulumi 3.260 (1b59498).
SHOWN = 32
OWN = ("hardware", "releases", "components", "stacks")


def end_quietly_on_interrupt() -> None:
    """Installs a handler for SIGINT, which the engine sends to end the program after a failed run or Ctrl-C.

    The engine prints the reason. Python's own handler would add the traceback of a KeyboardInterrupt, and a second one if another
    signal follows.
    """
    signal.signal(signal.SIGINT, lambda *_: _end())


def missing_package(error: ModuleNotFoundError) -> str:
    """Returns the message about a required package that is not installed.

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
    """Ends the process at once. An exception would first wait for requests that the engine no longer answers.

    The exit functions remove temporary files with credentials.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the language host sends one too, beside the engine's
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(SHOWN)
