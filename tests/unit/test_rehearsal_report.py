"""Reports and errors: what a user reads while a rehearsal works, and when it cannot."""

import io

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.report import PlainReport, Report


class Clock:
    def __init__(self, *times: float) -> None:
        self.times = list(times)

    def __call__(self) -> float:
        return self.times.pop(0)


def test_steps_are_announced_timed_and_nested() -> None:
    out = io.StringIO()
    report: Report = PlainReport(out, Clock(0.0, 1.0, 3.5, 10.0))
    with report.step("tools"), report.step("building helm"):
        report.info("still building helm … 20 s")
    assert report.timings == [("building helm", 2.5), ("tools", 10.0)]
    assert out.getvalue().splitlines() == [
        "tools …",
        "  building helm …",
        "    still building helm … 20 s",
        "  building helm: done in 2.5 s",
        "tools: done in 10.0 s",
    ]


def test_a_step_that_raises_is_timed_and_said_to_have_failed() -> None:
    out = io.StringIO()
    report = PlainReport(out, Clock(0.0, 2.0))
    with pytest.raises(RuntimeError), report.step("tools"):
        raise RuntimeError
    assert report.timings == [("tools", 2.0)]
    assert out.getvalue().splitlines()[-1] == "tools: failed after 2.0 s"


def test_an_error_is_one_sentence_and_keeps_its_details_apart() -> None:
    error = RehearsalError("building helm failed", "go build ended with exit code 1", "see the log", "a.go:1: no\nb")
    assert str(error) == "building helm failed: go build ended with exit code 1; see the log."
    assert "\n" not in str(error)
    assert error.__notes__ == ["a.go:1: no\nb"]
