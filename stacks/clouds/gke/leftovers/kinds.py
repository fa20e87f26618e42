"""The kinds of Google's resources ("things") that a stack on GKE can leave behind, as rows: the list that has them, whether they
bill, and the description of one. `stacks.clouds.gke.leftovers.owners` decides which stack owns a thing.

Left out are kinds that block nothing and cost nothing (IAM bindings, routes, certificates), and things that are deleted together
with a listed thing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind: its `name` for people, the `path` of its list below the project's, a function that describes a thing, and whether
    things of it bill.
    """

    name: str
    path: str
    what: Callable[[Object], str]
    bills: bool = False
    api: str = "compute"
    #: The key of the list in an answer that is not aggregated.
    items: str = "items"


def place(obj: Object) -> str:
    """Returns the zone or region of a thing; empty for a global thing."""
    return last(str(obj.get("zone") or obj.get("region") or ""))


def last(path: str) -> str:
    """Returns the last part of a path or link."""
    return path.rpartition("/")[2]


def _said(*parts: object) -> str:
    return ", ".join(str(part) for part in parts if part)


def _located(obj: Object) -> str:
    return place(obj)


def _instance(obj: Object) -> str:
    return _said(last(str(obj.get("machineType", ""))), place(obj), obj.get("status"))


def _balanced(obj: Object) -> str:
    address = obj.get("IPAddress")
    return _said(f"load balancer at {address}" if address else "load balancer", place(obj))


def _address(obj: Object) -> str:
    return _said(obj.get("address"), place(obj), "in use" if obj.get("users") else "reserved and not in use")


def _disk(obj: Object) -> str:
    size, users = obj.get("sizeGb"), [last(user) for user in obj.get("users") or ()]
    used = f"attached to {', '.join(users)}" if users else "attached to nothing"
    return _said(f"{size} GB" if size else "", last(str(obj.get("type", ""))), place(obj), used)


def _filestore(obj: Object) -> str:
    sizes = [share.get("capacityGb") for share in obj.get("fileShares") or ()]
    return _said(f"{sizes[0]} GB" if sizes else "", obj.get("tier"), obj["name"].split("/")[-3], obj.get("state"))


def _endpoints(obj: Object) -> str:
    return _said(f"{obj.get('size', 0)} endpoints", place(obj))


def _nothing(_: Object) -> str:
    return ""


FILESTORE = Kind(
    "Filestore instance", "locations/-/instances", _filestore, bills=True, api="file", items="instances"
)  # fmt: skip
DISK = Kind("Disk", "aggregated/disks", _disk, bills=True)
INSTANCE = Kind("VM instance", "aggregated/instances", _instance, bills=True)
HEALTH_CHECK = Kind("Health check", "aggregated/healthChecks", _located)
HTTP_HEALTH_CHECK = Kind("Health check", "global/httpHealthChecks", _nothing)
ROUTER = Kind("Cloud Router", "aggregated/routers", _located)
SUBNET = Kind("Subnet", "aggregated/subnetworks", _located)
NETWORK = Kind("Network", "global/networks", _nothing)

#: In deletion order: each can be deleted once those before it are.
KINDS = (
    INSTANCE,
    Kind("Instance group", "aggregated/instanceGroups", _located),
    Kind("Forwarding rule", "aggregated/forwardingRules", _balanced, bills=True),
    Kind("Address", "aggregated/addresses", _address, bills=True),
    Kind("Target proxy", "aggregated/targetHttpProxies", _located),
    Kind("Target proxy", "aggregated/targetHttpsProxies", _located),
    Kind("Target proxy", "aggregated/targetTcpProxies", _located),
    Kind("URL map", "aggregated/urlMaps", _located),
    Kind("Backend service", "aggregated/backendServices", _located),
    Kind("Target pool", "aggregated/targetPools", _located),
    Kind("Network endpoint group", "aggregated/networkEndpointGroups", _endpoints),
    HEALTH_CHECK,
    HTTP_HEALTH_CHECK,
    DISK,
    FILESTORE,
    ROUTER,
    Kind("Firewall rule", "global/firewalls", _nothing),
    SUBNET,
    NETWORK,
)


def items(kind: Kind, page: Object) -> Iterator[Object]:
    """Yields the things on one page of a list. An aggregated list has them by region or zone."""
    found = page.get(kind.items) or []
    if not isinstance(found, Mapping):
        yield from found
        return
    for given in found.values():
        yield from given.get(last(kind.path)) or []


def silent(page: Object) -> Iterator[str]:
    """Yields the regions and zones that are missing on a page because they do not answer."""
    for key in ("unreachables", "unreachable", "missingZones"):
        yield from map(last, page.get(key) or ())
    found = page.get("items")
    for scope, given in found.items() if isinstance(found, Mapping) else ():
        if (given.get("warning") or {}).get("code") == "UNREACHABLE":
            yield last(scope)
