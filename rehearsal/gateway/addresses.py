"""Addresses of Gateways: which are free, and when that of a deleted Gateway is released.

Addresses are of TEST-NET-1 (RFC 5737), which is not routed; .1 is the API server's own. Pure functions: the statuses of the
Gateways are the record, so that a restarted controller knows it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from rehearsal.gateway import FINALIZER
from stacks.kube.api import Object

NETWORK = "192.0.2."
FIRST, LAST = 10, 254
RELEASE_SECONDS = 1
"""The least time a deleted Gateway keeps its address. A cloud takes minutes to delete a load balancer; this is enough to fail a
destroy that does not wait for it."""


def addresses(gateway: Object) -> list[str]:
    """Returns the addresses in a Gateway's status."""
    return [row["value"] for row in (gateway.get("status") or {}).get("addresses") or []]


def taken(gateways: Iterable[Object]) -> set[str]:
    """Returns the addresses that are not free: those of Gateways that still have the finalizer."""
    held = [row for row in gateways if FINALIZER in (row["metadata"].get("finalizers") or [])]
    return {address for row in held for address in addresses(row)}


def address(gateway: Object, not_free: set[str], *, cluster_ip: bool) -> Object | None:
    """Returns an entry of `status.addresses`: the one the spec asks for, else the present one, else the lowest free one.

    None if the network has none left. With `cluster_ip` it is the name of the Service that Istio would make.
    """
    metadata, spec = gateway["metadata"], gateway["spec"]
    if cluster_ip:
        host = f"{metadata['name']}-{spec['gatewayClassName']}.{metadata['namespace']}.svc.cluster.local"
        return {"type": "Hostname", "value": host}
    stated: Object = next((row for row in spec.get("addresses") or [] if row.get("value")), {})
    kind = stated.get("type", "IPAddress")
    # Any other type, as GKE's NamedAddress, names a reservation that only a cloud can look up.
    if stated and kind in ("IPAddress", "Hostname"):
        return {"type": kind, "value": stated["value"]}
    present = [value for value in addresses(gateway) if value.startswith(NETWORK)]
    network = (f"{NETWORK}{number}" for number in range(FIRST, LAST + 1))
    found = next((value for value in [*present, *network] if value in present or value not in not_free), None)
    return {"type": "IPAddress", "value": found} if found else None


def released(gateway: Object, now: datetime) -> bool:
    """Whether a Gateway that is being deleted has given its address back; at once if it has none."""
    # The API server cuts `deletionTimestamp` to whole seconds.
    since = datetime.fromisoformat(gateway["metadata"]["deletionTimestamp"])
    return not addresses(gateway) or now - since >= timedelta(seconds=RELEASE_SECONDS + 1)
