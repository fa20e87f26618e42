"""The cloud as a file: what it holds, and beside it the log of what happened to it, in order.

Several processes have it at once, as every explicit provider is one: it changes under a lock, and is replaced in one step, so
that reading needs none.
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
Happening = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Record:
    """A resource that exists: inputs and state as the engine spells them; `kind` is the path of its class in the SDK.

    `project` is the one it is in, whether its inputs or its provider said so.
    """

    kind: str
    id: str
    urn: str
    project: str
    inputs: Properties
    state: Properties

    @property
    def args(self) -> Properties:
        """Its arguments in the SDK's words."""
        return {"project": self.project, **from_the_engine(self.inputs)}

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        """Whose it is."""
        return stack_of(self.urn)


@dataclass(frozen=True)
class Event:
    """Something that happened: when, what, and to which resource by kind, logical name and id."""

    time: str
    event: Happening
    kind: str
    name: str
    id: str


class Cloud:
    """The cloud in a file; without the file it is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # One thread of this process at a time waits for the other processes.
        self._mine = threading.Lock()

    def records(self) -> list[Record]:
        """What there is, in the order in which it was made."""
        if not self.path.exists():
            return []
        return [Record(**row) for row in json.loads(self.path.read_text(encoding="utf-8"))["resources"]]

    @contextmanager
    def changing(self) -> Iterator[list[Record]]:
        """What there is, to be changed by nobody else meanwhile; kept unless an exception is raised."""
        lock = named_lock(self.path.with_name(f"{self.path.name}.lock"), "a change of the pretend cloud")
        with self._mine, lock:
            records = self.records()
            yield records
            rows = [asdict(record) for record in records]
            write_whole(self.path, json.dumps({"resources": rows}, indent=1))

    def tell(self, event: Happening, record: Record) -> None:
        """Adds to the log; to be called while changing."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = Event(now, event, record.kind, record.name, record.id)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(row)) + "\n")

    def events(self) -> list[Event]:
        """What happened, the first first."""
        if not self._log.exists():
            return []
        return [Event(**json.loads(line)) for line in self._log.read_text(encoding="utf-8").splitlines()]

    @property
    def _log(self) -> Path:
        return self.path.with_name(f"{self.path.name}.events")


def stack_of(urn: str) -> str:
    """The part of a URN that says which stack of which project it is of."""
    return "::".join(urn.split("::")[:2])
