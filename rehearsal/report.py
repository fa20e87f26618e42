"""How a long-running part of a rehearsal says what it is doing, and how long each step took.

Owns the protocol and its plain form (lines, for CI and for pipes). The form with colours belongs to the commands.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO


class Report(Protocol):
    """What a caller of `ensure`, `ControlPlane.start` and the like must provide."""

    @property
    def timings(self) -> list[tuple[str, float]]:
        """(step, seconds) of every finished step, in the order they ended; a step that raised is among them."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Announce a step and time it."""

    def info(self, text: str) -> None:
        """A line that belongs to the step under way."""


class PlainReport:
    """One line per event, flushed at once: a log that is followed must not lag behind."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._depth = 0
        self.timings: list[tuple[str, float]] = []

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        self._line(f"{text} …")
        self._depth += 1
        began = self._clock()
        outcome = "failed after"
        try:
            yield
            outcome = "done in"
        finally:
            self._depth -= 1
            took = self._clock() - began
            self.timings.append((text, took))
            self._line(f"{text}: {outcome} {took:.1f} s")

    def info(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        # Looked up late: pytest and others swap sys.stderr after this object was made.
        print(f"{'  ' * self._depth}{text}", file=self._stream or sys.stderr, flush=True)
