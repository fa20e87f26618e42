"""`cluster` of a stack file: which cluster, what its accelerator nodes are, and which of them the stack makes.

Each cloud's own keys are a section under the cloud's word (`stacks.clouds.registry`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BeforeValidator, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

from stacks.clouds.cloud import EXISTING, Cloud
from stacks.clouds.pools import AcceleratorPool, PoolKey
from stacks.clouds.registry import CLOUDS
from stacks.kube.context import Context
from stacks.schema import NonEmpty, Positive, Section, StackName

_Section = TypeVar("_Section", bound=Section)

#: The word of `cluster.provider` for the cluster of a platform stack.
OF_A_STACK = "stack"


def providers() -> list[str]:
    """Every word of `cluster.provider`."""
    return [*CLOUDS, OF_A_STACK]


def _known(provider: Any) -> Any:
    if provider not in providers():
        expected = " or ".join(f"'{word}'" for word in providers())
        raise PydanticCustomError("literal_error", "unknown provider", {"expected": expected})
    return provider


class Cluster(Section, extra="allow"):
    """A cluster, reached by a context of a kubeconfig, which the program is told and never guesses.

    `existing`: another owner makes its nodes. `machine` and `nodes` are then facts about its accelerator nodes: the rules check
    the fit against them and a rehearsal simulates them. Left out, they are the first machine of the table that serves the
    fabric, and as many nodes as the sizing needs.

    The word of a cloud: the stack makes nodes there, of this machine and with this many nodes, and the cluster too if its section
    says so. `context` then leads to the cluster, and is left out until that exists, or for good if it follows from the cluster.

    `stack`: the nodes of a platform stack. `stack` is its name, or `organization/project/name` if it belongs to another project;
    kubeconfig, context, machine and nodes are what that stack says.

    `protect`: nothing that bills is deleted or replaced by an `up` or a `destroy` until it is false and `up` has run.
    `allowReplace` lets a change replace the pools it names, once.
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
        """Reads the clouds' sections by their own types: which clouds there are, the registry says when a file is read."""
        if not isinstance(given, dict):
            return handler(given)
        keys = {field.alias for field in cls.model_fields.values()}
        own: dict[str, Any] = {}
        errors: list[InitErrorDetails] = []
        for key, value in given.items():
            section = CLOUDS[key].section_type if key in CLOUDS else None
            if section is not None and not isinstance(value, section | None):
                try:
                    own[key] = section.model_validate_json(json.dumps(value))
                except ValidationError as error:
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
        """Every key of the section, as YAML spells it, the clouds' own among them."""
        yield from super().keys()
        yield from (key for key, cloud in CLOUDS.items() if cloud.section_type is not None)

    @property
    def sections(self) -> Mapping[str, Section]:
        """The sections of clouds in the stack file, by the cloud's key."""
        return {key: section for key, section in (self.model_extra or {}).items() if section is not None}

    @property
    def cloud(self) -> Cloud:
        """The cloud whose nodes these are: the provider, or that of the platform stack once it was read."""
        if self.provider != OF_A_STACK:
            return CLOUDS[self.provider]
        return next((CLOUDS[key] for key in self.sections), EXISTING)

    @property
    def section(self) -> Section | None:
        """The section of the nodes' cloud: its defaults if it may be left out; None if it is missing, or the cloud has none."""
        cloud = self.cloud
        if cloud.section_type is None or cloud.key in self.sections:
            return self.sections.get(cloud.key)
        required = any(field.is_required() for field in cloud.section_type.model_fields.values())
        return None if required else cloud.section_type()

    def own(self, kind: type[_Section]) -> _Section | None:
        """The section if it is of this type and the stack makes nodes by it, else None."""
        section = self.section
        return section if self.makes_nodes and isinstance(section, kind) else None

    @property
    def makes_nodes(self) -> bool:
        """Whether the accelerator nodes are the stack's own, and so exactly what it says."""
        return self.provider != OF_A_STACK and self.cloud.makes_nodes

    @property
    def is_new(self) -> bool:
        """Whether the stack makes the cluster and names none that exists."""
        return self.makes_nodes and self.cloud.is_new(self.section, self.context)

    @property
    def accelerator_pool(self) -> AcceleratorPool:
        """The settings of the accelerator nodes, in any cloud."""
        return self.cloud.accelerator_pool(self.section)

    @property
    def at(self) -> Context:
        """The kubeconfig and context of the existing cluster."""
        return Context(self.kubeconfig, self.context)


def _at(given: Any, location: Sequence[str | int]) -> Any:
    """Returns the input at a place, before lists became tuples."""
    for step in location:
        given = given.get(step) if isinstance(given, dict) else given[int(step)] if isinstance(given, list) else given
    return given


def _under(key: str, error: ValidationError) -> list[InitErrorDetails]:
    return [{**detail, "loc": (key, *detail["loc"])} for detail in _details(error)]


def _details(error: ValidationError) -> list[InitErrorDetails]:
    """The errors, to be raised again."""
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
