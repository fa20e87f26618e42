"""The order in which objects go, by looking every 20 ms: what a test of a destroy is judged by, once it is over."""

import threading
from collections.abc import Mapping, Sequence

from stacks.kube.api import Api


class Departures:
    """Looks at objects, by names of the test's, of which some may go only `after` others are gone.

    `outlived` are the pairs (what was still there, what had begun to go although); `gone` is what is not there any more at the
    end; `held_by` the finalizers with which an object's deletion began. A pair is never seen wrongly: first the later one is
    looked at, and then, if that goes, the earlier one.
    """

    def __init__(self, api: Api, paths: Mapping[str, str], after: Mapping[str, Sequence[str]]) -> None:
        self.outlived: set[tuple[str, str]] = set()
        self.held_by: dict[str, list[str]] = {}
        self.gone: set[str] = set()
        self._api, self._paths, self._after = api, paths, after
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
                self.gone.add(name)
            elif "deletionTimestamp" in found["metadata"]:
                self.held_by.setdefault(name, found["metadata"].get("finalizers", []))
            else:
                continue
            for other in self._after.get(name, ()):
                if other not in self.gone and self._api.get(self._paths[other]) is not None:
                    self.outlived.add((other, name))
