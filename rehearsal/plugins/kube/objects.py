"""Kubernetes objects as Pulumi inputs and outputs: names, ids, and the translation both ways. Asks no server."""

import base64
import copy
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from rehearsal.plugins.values import is_unknown, secret

AUTONAMED = "pulumi.com/autonamed"
FIELD_MANAGER = "__fieldManager"  # kept in the state, so that the next update is made under the same name
# The inputs of an update after which the object did not become ready: the engine keeps those of the last success instead.
APPLIED_INPUTS = "__inputs"

_SERVER_OWNED = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_SERVER_ANNOTATIONS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
# Maps of quantities: the API server writes "1000m" as "1".
_QUANTITIES = frozenset({"limits", "requests", "capacity", "hard", "sizeLimit", "overhead", "divisor"})
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def object_id(obj: Mapping[str, Any]) -> str:
    """Returns `namespace/name`, or `name` for an object without namespace."""
    metadata = obj["metadata"]
    return "/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part)


def split_id(id_: str) -> tuple[str, str]:
    """Returns the namespace, which can be empty, and the name."""
    namespace, slash, name = id_.partition("/")
    return (namespace, name) if slash else ("", namespace)


def annotation(obj: Mapping[str, Any], key: str) -> str:
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(key) or "")


def annotated(obj: Mapping[str, Any], key: str) -> bool:
    """Whether an annotation is true."""
    return annotation(obj, key).lower() == "true"


def to_object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Returns inputs for the API server: `x_kubernetes_…` fields with dashes, no field that only the server sets."""
    obj: dict[str, Any] = _renamed(properties, "x_kubernetes_", "_", "-")
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        for key in _SERVER_OWNED:
            metadata.pop(key, None)
    return obj


def to_state(live: Mapping[str, Any], field_manager: str) -> dict[str, Any]:
    """Returns a live object as outputs. A Secret's data is secret, also if the program wrote `stringData`."""
    state: dict[str, Any] = _renamed(live, "x-kubernetes-", "-", "_")
    state.setdefault("metadata", {}).pop("managedFields", None)
    if state.get("kind") == "Secret" and state.get("apiVersion") == "v1" and "data" in state:
        state["data"] = secret(state["data"])
    state[FIELD_MANAGER] = field_manager
    return state


def unready(state: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns outputs of an object that is not ready. All secret: which of its inputs are secret is not known here."""
    return {**state, APPLIED_INPUTS: secret(inputs)}


def applied(old: dict[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the inputs to compare new ones with: those of the object, if the last update left it unready."""
    inputs = state.get(APPLIED_INPUTS)
    return inputs_of(state, inputs) if inputs else old


def named(new: dict[str, Any], old: Mapping[str, Any], proposal: str) -> dict[str, Any]:
    """Returns `new` with a name: its own, that generated for the old object, or `proposal`."""
    metadata = new.setdefault("metadata", {})
    if is_unknown(metadata):
        return new
    if not metadata.get("name"):
        kept = (old.get("metadata") or {}).get("name") if annotated(old, AUTONAMED) else None
        metadata["name"] = kept or proposal
        metadata.setdefault("annotations", {})[AUTONAMED] = "true"
    return new


def inputs_of(live: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the live values of the program's inputs, by which a refresh replaces the inputs."""
    current = _pruned(live, inputs, quantities=False)
    if live.get("kind") == "Secret" and inputs.get("stringData"):
        data = live.get("data") or {}
        current["stringData"] = {key: _decoded(data[key]) for key in inputs["stringData"] if key in data}
    return dict(current)


def import_inputs(live: Mapping[str, Any]) -> dict[str, Any]:
    """Returns inputs for an imported object: every field that a user can set."""
    inputs = copy.deepcopy(dict(live))
    inputs.pop("status", None)
    metadata = inputs["metadata"]
    for key in _SERVER_OWNED:
        metadata.pop(key, None)
    annotations = metadata.get("annotations") or {}
    for key in _SERVER_ANNOTATIONS:
        annotations.pop(key, None)
    if not annotations:
        metadata.pop("annotations", None)
    return inputs


def _renamed(value: Any, prefix: str, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {
            (key.replace(old, new) if key.startswith(prefix) else key): _renamed(item, prefix, old, new)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, prefix, old, new) for item in value]
    return value


def _pruned(live: Any, shape: Any, *, quantities: bool) -> Any:
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {
            key: _pruned(live[key], item, quantities=quantities or key in _QUANTITIES)
            for key, item in shape.items()
            if key in live
        } | {
            key: item for key, item in shape.items() if key not in live and item == ""
        }  # which the API server does not keep
    if isinstance(live, list) and isinstance(shape, list):
        known = [_pruned(item, wanted, quantities=quantities) for item, wanted in zip(live, shape, strict=False)]
        return known + live[len(shape) :]
    if quantities and _quantity(live) is not None and _quantity(live) == _quantity(shape):
        return shape
    return live


def _quantity(value: Any) -> Decimal | None:
    text = str(value)
    number = text.rstrip("numkMGTPEi")
    suffix = text[len(number) :]
    try:
        if suffix in _BINARY:
            return Decimal(number) * Decimal(1024) ** _BINARY[suffix]
        return Decimal(number).scaleb(_SUFFIXES[suffix]) if suffix in _SUFFIXES else None
    except InvalidOperation:
        return None


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode(errors="replace")
