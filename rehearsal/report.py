"""Progress of a rehearsal: its steps, and how long each took.

Owns the protocol and its plain form (lines, for CI and for pipes). The form with colours belongs to the commands.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO


class Report(Protocol):
    """The progress that `ensure`, `ControlPlane.start` and others report to."""

    @property
    def timings(self) -> list[tuple[str, float]]:
        """(step, seconds) of every finished step, also of one that raised, in the order in which they ended."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Reports a step and measures its time; a context manager."""

    def info(self, text: str) -> None:
        """Reports a line of the current step."""


class PlainReport:
    """A report of one line per event, flushed at once for readers who follow a log."""

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
        # Looked up late: pytest and others replace sys.stderr after this object was created.
        print(f"{'  ' * self._depth}{text}", file=self._stream or sys.stderr, flush=True)
