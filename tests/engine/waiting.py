"""Waiting in tests: for what happens in another process, and never for ever."""

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], seconds: float, what: str = "", pause: float = 0.1) -> None:
    """Returns once the condition holds; an assertion fails, saying `what`, when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what or f"not within {seconds} s"
        time.sleep(pause)
