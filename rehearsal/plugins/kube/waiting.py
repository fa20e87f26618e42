"""Waiting for an object to be ready or deleted, until a timeout or Ctrl-C.

Polls with plain requests: a wait ends within one poll, and a failed request is repeated.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rehearsal.plugins.kube.client import ApiError, Cluster, NoMatch, Unreachable
from rehearsal.plugins.kube.objects import annotation
from rehearsal.plugins.kube.readiness import WAIT_FOR, Check, reasons

TIMEOUT_ANNOTATION = "pulumi.com/timeoutSeconds"
DEFAULT_TIMEOUT = 600.0  # seconds; the official provider's for every kind
_FIRST_POLL, _SLOWEST_POLL = 0.1, 1.0  # seconds


class NotReady(Exception):
    """The object exists, but is not ready. `live` is its last known state, `details` the reasons."""

    def __init__(self, message: str, live: dict[str, Any], details: list[str]):
        super().__init__(message)
        self.live = live
        self.details = details


def timeout_of(requested: float, inputs: Mapping[str, Any]) -> float:
    """Returns seconds: the resource option `custom_timeouts`, else the annotation, else the default."""
    if requested:
        return requested
    text = annotation(inputs, TIMEOUT_ANNOTATION)
    return float(text) if text.isdigit() else DEFAULT_TIMEOUT


def until_ready(
    live: dict[str, Any],
    check: Check,
    cluster: Cluster,
    *,
    timeout: float,
    cancelled: threading.Event,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Returns the live object once it is ready. Raises NotReady."""
    name = live["metadata"]["name"]
    for _ in _polls(timeout, cancelled):
        try:
            live = cluster.get(live)
            progress = check(live, cluster)
        except (Unreachable, NoMatch) as error:
            tell(str(error))
            continue
        except ApiError as error:
            raise NotReady(str(error), live, []) from error
        if progress.ready:
            tell("")
            return live
        if progress.hopeless:
            raise NotReady(f"Resource '{name}' was created but failed to initialize", live, [progress.hopeless])
        tell(progress.message)
    try:
        why = reasons(live, cluster)
    except (Unreachable, ApiError) as error:
        why = [str(error)]
    if cancelled.is_set():
        # The official provider gives no reasons here; a user who interrupts a wait needs them.
        raise NotReady(f'Resource operation was cancelled for "{name}"', live, why)
    if annotation(live, WAIT_FOR):
        raise NotReady("timed out waiting for the condition", live, why)
    raise NotReady(f"'{name}' timed out waiting to be Ready", live, why)


def until_gone(
    live: dict[str, Any], cluster: Cluster, *, timeout: float, cancelled: threading.Event, tell: Callable[[str], None]
) -> None:
    """Returns once the object is deleted or another one has its name. Raises NotReady."""
    name, uid = live["metadata"]["name"], live["metadata"].get("uid")
    for _ in _polls(timeout, cancelled):
        try:
            live = cluster.get(live)
        except NoMatch:
            return
        except Unreachable as error:
            tell(str(error))
            continue
        except ApiError as error:
            if error.code == 404:
                return
            raise
        if uid and live["metadata"]["uid"] != uid:
            return
        tell("Waiting for deletion to finish")
    if cancelled.is_set():
        raise NotReady(f'Resource operation was cancelled for "{name}"', live, [])
    finalizers = live["metadata"].get("finalizers") or (live.get("spec") or {}).get("finalizers") or []
    held = [f"its finalizers hold it: {', '.join(finalizers)}"] if finalizers else []
    raise NotReady(f"timed out waiting for '{name}' to be deleted", live, held)


def _polls(timeout: float, cancelled: threading.Event) -> Iterator[None]:
    """Yields the turns of a wait, ever slower, until the timeout or the cancellation; at least one."""
    end, pause = time.monotonic() + timeout, _FIRST_POLL
    while True:
        yield
        left = end - time.monotonic()
        if left <= 0 or cancelled.wait(min(pause, left)):
            return
        pause = min(pause * 1.3, _SLOWEST_POLL)
