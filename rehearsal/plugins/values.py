"""Property values between the Pulumi wire (protobuf `Struct`) and plain Python.

Owns the three special values of the wire: secrets (a signed map around the value), unknowns (well-known strings) and numbers
(always floats). Assets, archives and resource references are left out: the stand-ins declare that they do not accept them.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value  # type: ignore[import-untyped]

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

# sdk/go/common/resource/plugin/rpc.go: one per type the engine may expect; Python programs send the string's.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def to_python(struct: Struct) -> dict[str, Any]:
    """Returns a `Struct` as a dict: secrets unwrapped, whole numbers as ints, unknowns as their marker strings."""
    return {key: _value(value) for key, value in struct.fields.items()}


def to_struct(properties: Mapping[str, Any]) -> Struct:
    """Returns a dict of plain values (and `secret(...)` wrappers) as a `Struct`."""
    struct = Struct()
    for key, value in properties.items():
        struct.fields[key].CopyFrom(_wire(value))
    return struct


def secret(value: Any) -> dict[str, Any]:
    """Marks a value as secret: the engine encrypts it in the state and prints `[secret]`."""
    return {SIGNATURE: SECRET, "value": value}


def is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in _UNKNOWNS


def contains_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, is not known before the update runs."""
    if isinstance(value, dict):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return is_unknown(value)


def _value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return _value(fields["value"])
        return {key: _value(item) for key, item in fields.items()}
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def _wire(value: Any) -> Value:
    if value is None:
        return Value(null_value=0)
    if isinstance(value, bool):
        return Value(bool_value=value)
    if isinstance(value, int | float):
        return Value(number_value=value)
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, Mapping):
        return Value(struct_value=to_struct(value))
    if isinstance(value, list | tuple):
        return Value(list_value=ListValue(values=[_wire(item) for item in value]))
    raise TypeError(f"a value of type {type(value).__name__} cannot travel to the Pulumi engine: {value!r}")
