"""The endpoint of a Gateway: its address, and the listener that accepts a stack's route."""

from collections.abc import Mapping
from typing import Any, TypedDict


def first_address(status: Mapping[str, Any] | None) -> str | None:
    """Returns the first address of a Gateway's status, an IP or a hostname; None: no address yet."""
    for row in (status or {}).get("addresses") or ():
        return str(row["value"])
    return None


class Entry(TypedDict):
    """The listener of a Gateway that accepts the stack's route. `host` None: the listener has no host, or a wildcard."""

    scheme: str
    port: int
    host: str | None


def entry(spec: Mapping[str, Any], *, elsewhere: bool) -> Entry | None:
    """Returns the first listener for an HTTPRoute, from another namespace if the route is `elsewhere`; None: no listener.

    The namespaces of a selector are not evaluated.
    """
    for listener in spec.get("listeners") or ():
        come_from = listener.get("allowedRoutes", {}).get("namespaces", {}).get("from", "Same")
        if listener["protocol"] in ("HTTP", "HTTPS") and (come_from in ("All", "Selector") or not elsewhere):
            host = listener.get("hostname")
            # The engine returns some integers as floats.
            port = int(listener["port"])
            return Entry(scheme=listener["protocol"].lower(), port=port, host=None if "*" in (host or "*") else host)
    return None


def url(found: Entry | None, address: str | None) -> str | None:
    """Returns the URL for clients; an IPv6 address in brackets, the scheme's default port left out."""
    if found is None or address is None:
        return None
    host = found["host"] or (f"[{address}]" if ":" in address else address)
    usual = {"http": 80, "https": 443}[found["scheme"]]
    port = "" if found["port"] == usual else f":{found['port']}"
    return f"{found['scheme']}://{host}{port}/"
