"""A pretend cloud in a file: its resources, and beside it the log of its events.

Every explicit provider is a process, so several use it at once: changes are made under a lock, and the file is replaced in one
step, so that reading needs no lock.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rehearsal.control_plane.files import write_whole
from rehearsal.control_plane.locks import named_lock
from stacks.clouds.resource import from_the_engine

Properties = dict[str, Any]
Change = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Record:
    """An existing resource: inputs and state in the engine's spelling; `kind` is the path of its class in the SDK.

    `project` is from its inputs, or from its provider.
    """

    kind: str
    id: str
    urn: str
    project: str
    inputs: Properties
    state: Properties

    @property
    def args(self) -> Properties:
        """Its arguments in the SDK's spelling."""
        return {"project": self.project, **from_the_engine(self.inputs)}

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        """The stack that owns it."""
        return stack_of(self.urn)


@dataclass(frozen=True)
class Event:
    """An event: when, what, and to which resource by kind, logical name and id."""

    time: str
    event: Change
    kind: str
    name: str
    id: str


class Cloud:
    """The cloud in a file; empty if the file does not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Threads of this process wait here, one at a time for the other processes.
        self._mine = threading.Lock()

    def records(self) -> list[Record]:
        """Returns the resources in the order of their creation."""
        if not self.path.exists():
            return []
        return [Record(**row) for row in json.loads(self.path.read_text(encoding="utf-8"))["resources"]]

    @contextmanager
    def changing(self) -> Iterator[list[Record]]:
        """Yields the resources under the lock, to be changed; writes them unless an exception is raised."""
        lock = named_lock(self.path.with_name(f"{self.path.name}.lock"), "a change of the pretend cloud")
        with self._mine, lock:
            records = self.records()
            yield records
            rows = [asdict(record) for record in records]
            write_whole(self.path, json.dumps({"resources": rows}, indent=1))

    def tell(self, event: Change, record: Record) -> None:
        """Adds an event to the log; to be called inside `changing`."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = Event(now, event, record.kind, record.name, record.id)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(row)) + "\n")

    def events(self) -> list[Event]:
        """Returns the events, the oldest first."""
        if not self._log.exists():
            return []
        return [Event(**json.loads(line)) for line in self._log.read_text(encoding="utf-8").splitlines()]

    @property
    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.events")


def stack_of(urn: str) -> str:
    """Returns the part of a URN that names project and stack."""
    return "::".join(urn.split("::")[:2])
