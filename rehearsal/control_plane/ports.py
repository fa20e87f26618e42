"""Free ports on 127.0.0.1.

Owns picking them. Nobody can reserve a port for another process, so whoever uses these must be ready to pick again.
"""

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free(count: int) -> list[int]:
    """`count` different ports nobody listens on now; all are held open until the last is known, so none comes twice."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for sock in held:
            sock.bind((LOOPBACK, 0))
        return [sock.getsockname()[1] for sock in held]
