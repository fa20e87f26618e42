"""The sections of a stack file by their places: their types, keys and constraints."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from stacks.clouds.registry import section_types
from stacks.findings import Place
from stacks.schema import Section, marks_of
from stacks.spec.cluster import Cluster
from stacks.spec.stack import StackSpec


def keys_of(location: Place) -> Iterator[str]:
    """The keys of a section, as YAML spells them."""
    section = section_at(location)
    if isinstance(section, type) and issubclass(section, Section):
        yield from section.keys()
    else:
        yield from getattr(section, "__annotations__", {})


def section_at(location: Place) -> Any:
    """The type of a section."""
    section: Any = StackSpec
    for step in location:
        section = next(iter(get_args(section)), None) if isinstance(step, int) else _under(section, str(step))
        if get_origin(section) in (Union, UnionType):  # `Chart | None` is about Chart
            section = next((part for part in get_args(section) if part is not NoneType), None)
    return section


def _under(section: Any, key: str) -> Any:
    """The type of the value under a key of a section; of `cluster`, also of a cloud's key."""
    field = field_of(section, key)
    if field is None and section is Cluster:
        return section_types().get(key)
    return field.annotation if field else None


def field_of(section: Any, key: str) -> FieldInfo | None:
    return next((info for info in getattr(section, "model_fields", {}).values() if info.alias == key), None)


def is_required(place: Place) -> bool:
    """Whether the section of a place demands its key."""
    section, key = section_at(place[:-1]), str(place[-1])
    if isinstance(demanded := getattr(section, "__required_keys__", None), frozenset):
        return key in demanded
    field = field_of(section, key)
    return field is not None and field.is_required()


def has_default(place: Place) -> bool:
    """Whether the key of a place is one of a section, which has a default for it."""
    field = field_of(section_at(place[:-1]), str(place[-1]))
    return field is not None and not field.is_required()


def constraints(place: Place, name: str) -> list[Any]:
    """The constraints of a field that have a name, such as `ge`: its own, and those of `… | None`."""
    field = field_of(section_at(place[:-1]), str(place[-1])) or FieldInfo()
    parts = [inner for part in marks_of(field) for inner in getattr(part, "metadata", (part,))]
    return [found for part in parts if (found := getattr(part, name, None)) is not None]
