"""The statuses of classes, Gateways, routes and pools, in the words of the Gateway API's specification.

Pure functions from objects to statuses; `references` looks up what an object refers to.
https://gateway-api.sigs.k8s.io/reference/spec/ defines every reason.
"""

from collections.abc import Mapping, Sequence

from rehearsal.gateway import CONTROLLER, GROUP
from rehearsal.gateway.conditions import Condition, merged
from stacks.kube.api import Object

#: Protocol of a listener -> the kinds of routes it takes.
KINDS: Mapping[str, tuple[str, ...]] = {"HTTP": ("HTTPRoute",), "HTTPS": ("HTTPRoute",)}

ACCEPTED = Condition(True, "Accepted", "Accepted by the rehearsal's gateway controller")
RESOLVED = Condition(True, "ResolvedRefs", "Everything it refers to exists")
PROGRAMMED = Condition(True, "Programmed", "An address is assigned; a rehearsal serves nothing on it")
NO_ADDRESS = Condition(False, "AddressNotAssigned", "Every address of the rehearsal's network is taken")

#: A namespace and a name in it.
Key = tuple[str, str]
#: An entry of `parentRefs`, and the conditions about it by type.
Parent = tuple[Object, Mapping[str, Condition]]


def class_status(found: Object) -> Object:
    """Returns the status of a GatewayClass of this controller. Parameters are refused: they are another controller's."""
    refused = Condition(False, "InvalidParameters", "The rehearsal's gateway controller knows no parameters of a class")
    accepted = refused if found["spec"].get("parametersRef") else ACCEPTED
    return {"conditions": merged(_conditions(found.get("status")), {"Accepted": accepted}, _generation(found))}


def gateway_status(
    gateway: Object, refused: Condition | None, address: Object | None, attached: Mapping[str, int]
) -> Object:
    """Returns the status of a Gateway, with its address if it is accepted, and with its listeners.

    `refused` says why its parameters are not valid, None if they are; `attached` is the number of routes by listener.
    """
    status, generation = gateway.get("status") or {}, _generation(gateway)
    before = {row["name"]: row for row in status.get("listeners") or []}
    listeners = gateway["spec"]["listeners"]
    unserved = [row["name"] for row in listeners if row["protocol"] not in KINDS]
    accepted = refused or ACCEPTED
    if refused is None and unserved:
        message = f"Listeners that cannot be served: {', '.join(unserved)}"
        accepted = Condition(len(unserved) < len(listeners), "ListenersNotValid", message)
    programmed = PROGRAMMED if address else NO_ADDRESS
    if not accepted.holds:
        programmed = Condition(False, "Invalid", "It is not accepted")
    wanted = {"Accepted": accepted, "Programmed": programmed}
    return {
        "addresses": [address] if address and accepted.holds else None,
        "conditions": merged(_conditions(status), wanted, generation),
        "listeners": [
            {
                **_listener_status(row, programmed, _conditions(before.get(row["name"])), generation),
                "attachedRoutes": attached.get(row["name"], 0),
            }
            for row in listeners
        ],
    }


def _listener_status(listener: Object, programmed: Condition, before: Sequence[Object], generation: int) -> Object:
    kinds, unknown = _kinds(listener)
    protocol = listener["protocol"]
    accepted, resolved = ACCEPTED, RESOLVED
    if protocol not in KINDS:
        message = f"Protocol {protocol} is not served; {', '.join(KINDS)} are"
        accepted = Condition(False, "UnsupportedProtocol", message)
        programmed = Condition(False, "Invalid", message)
    if unknown:
        resolved = Condition(False, "InvalidRouteKinds", f"Not served on {protocol}: {', '.join(unknown)}")
    wanted = {
        "Accepted": accepted,
        # The CRD refuses two listeners with one port, protocol and hostname.
        "Conflicted": Condition(False, "NoConflicts", "No other listener has its port, protocol and hostname"),
        "Programmed": programmed,
        "ResolvedRefs": resolved,
    }
    return {
        "name": listener["name"],
        "supportedKinds": [{"group": GROUP, "kind": kind} for kind in kinds],
        "conditions": merged(before, wanted, generation),
    }


def _kinds(listener: Object) -> tuple[list[str], list[str]]:
    """Returns the kinds of routes a listener takes, and those it allows but that its protocol does not serve."""
    served = KINDS.get(listener["protocol"], ())
    allowed = (listener.get("allowedRoutes") or {}).get("kinds")
    if not allowed:
        return list(served), []
    known = [row["kind"] for row in allowed if row.get("group", GROUP) == GROUP and row["kind"] in served]
    return known, [row["kind"] for row in allowed if row["kind"] not in known]


def attachment(
    route: Object, reference: Object, gateway: Object | None, labels: Mapping[str, str]
) -> tuple[Condition, Sequence[str]]:
    """Returns whether the Gateway of a `parentRefs` entry accepts the route, and the names of the listeners that take it.

    `gateway` is None if it does not exist; `labels` are those of the route's namespace.
    """
    place = route["metadata"]["namespace"]
    named = f"Gateway {reference.get('namespace') or place}/{reference['name']}"
    if gateway is None:
        return Condition(False, "NoMatchingParent", f"{named} does not exist"), ()
    wanted = {key: reference[field] for key, field in (("name", "sectionName"), ("port", "port")) if field in reference}
    matching = [row for row in gateway["spec"]["listeners"] if all(row[key] == value for key, value in wanted.items())]
    if not matching:
        words = ", ".join(f"{key} {value}" for key, value in wanted.items())
        return Condition(False, "NoMatchingParent", f"{named} has no listener with {words}"), ()
    taking = [row["name"] for row in matching if _allows(row, route, gateway, labels)]
    if not taking:
        message = f"No listener of {named} allows an HTTPRoute of namespace {place}"
        return Condition(False, "NotAllowedByListeners", message), ()
    return ACCEPTED, taking


def _allows(listener: Object, route: Object, gateway: Object, labels: Mapping[str, str]) -> bool:
    if route["kind"] not in _kinds(listener)[0]:
        return False
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    match allowed.get("from", "Same"):
        case "All":
            return True
        case "Same":
            return bool(route["metadata"]["namespace"] == gateway["metadata"]["namespace"])
        case "Selector":
            selector = allowed.get("selector") or {}
            wanted = (selector.get("matchLabels") or {}).items()
            # matchExpressions are not evaluated, and so nothing is allowed by them.
            return not selector.get("matchExpressions") and all(labels.get(key) == value for key, value in wanted)
    return False


def gateway_of(child: Object, reference: Object) -> Key | None:
    """Returns namespace and name of the Gateway that a `parentRefs` entry of an object names; None if it names no Gateway."""
    if (reference.get("group", GROUP), reference.get("kind", "Gateway")) != (GROUP, "Gateway"):
        return None
    return reference.get("namespace") or child["metadata"]["namespace"], reference["name"]


def parents(route: Object) -> list[tuple[Key, Object]]:
    """Returns the `parentRefs` of a route that name a Gateway, each with that Gateway's namespace and name."""
    references = route["spec"].get("parentRefs") or []
    return [(key, reference) for reference in references if (key := gateway_of(route, reference))]


def parents_status(obj: Object, wanted: Sequence[Parent]) -> Object:
    """Returns the status of a route or an InferencePool: an entry for each parent of this controller.

    Entries of other controllers stay as they are.
    """
    before = (obj.get("status") or {}).get("parents") or []
    ours = [row for row in before if row.get("controllerName") == CONTROLLER]
    made = []
    for reference, conditions in wanted:
        known = next((row for row in ours if row["parentRef"] == reference), None)
        found = merged(_conditions(known), conditions, _generation(obj))
        made.append({"parentRef": reference, "controllerName": CONTROLLER, "conditions": found})
    return {"parents": [*(row for row in before if row not in ours), *made]}


def _conditions(status: Object | None) -> Sequence[Object]:
    return (status or {}).get("conditions") or []


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation") or 0)
