"""The process of a plugin: its start and end, its errors, and messages to the engine.

The start (a gRPC server on a free local port, the port as the first line of standard output) is the same for providers and for
the language host.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc

MESSAGE_LIMIT = 400 * 1024 * 1024  # bytes; what the engine itself allows (rpcutil.GrpcChannelOptions)
WORKERS = 64  # threads; an await holds one for as long as it lasts

OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
)


def engine_address(arguments: Sequence[str]) -> str:
    """Returns the engine's address: the last command-line argument that is no flag."""
    return next((item for item in reversed(arguments) if not item.startswith("-")), "")


def serve(register: Callable[[grpc.Server], None]) -> None:
    """Serves until a signal, or until the engine has ended."""
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _leave())
    leave_with_engine()
    print(port, flush=True)
    server.wait_for_termination()


def leave_with_engine() -> None:
    """Ends this process soon after the one that started it."""
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()


def _leave() -> NoReturn:
    """Ends the process at once and silently: a traceback would be in the middle of the engine's output.

    The exit functions remove temporary files with credentials; waiting for the server's threads could take an hour.
    """
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _leave_with_parent(parent: int) -> None:
    """An engine killed with SIGKILL cannot end its plugins; without this they would wait for their pods for an hour."""
    while os.getppid() == parent:
        time.sleep(1)
    _leave()


class Failure(Exception):
    """The operation failed, and nothing was changed or the changes are known. One message for the user."""


class InitFailure(Exception):
    """The object exists but is not ready: it goes into the state together with the reasons.

    `reasons[0]` is the summary in a sentence, the others are details. `inputs` only if they differ from those of the request.
    """

    def __init__(self, id_: str, properties: dict[str, Any], reasons: list[str], inputs: dict[str, Any] | None = None):
        super().__init__(reasons[0])
        self.id = id_
        self.properties = properties
        self.reasons = reasons
        self.inputs = inputs


class Engine:
    """Sends messages to the engine, which shows them beside their resource. Errors are ignored."""

    def __init__(self, address: str):
        self._address = address
        self._lock = threading.Lock()
        self._stub: Any = None
        self._last: dict[str, str] = {}

    def status(self, urn: str, message: str) -> None:
        """Sets the resource's status column; repeated messages are dropped."""
        if self._last.get(urn) != message:
            self._last[urn] = message
            self._log(urn, "INFO", message, ephemeral=True)

    def warn(self, urn: str, message: str) -> None:
        """Shows a warning of a resource."""
        self._log(urn, "WARNING", message, ephemeral=False)

    def _log(self, urn: str, severity: str, message: str, *, ephemeral: bool) -> None:
        if not self._address:
            return
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc  # ~10 ms, and a quiet run needs none of it

        with self._lock:
            if self._stub is None:
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address, options=OPTIONS))
        level = engine_pb2.LogSeverity.Value(severity)
        request = engine_pb2.LogRequest(severity=level, message=message, urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError as error:
            print(f"the engine did not take a message ({error}): {message}", file=sys.stderr)
