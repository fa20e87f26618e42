"""Watching pods, nodes and the Gateway while `pulumi up` waits for them, and after it.

`pulumi up` would wait an hour for a pod that cannot be placed, and 15 minutes for a Gateway that is not programmed.
"""

import threading
import time
from collections.abc import Callable, Hashable

from rehearsal.verdict.verdict import Verdict

POLL_SECONDS = 1.0
#: Seconds for which the pods that do not run, and their reasons, must stay the same before the scheduler's refusal is final.
#: All nodes exist before pods are created, so it only has to outlast the scheduler's own queue.
SETTLED_SECONDS = 6.0
#: Seconds instead of these as long as nothing has changed since `up` began: pods of a kept rehearsal are refused from the first
#: look on, until the change that mends that (a pool's labels, more nodes) is made.
UNMOVED_SECONDS = 30.0
#: Seconds for which an API server on the same machine may be silent: an answer that takes longer than 5 s counts as none.
SILENT_SECONDS = 12.0
#: Seconds for pods that `up` does not wait for. Simulated ones start within a second after they are placed.
LATE_SECONDS = 60.0

REFUSED = "the scheduler has refused the pods that do not run, and waiting longer would change nothing"
CLOSED = "its controller has refused it or ignores it, and waiting longer would change nothing"
SILENT = f"the fleet's API server has not answered for {SILENT_SECONDS:.0f} s"


class Watch:
    """Calls `hopeless` once, with the reason, if waiting is useless; a context manager around the wait."""

    def __init__(self, observe: Callable[[], Verdict], hopeless: Callable[[str], None]) -> None:
        self._observe = observe
        self._hopeless = hopeless
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        stall, answered = StallDetector(UNMOVED_SECONDS), time.monotonic()
        while not self._stop.wait(POLL_SECONDS):
            try:
                verdict = self._observe()
            except Exception:  # of any kind: only its duration counts
                if time.monotonic() - answered > SILENT_SECONDS:
                    self._hopeless(SILENT)
                    return
                continue
            answered = time.monotonic()
            if stall.detected(verdict):
                pods = verdict.shortfalls or any(not pod.ready for pod in verdict.pods)
                self._hopeless(REFUSED if pods else CLOSED)
                return


class StallDetector:
    """Detects that pods will never run: they are refused, and nothing has changed for SETTLED_SECONDS, or for `unmoved` seconds
    if nothing has changed since the first look."""

    def __init__(self, unmoved: float = SETTLED_SECONDS) -> None:
        self._last: Hashable = None
        self._changed_at = time.monotonic()
        self._enough = unmoved

    def detected(self, verdict: Verdict) -> bool:
        """Takes the next verdict; returns whether waiting is useless."""
        return self.settled(verdict) and stuck(verdict)

    def settled(self, verdict: Verdict) -> bool:
        """Takes the next verdict; returns whether nothing has changed for long enough, refused or not."""
        state = (tuple(verdict.pods), tuple(verdict.shortfalls), tuple(verdict.flaws))
        if state != self._last:
            self._enough = self._enough if self._last is None else SETTLED_SECONDS
            self._last, self._changed_at = state, time.monotonic()
        return time.monotonic() - self._changed_at > self._enough


def stuck(verdict: Verdict) -> bool:
    """Whether everything that `up` still waits for is refused: every pod that is not Ready, and the awaited parts around them."""
    if any(flaw.underway for flaw in verdict.flaws):
        return False
    waiting = [pod for pod in verdict.pods if not pod.ready]
    if not waiting and not verdict.shortfalls and not any(flaw.awaited for flaw in verdict.flaws):
        return False
    return all(pod.pending and pod.reason for pod in waiting) and all(lack.reason for lack in verdict.shortfalls)


def final_verdict(observe: Callable[[], Verdict], *, patient: bool) -> Verdict:
    """Returns the verdict once nothing changes any more; if not `patient`, the present one."""
    stall, deadline = StallDetector(), time.monotonic() + LATE_SECONDS
    while True:
        verdict = observe()
        # If all pods are Ready, only the Gateway's controller can be late.
        over = stall.settled(verdict) and (stuck(verdict) or verdict.serving)
        if not patient or over or time.monotonic() > deadline or (verdict.serving and not verdict.flaws):
            return verdict
        time.sleep(POLL_SECONDS)
