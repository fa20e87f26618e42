"""Watching pods, nodes and the Gateway while `pulumi up` waits for them, and after it.

It would wait an hour for a pod that cannot be placed, and a quarter of one for a Gateway that nobody programs.
"""

import threading
import time
from collections.abc import Callable, Hashable

from rehearsal.verdict.verdict import Verdict

POLL_SECONDS = 1.0
#: Seconds the pods that do not run, and the reasons, must stay the same before the scheduler's word is taken as final.
#: Nodes are all there before pods are made, so it only has to outlast the scheduler's own queue.
SETTLED_SECONDS = 6.0
#: The same for as long as nothing has moved at all since `up` began: pods of a kept rehearsal are refused from the first look on,
#: and what is to mend that (a pool's labels, more nodes) comes before them.
UNMOVED_SECONDS = 30.0
#: Seconds an API server on this very machine may be silent: an answer that takes longer than 5 s counts as none.
SILENT_SECONDS = 12.0
#: Seconds given to pods that `up` was told not to wait for. Simulated ones start within a second of being placed.
LATE_SECONDS = 60.0

REFUSED = "the scheduler has refused the pods that do not run, and waiting longer would change nothing"
CLOSED = "whoever has to provide it has refused, or does not look at it, and waiting longer would change nothing"
SILENT = f"the fleet's API server has not answered for {SILENT_SECONDS:.0f} s"


class Watch:
    """Calls `hopeless` once, with the reason, when no wait can help; `with` it runs beside what is waited for."""

    def __init__(self, look: Callable[[], Verdict], hopeless: Callable[[str], None]) -> None:
        self._look = look
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
        patience, answered = Patience(UNMOVED_SECONDS), time.monotonic()
        while not self._stop.wait(POLL_SECONDS):
            try:
                verdict = self._look()
            except Exception:  # of whatever kind: what counts is for how long
                if time.monotonic() - answered > SILENT_SECONDS:
                    self._hopeless(SILENT)
                    return
                continue
            answered = time.monotonic()
            if patience.exhausted(verdict):
                pods = verdict.shortfalls or any(not pod.ready for pod in verdict.pods)
                self._hopeless(REFUSED if pods else CLOSED)
                return


class Patience:
    """Whether what does not run will never run: refused, and nothing has moved for SETTLED_SECONDS; before anything has moved
    at all, for `unmoved` seconds."""

    def __init__(self, unmoved: float = SETTLED_SECONDS) -> None:
        self._last: Hashable = None
        self._since = time.monotonic()
        self._enough = unmoved

    def exhausted(self, verdict: Verdict) -> bool:
        """Takes notice of one more look."""
        return self.settled(verdict) and stuck(verdict)

    def settled(self, verdict: Verdict) -> bool:
        """Takes notice of one more look; whether nothing has moved for long enough, refused or not."""
        state = (tuple(verdict.pods), tuple(verdict.shortfalls), tuple(verdict.flaws))
        if state != self._last:
            self._enough = self._enough if self._last is None else SETTLED_SECONDS
            self._last, self._since = state, time.monotonic()
        return time.monotonic() - self._since > self._enough


def stuck(verdict: Verdict) -> bool:
    """Whether all that `up` waits for is refused: every pod that does not serve, and what it needs around it."""
    if any(flaw.underway for flaw in verdict.flaws):
        return False
    waiting = [pod for pod in verdict.pods if not pod.ready]
    if not waiting and not verdict.shortfalls and not any(flaw.awaited for flaw in verdict.flaws):
        return False
    return all(pod.pending and pod.reason for pod in waiting) and all(lack.reason for lack in verdict.shortfalls)


def final_look(look: Callable[[], Verdict], *, patient: bool) -> Verdict:
    """A look once nothing moves any more; if not `patient`, one at things as they are."""
    patience, deadline = Patience(), time.monotonic() + LATE_SECONDS
    while True:
        verdict = look()
        # Where everything serves, only the word of the Gateway's controller can be late.
        over = patience.settled(verdict) and (stuck(verdict) or verdict.serving)
        if not patient or over or time.monotonic() > deadline or (verdict.serving and not verdict.flaws):
            return verdict
        time.sleep(POLL_SECONDS)
