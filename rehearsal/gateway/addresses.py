"""The addresses of Gateways: who has which, and how long giving one back takes.

Of TEST-NET-1 (RFC 5737), which nobody routes; .1 is the API server's own. Knows no Kubernetes.
"""

import time
from collections.abc import Callable

NETWORK = "192.0.2."
FIRST, LAST = 10, 254
RELEASE_SECONDS = 1.0
"""A cloud takes minutes to delete a load balancer. Long enough that whoever does not wait for it is found out."""


class Addresses:
    """The book. Kept in memory: after a restart it is told by `adopt` what was handed out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, str] = {}
        self._releasing: dict[str, float] = {}
        self._released: set[str] = set()

    def adopt(self, owner: str, address: str) -> None:
        """Note what an owner has had since before this book was begun; nothing of one that gave it back."""
        if owner not in self._released:
            self._held.setdefault(owner, address)

    def assign(self, owner: str, wanted: str | None = None) -> str | None:
        """The owner's address: what it wants, else one of the network, its own or the lowest free. None when none is left."""
        if wanted is not None:
            self._held[owner] = wanted
        elif not self._held.get(owner, "").startswith(NETWORK):
            taken = set(self._held.values())
            free = (f"{NETWORK}{number}" for number in range(FIRST, LAST + 1))
            found = next((address for address in free if address not in taken), None)
            if found is None:
                return None
            self._held[owner] = found
        return self._held[owner]

    def release(self, owner: str) -> bool:
        """Begin to take back the owner's address, or go on with it; True once it has none any more."""
        if owner not in self._held:
            return True
        began = self._releasing.setdefault(owner, self._clock())
        if self._clock() - began < RELEASE_SECONDS:
            return False
        del self._held[owner], self._releasing[owner]
        self._released.add(owner)
        return True
