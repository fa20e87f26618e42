"""When objects go, by looking every 20 ms: what a test of an order is judged by, once it is over."""

import threading
import time
from collections.abc import Mapping

from stacks.kube_api import Api


class Departures:
    """For each object, by a name of the test's: when its deletion `began` and what held it, and when it was `gone`."""

    def __init__(self, api: Api, paths: Mapping[str, str]) -> None:
        self.began: dict[str, float] = {}
        self.held_by: dict[str, list[str]] = {}
        self.gone: dict[str, float] = {}
        self._api, self._paths = api, paths
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Departures":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._once()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self._once()

    def _once(self) -> None:
        for name, path in self._paths.items():
            if name in self.gone:
                continue
            found = self._api.get(path)
            if found is None:
                self.gone[name] = time.monotonic()
                self.began.setdefault(name, self.gone[name])
            elif "deletionTimestamp" in found["metadata"] and name not in self.began:
                self.began[name], self.held_by[name] = time.monotonic(), found["metadata"].get("finalizers", [])
