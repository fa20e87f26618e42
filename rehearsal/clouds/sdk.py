"""The arguments that a cloud's installed SDK declares: which exist, and of which type they are.

A value that is not known yet, in a preview, may be of any type.
"""

import inspect
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import pulumi

from rehearsal.plugins.values import is_unknown
from stacks.clouds.resource import Ref, Resource

#: Names in the SDK's annotations that its modules do not define.
_NAMES: dict[str, Any] = {"Output": pulumi.Output, "T": TypeVar("T")}


class Mistake(NamedTuple):
    """An argument that the SDK refuses: its path, and why."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@cache  # classes are few
def arguments(declared: Any) -> dict[str, Any]:
    """Returns the declared types of the arguments of a class `…Args`, by name."""
    module = vars(import_module(declared.__module__))
    hints = typing.get_type_hints(declared.__init__, globalns={**_NAMES, **module})
    return {name: hint for name, hint in hints.items() if name not in ("return", "__self__")}


@dataclass(frozen=True)
class Sdk:
    """An installed SDK; `package` is its name."""

    package: str

    def class_of(self, kind: str) -> Any:
        """Returns a resource's class by its path (`container.NodePool`)."""
        package, _, name = f"{self.package}.{kind}".rpartition(".")
        return getattr(import_module(package), name)

    def arguments_of(self, kind: str) -> Any:
        """Returns the class of a resource's arguments."""
        found = self.class_of(kind)
        return getattr(import_module(found.__module__), f"{found.__name__}Args")

    def mistakes(self, resource: Resource, kinds: Mapping[str, str]) -> list[Mistake]:
        """Returns the arguments of a resource that the SDK refuses; `kinds` has the class paths of resources it can refer to."""
        return [*self._of_class(resource.args, self.arguments_of(resource.type), "", kinds)]

    def declares(self, kind: str, path: str) -> bool:
        """Whether the SDK has an argument at a path; the path can lead through lists."""
        here = self.arguments_of(kind)
        for step in path.split("."):
            known = arguments(here) if _is_args(here) else {}
            if step not in known:
                return False
            here = next((option for option in _elements(known[step]) if _is_args(option)), None)
        return True

    def _of_class(
        self, given: Mapping[str, Any], declared: Any, path: str, kinds: Mapping[str, str]
    ) -> Iterator[Mistake]:
        known: Mapping[str, Any] = arguments(declared)
        parameters = inspect.signature(declared.__init__).parameters
        for name, parameter in parameters.items():
            if name in known and parameter.default is inspect.Parameter.empty and name not in given:
                yield Mistake(f"{path}{name}", "it is required")
        for name, value in given.items():
            if name not in known:
                yield Mistake(f"{path}{name}", "there is no such argument")
            else:
                yield from self._of_type(value, known[name], f"{path}{name}", kinds)

    def _of_type(self, value: Any, hint: Any, path: str, kinds: Mapping[str, str]) -> Iterator[Mistake]:
        options = [*_options(hint)]
        if isinstance(value, Ref):
            yield from self._of_reference(value, options, path, kinds)
        elif is_unknown(value) or value is None or Any in options:
            return
        elif isinstance(value, Mapping):
            nested = next((option for option in options if _is_args(option)), None)
            mapping = next((option for option in options if typing.get_origin(option) is _origin(Mapping)), None)
            if nested:
                yield from self._of_class(value, nested, f"{path}.", kinds)
            elif mapping:
                for key, part in value.items():
                    yield from self._of_type(part, typing.get_args(mapping)[1], f"{path}[{key}]", kinds)
            else:
                yield Mistake(path, "a map is not taken")
        elif isinstance(value, list):
            many = next((option for option in options if typing.get_origin(option) is _origin(Sequence)), None)
            if many is None:
                yield Mistake(path, "a list is not taken")
                return
            for index, part in enumerate(value):
                yield from self._of_type(part, typing.get_args(many)[0], f"{path}[{index}]", kinds)
        elif type(value) not in options and not (type(value) is int and float in options):
            yield Mistake(path, f"{value!r} is not of {_words(options)}")

    def _of_reference(self, ref: Ref, options: Sequence[Any], path: str, kinds: Mapping[str, str]) -> Iterator[Mistake]:
        attribute = inspect.getattr_static(self.class_of(kinds[ref.resource]), ref.attribute, None)
        if attribute is None:
            yield Mistake(path, f"{kinds[ref.resource]} has no {ref.attribute}")
            return
        module = vars(import_module(self.class_of(kinds[ref.resource]).__module__))
        (given,) = typing.get_args(typing.get_type_hints(attribute.fget, globalns={**_NAMES, **module})["return"])
        if given not in options:
            yield Mistake(path, f"{ref.attribute} is a {given}, not of {_words(options)}")


def _words(options: Sequence[Any]) -> str:
    return " or ".join(option.__name__ if inspect.isclass(option) else str(option) for option in options)


def _options(hint: Any) -> Iterator[Any]:
    """Yields the types that a hint accepts, without Pulumi's types for later values."""
    origin = typing.get_origin(hint)
    if origin is typing.Union:
        for option in typing.get_args(hint):
            yield from _options(option)
    elif origin not in (_origin(Awaitable), pulumi.Output) and hint is not type(None):
        yield hint


def _elements(hint: Any) -> Iterator[Any]:
    """Yields the types that a hint accepts, and those of the elements of a list."""
    for option in _options(hint):
        many = typing.get_origin(option) is _origin(Sequence)
        yield from _options(typing.get_args(option)[0]) if many else (option,)


def _origin(generic: Any) -> Any:
    return typing.get_origin(generic) or generic


def _is_args(hint: Any) -> bool:
    return inspect.isclass(hint) and hint.__name__.endswith("Args")
