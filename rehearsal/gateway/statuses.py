"""What the controller says of classes, Gateways, routes and pools, in the words of the Gateway API's specification.

Pure functions from objects to statuses; who is asked for what an object refers to is `references`' affair.
https://gateway-api.sigs.k8s.io/reference/spec/ has the meaning of every reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rehearsal.gateway import CONTROLLER, GROUP
from rehearsal.gateway.conditions import Answer, conditions
from stacks.kube.api import Object

#: Protocol of a listener -> the kinds of routes served there.
KINDS: Mapping[str, tuple[str, ...]] = {"HTTP": ("HTTPRoute",), "HTTPS": ("HTTPRoute",)}

ACCEPTED = Answer(True, "Accepted", "Accepted by the rehearsal's gateway controller")
RESOLVED = Answer(True, "ResolvedRefs", "Everything it refers to exists")
PROGRAMMED = Answer(True, "Programmed", "An address is assigned; a rehearsal serves nothing on it")
NO_ADDRESS = Answer(False, "AddressNotAssigned", "Every address of the rehearsal's network is taken")


@dataclass(frozen=True)
class Attachment:
    """Where one of a route's parents takes it: the answer, and the names of the listeners."""

    accepted: Answer
    listeners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Programming:
    """What is known of a Gateway beside its own words. `problem`: why it is refused, None where it is not."""

    problem: Answer | None
    address: Object | None
    attached: Mapping[str, int] = field(default_factory=dict)


def class_status(found: Object) -> Object:
    """Of a GatewayClass of ours. Parameters of a class are somebody's who expects another controller."""
    refused = Answer(False, "InvalidParameters", "The rehearsal's gateway controller knows no parameters of a class")
    answer = refused if found["spec"].get("parametersRef") else ACCEPTED
    status = found.get("status") or {}
    return {"conditions": conditions(status.get("conditions") or [], {"Accepted": answer}, _generation(found))}


def gateway_status(gateway: Object, known: Programming) -> Object:
    """Of a Gateway of ours: with an address when it is accepted, with its listeners either way."""
    status = gateway.get("status") or {}
    before = {row["name"]: row for row in status.get("listeners") or []}
    listeners = gateway["spec"]["listeners"]
    refused = [row["name"] for row in listeners if not _accepts(row).holds]
    accepted = known.problem or ACCEPTED
    if known.problem is None and refused:
        message = f"Listeners that cannot be served: {', '.join(refused)}"
        accepted = Answer(len(refused) < len(listeners), "ListenersNotValid", message)
    programmed = PROGRAMMED if known.address else NO_ADDRESS
    if not accepted.holds:
        programmed = Answer(False, "Invalid", "It is not accepted")
    answers = {"Accepted": accepted, "Programmed": programmed}
    generation = _generation(gateway)
    return {
        "addresses": [known.address] if known.address and accepted.holds else None,
        "conditions": conditions(status.get("conditions") or [], answers, generation),
        "listeners": [
            _listener_status(row, before.get(row["name"], {}), known, generation, programmed) for row in listeners
        ],
    }


def _listener_status(
    listener: Object, before: Object, known: Programming, generation: int, gateway_programmed: Answer
) -> Object:
    kinds, unknown = _kinds(listener)
    accepted = _accepts(listener)
    resolved = RESOLVED
    if unknown:
        resolved = Answer(False, "InvalidRouteKinds", f"Not served on {listener['protocol']}: {', '.join(unknown)}")
    programmed = gateway_programmed if accepted.holds else Answer(False, "Invalid", accepted.message)
    answers = {
        "Accepted": accepted,
        "Conflicted": Answer(False, "NoConflicts", "No other listener has its port, protocol and hostname"),
        "Programmed": programmed,
        "ResolvedRefs": resolved,
    }
    return {
        "name": listener["name"],
        "attachedRoutes": known.attached.get(listener["name"], 0),
        "supportedKinds": [{"group": GROUP, "kind": kind} for kind in kinds],
        "conditions": conditions(before.get("conditions") or [], answers, generation),
    }


def _accepts(listener: Object) -> Answer:
    if listener["protocol"] in KINDS:
        return ACCEPTED
    return Answer(
        False, "UnsupportedProtocol", f"Protocol {listener['protocol']} is not served; {', '.join(KINDS)} are"
    )


def _kinds(listener: Object) -> tuple[list[str], list[str]]:
    """The kinds of routes a listener takes, and those it asks for in vain."""
    served = KINDS.get(listener["protocol"], ())
    asked = (listener.get("allowedRoutes") or {}).get("kinds")
    if not asked:
        return list(served), []
    known = [row["kind"] for row in asked if row.get("group", GROUP) == GROUP and row["kind"] in served]
    return known, [row["kind"] for row in asked if row["kind"] not in known]


def attachment(route: Object, reference: Object, gateway: Object | None, labels: Mapping[str, str]) -> Attachment:
    """Whether the Gateway a route's `parentRefs` entry names takes it, and on which listeners.

    `labels` are those of the route's namespace.
    """
    named = f"Gateway {parent_key(route, reference)[0]}/{reference['name']}"
    if gateway is None:
        return Attachment(Answer(False, "NoMatchingParent", f"{named} does not exist"))
    wanted = {"name": reference.get("sectionName"), "port": reference.get("port")}
    matching = [
        row
        for row in gateway["spec"]["listeners"]
        if all(value is None or row[key] == value for key, value in wanted.items())
    ]
    if not matching:
        words = ", ".join(f"{key} {value}" for key, value in wanted.items() if value is not None)
        return Attachment(Answer(False, "NoMatchingParent", f"{named} has no listener with {words}"))
    taking = [row["name"] for row in matching if _allows(row, route, gateway, labels)]
    if not taking:
        place = route["metadata"]["namespace"]
        message = f"No listener of {named} allows an HTTPRoute of namespace {place}"
        return Attachment(Answer(False, "NotAllowedByListeners", message))
    return Attachment(ACCEPTED, tuple(taking))


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
            # Expressions are not understood here, and what is not understood is not allowed.
            return not selector.get("matchExpressions") and all(labels.get(key) == value for key, value in wanted)
    return False


def parent_key(child: Object, reference: Object) -> tuple[str, str]:
    """Namespace and name of the Gateway that a `parentRefs` entry of an object means."""
    return reference.get("namespace") or child["metadata"]["namespace"], reference["name"]


def names_a_gateway(reference: Object) -> bool:
    """Whether a `parentRefs` entry is about a Gateway."""
    return (reference.get("group", GROUP), reference.get("kind", "Gateway")) == (GROUP, "Gateway")


def route_status(route: Object, answers: Sequence[tuple[Object, Mapping[str, Answer]]]) -> Object:
    """Of a route: one entry for each of its parents that is ours, with those of other controllers left as they are."""
    before = (route.get("status") or {}).get("parents") or []
    return {"parents": _parents(before, answers, _generation(route))}


def pool_status(pool: Object, answers: Sequence[tuple[Object, Mapping[str, Answer]]]) -> Object:
    """Of an InferencePool: one entry for each Gateway of ours that a route connects it with."""
    before = (pool.get("status") or {}).get("parents") or []
    return {"parents": _parents(before, answers, _generation(pool))}


def _parents(
    before: Sequence[Object], answers: Sequence[tuple[Object, Mapping[str, Answer]]], generation: int
) -> list[Object]:
    ours = [row for row in before if row.get("controllerName") == CONTROLLER]
    made = []
    for reference, about in answers:
        known = next((row for row in ours if row["parentRef"] == reference), {})
        found = conditions(known.get("conditions") or [], about, generation)
        made.append({"parentRef": reference, "controllerName": CONTROLLER, "conditions": found})
    return [*(row for row in before if row.get("controllerName") != CONTROLLER), *made]


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation") or 0)
