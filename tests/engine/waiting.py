"""Waiting in tests: for what happens in another process, and never for ever."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

#: Seconds after which something is stuck and not slow: no test is about how long a thing takes, and machines have other work.
PATIENCE = 300.0


def until(condition: Callable[[], Any], what: str = "", pause: float = 0.1, seconds: float = PATIENCE) -> None:
    """Returns once the condition holds; an assertion fails, saying `what`, when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what or f"not within {seconds:.0f} s"
        time.sleep(pause)


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """Reads what a process prints up to the line with these words, and returns it; an assertion fails where it ends before."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        print(line, end="")
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended without {words!r}")
