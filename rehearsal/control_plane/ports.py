"""Free ports on 127.0.0.1.

A port cannot be reserved for another process, so a caller must be ready to pick again.
"""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free(count: int) -> list[int]:
    """Returns `count` different ports without a listener; all are held open until the last is known, so that they differ."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for sock in held:
            sock.bind((LOOPBACK, 0))
        return [sock.getsockname()[1] for sock in held]
