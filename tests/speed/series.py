"""Repeated measurements, and one line of the result: ours, a peer's, the goal, met or missed."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Task = Callable[[], object]


@dataclass
class Series:
    """Seconds of each run of one thing."""

    runs: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle run: one that was disturbed does not count."""
        return statistics.median(self.runs)

    def as_json(self) -> dict[str, Any]:
        """Seconds, to the millisecond."""
        summary = {"median": self.median, "min": min(self.runs), "max": max(self.runs)}
        return {
            **{key: round(value, 3) for key, value in summary.items()},
            "runs": [round(run, 3) for run in self.runs],
        }


def alternate(tasks: Mapping[str, Task], runs: int, between: Task = lambda: None) -> dict[str, Series]:
    """Runs the tasks in turn, A B A B: what changes on the machine meanwhile meets all of them.

    `between` is called after each, untimed.
    """
    series = {name: Series() for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            began = time.perf_counter()
            task()
            series[name].runs.append(time.perf_counter() - began)
            between()
    return series


@dataclass(frozen=True)
class Goal:
    """At most this many times the peer, or at most this many seconds."""

    most: float
    unit: str = "×"

    def __str__(self) -> str:
        return f"≤ {self.most:g}{self.unit}" if self.unit == "×" else f"≤ {self.most:g} {self.unit}"


@dataclass(frozen=True)
class Line:
    """One measurement beside its peer. Without a goal it only informs."""

    what: str
    ours: Series
    peer_name: str = ""
    peer: Series | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's, by medians."""
        return self.ours.median / self.peer.median if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal was reached; None without one."""
        if self.goal is None:
            return None
        measured = self.ratio if self.goal.unit == "×" else self.ours.median
        return measured is not None and measured <= self.goal.most

    def as_json(self) -> dict[str, Any]:
        """Everything, the single runs included."""
        return {
            "what": self.what,
            "ours": self.ours.as_json(),
            "peer": {"what": self.peer_name, **self.peer.as_json()} if self.peer else None,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
            "note": self.note,
        }


def table(lines: list[Line]) -> str:
    """The lines as columns for a terminal: medians, and the range of the runs behind them."""
    rows = [("what", "ours", "peer", "ratio", "goal", "")]
    for line in lines:
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}×"
        outcome = {None: "", True: "met", False: "missed"}[line.met]
        peer = f"{_seconds(line.peer)} {line.peer_name}" if line.peer else ""
        rows.append((line.what, _seconds(line.ours), peer, ratio, str(line.goal or ""), outcome))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*text, *(f"{line.what}: {line.note}" for line in lines if line.note)])


def _seconds(series: Series) -> str:
    return f"{series.median:.2f} s ({min(series.runs):.2f}–{max(series.runs):.2f})"
