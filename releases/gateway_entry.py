"""Where clients come in through a Gateway, read off the Gateway: its address, and the listener that takes a stack's route."""

from collections.abc import Mapping
from typing import Any, TypedDict


def first_address(status: Mapping[str, Any] | None) -> str | None:
    """The first address of a Gateway's status, an IP or a hostname; None where it has none yet."""
    for row in (status or {}).get("addresses") or ():
        return str(row["value"])
    return None


class Entry(TypedDict):
    """The listener of a Gateway that takes the stack's route; `host` None where it takes requests for any, or for several."""

    scheme: str
    port: int
    host: str | None


def entry(spec: Mapping[str, Any], *, elsewhere: bool) -> Entry | None:
    """The first listener that takes an HTTPRoute, from another namespace if the route is `elsewhere`; None where none does.

    Which namespaces a selector selects is not looked at.
    """
    for listener in spec.get("listeners") or ():
        come_from = listener.get("allowedRoutes", {}).get("namespaces", {}).get("from", "Same")
        if listener["protocol"] in ("HTTP", "HTTPS") and (come_from in ("All", "Selector") or not elsewhere):
            host = listener.get("hostname")
            # Some numbers come back from the engine as floats.
            port = int(listener["port"])
            return Entry(scheme=listener["protocol"].lower(), port=port, host=None if "*" in (host or "*") else host)
    return None


def url(found: Entry | None, address: str | None) -> str | None:
    """Where clients send requests; an IPv6 address is in brackets, the port left out where it is the scheme's own."""
    if found is None or address is None:
        return None
    host = found["host"] or (f"[{address}]" if ":" in address else address)
    usual = {"http": 80, "https": 443}[found["scheme"]]
    port = "" if found["port"] == usual else f":{found['port']}"
    return f"{found['scheme']}://{host}{port}/"
