"""Section `cluster` of a stack file: the cluster, its accelerator nodes, and which of them the stack makes.

The keys of each cloud are a section of their own under the cloud's key (`stacks.clouds.registry`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BeforeValidator, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

from stacks.clouds.cloud import EXISTING, Cloud
from stacks.clouds.pools import AcceleratorPool, PoolKey
from stacks.clouds.registry import CLOUDS, section_types
from stacks.kube.context import Context
from stacks.schema import NonEmpty, Positive, Section, StackName

_Section = TypeVar("_Section", bound=Section)

#: The value of `cluster.provider` for the cluster of a platform stack.
OF_A_STACK = "stack"


def providers() -> list[str]:
    """Returns every value of `cluster.provider`."""
    return [*CLOUDS, OF_A_STACK]


def _known(provider: Any) -> Any:
    if provider not in providers():
        expected = " or ".join(f"'{word}'" for word in providers())
        raise PydanticCustomError("literal_error", "unknown provider", {"expected": expected})
    return provider


class Cluster(Section, extra="allow"):
    """A cluster. It is reached by a context of a kubeconfig, which the stack file names; the program never guesses it.

    `existing`: another owner makes its nodes. `machine` and `nodes` are then facts about its accelerator nodes: the rules check
    the fit against them and a rehearsal simulates them. Defaults: the first machine of the table that serves the fabric, and as
    many nodes as the sizing needs.

    The key of a cloud: the stack makes `nodes` nodes of `machine` there, and the cluster too if the cloud's section says so.
    `context` leads to that cluster. It is left out until the cluster exists, or always if the kubeconfig follows from the
    cluster.

    `stack`: the nodes of a platform stack. `stack` is its name, or `organization/project/name` if it belongs to another project;
    kubeconfig, context, machine and nodes come from that stack.

    `protect`: no `up` or `destroy` deletes or replaces a resource that bills until `protect` is false and `up` has run.
    `allowReplace` lets one change replace the pools it names.
    """

    provider: Annotated[str, BeforeValidator(_known)] = EXISTING.key
    stack: StackName | None = None
    kubeconfig: NonEmpty | None = None
    context: NonEmpty | None = None
    machine: NonEmpty | None = None
    nodes: Positive | None = None
    protect: bool = True
    allow_replace: tuple[PoolKey, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _with_sections(cls, given: Any, handler: ModelWrapValidatorHandler["Cluster"]) -> "Cluster":
        """Reads each cloud's section by its own type. The registry of clouds is asked only when a file is read."""
        if not isinstance(given, dict):
            return handler(given)
        keys = {field.alias for field in cls.model_fields.values()}
        own: dict[str, Any] = {}
        errors: list[InitErrorDetails] = []
        sections = section_types()
        for key, value in given.items():
            section = sections.get(key)
            if section is not None and not isinstance(value, section | None):
                try:
                    own[key] = section.model_validate_json(json.dumps(value))
                except ValidationError as error:
                    if _is_another_makers(given, key):
                        own[key] = section.model_construct()  # nothing of it counts, which a rule says
                    else:
                        errors += _under(key, error)
            elif section is not None or key in keys:
                # JSON has lists only.
                own[key] = tuple(value) if isinstance(value, list) else value
            else:
                errors.append(InitErrorDetails(type="extra_forbidden", loc=(key,), input=value))
        try:
            cluster = handler({key: value for key, value in own.items() if value is not None or key in keys})
        except ValidationError as error:
            errors += [{**detail, "input": _at(given, detail["loc"])} for detail in _details(error)]
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return cluster

    @classmethod
    def keys(cls) -> Iterator[str]:
        """Yields every key of the section as YAML spells it, the clouds' sections among them."""
        yield from super().keys()
        yield from section_types()

    @property
    def sections(self) -> Mapping[str, Section]:
        """The clouds' sections in the file, by the cloud's key."""
        return {key: section for key, section in (self.model_extra or {}).items() if section is not None}

    @property
    def cloud(self) -> Cloud:
        """The cloud of the nodes: the provider, or the platform stack's provider once that stack was read."""
        if self.provider != OF_A_STACK:
            return CLOUDS[self.provider]
        return next((CLOUDS[key] for key in self.sections), EXISTING)

    @property
    def section(self) -> Section | None:
        """The cloud's section. If left out: its defaults if all its keys have one, else None; None too if the cloud has no
        section.
        """
        cloud = self.cloud
        if cloud.section_type is None or cloud.key in self.sections:
            return self.sections.get(cloud.key)
        required = any(field.is_required() for field in cloud.section_type.model_fields.values())
        return None if required else cloud.section_type()

    def own(self, kind: type[_Section]) -> _Section | None:
        """Returns the section if it has this type and the stack makes nodes by it, else None."""
        section = self.section
        return section if self.makes_nodes and isinstance(section, kind) else None

    @property
    def makes_nodes(self) -> bool:
        """Whether the stack makes the accelerator nodes, so that they are exactly as its file says."""
        return self.provider != OF_A_STACK and self.cloud.makes_nodes

    @property
    def is_new(self) -> bool:
        """Whether the stack makes the cluster and names no context of an existing one."""
        return self.makes_nodes and self.cloud.is_new(self.section, self.context)

    @property
    def accelerator_pool(self) -> AcceleratorPool:
        """The pool of accelerator nodes, in any cloud."""
        return self.cloud.accelerator_pool(self.section)

    @property
    def at(self) -> Context:
        """The context that leads to the existing cluster."""
        return Context(self.kubeconfig, self.context)


def _is_another_makers(given: Mapping[str, Any], key: str) -> bool:
    """Whether the provider makes nodes and has another section than this."""
    maker = CLOUDS.get(str(given.get("provider")))
    return maker is not None and maker.makes_nodes and maker.key != key


def _at(given: Any, location: Sequence[str | int]) -> Any:
    """Returns the input at a place, as it was before lists became tuples."""
    for step in location:
        given = given.get(step) if isinstance(given, dict) else given[int(step)] if isinstance(given, list) else given
    return given


def _under(key: str, error: ValidationError) -> list[InitErrorDetails]:
    return [{**detail, "loc": (key, *detail["loc"])} for detail in _details(error)]


def _details(error: ValidationError) -> list[InitErrorDetails]:
    """Returns the errors in the form in which pydantic raises them again."""
    known = get_args(ErrorType)
    found: list[InitErrorDetails] = []
    for row in error.errors(include_url=False):
        kind, context = row["type"], row.get("ctx", {})
        detail: InitErrorDetails = {
            "type": kind if kind in known else PydanticCustomError(kind, row["msg"], context),
            "loc": row["loc"],
            "input": row["input"],
        }
        if context and kind in known:
            detail["ctx"] = context
        found.append(detail)
    return found
