"""Watching pods while `pulumi up` waits for them, and after it: `up` would wait an hour for a pod that cannot be placed."""

import threading
import time
from collections.abc import Callable, Hashable

from rehearsal.verdict import Verdict, look
from stacks.kube_api import Api

POLL_SECONDS = 1.0
#: Seconds the pods that do not run, and the reasons, must stay the same before the scheduler's word is taken as final.
#: Nodes are all there before pods are made, so it only has to outlast the scheduler's own queue.
SETTLED_SECONDS = 6.0
#: Seconds an API server on this very machine may be silent: an answer that takes longer than 5 s counts as none.
SILENT_SECONDS = 12.0
#: Seconds given to pods that `up` was told not to wait for. Simulated ones start within a second of being placed.
LATE_SECONDS = 60.0

REFUSED = "the scheduler has refused the pods that do not run, and waiting longer would change nothing"
SILENT = f"the fleet's API server has not answered for {SILENT_SECONDS:.0f} s"


class Watch:
    """Calls `hopeless` once, with the reason, when no wait can help; `with` it runs beside what is waited for."""

    def __init__(self, api: Api, namespace: str, hopeless: Callable[[str], None]) -> None:
        self._api = api
        self._namespace = namespace
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
        patience, answered = Patience(), time.monotonic()
        while not self._stop.wait(POLL_SECONDS):
            try:
                verdict = look(self._api, self._namespace)
            except Exception:  # of whatever kind: what counts is for how long
                if time.monotonic() - answered > SILENT_SECONDS:
                    self._hopeless(SILENT)
                    return
                continue
            answered = time.monotonic()
            if patience.exhausted(verdict):
                self._hopeless(REFUSED)
                return


class Patience:
    """Whether what does not run will never run: refused, and nothing has moved for SETTLED_SECONDS."""

    def __init__(self) -> None:
        self._last: Hashable = None
        self._since = time.monotonic()

    def exhausted(self, verdict: Verdict) -> bool:
        """Takes notice of one more look."""
        state = (tuple(verdict.pods), tuple(verdict.shortfalls))
        if state != self._last:
            self._last, self._since = state, time.monotonic()
        return stuck(verdict) and time.monotonic() - self._since > SETTLED_SECONDS


def stuck(verdict: Verdict) -> bool:
    """Whether every pod that does not serve is one that was refused."""
    waiting = [pod for pod in verdict.pods if not pod.ready]
    if not waiting and not verdict.shortfalls:
        return False
    return all(pod.pending and pod.reason for pod in waiting) and all(lack.reason for lack in verdict.shortfalls)


def final_look(api: Api, namespace: str, *, patient: bool) -> Verdict:
    """A look once nothing moves any more; if not `patient`, one at things as they are."""
    patience, deadline = Patience(), time.monotonic() + LATE_SECONDS
    while True:
        verdict = look(api, namespace)
        if verdict.serving or not patient or patience.exhausted(verdict) or time.monotonic() > deadline:
            return verdict
        time.sleep(POLL_SECONDS)
