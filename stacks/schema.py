"""The base class of the sections of a stack file, and the types of their texts. The sections are in `stacks.spec`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from stacks.findings import UnknownError

_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
_SUBDOMAIN = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
_FLAG = r"^[a-z][-a-z0-9]*$"
_CORES = r"^[0-9]+(\.[0-9]{1,3}|m)?$"
_MEMORY = r"^[0-9]+(\.[0-9]+)?(k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)$"
_ENV_NAME = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
_MODEL = r"^/?[A-Za-z0-9][-A-Za-z0-9._]*(/[A-Za-z0-9][-A-Za-z0-9._]*)*$"
_DURATION = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
_HEADER = r"^/?[A-Za-z0-9]([-A-Za-z0-9._:/@+]*[A-Za-z0-9])?$"
_REGISTRY = r"^[a-z0-9][-a-zA-Z0-9._:]*(/[-a-zA-Z0-9._]+)*$"
_CHARTS = r"^(oci|https)://[a-z0-9][-a-zA-Z0-9._:/]*$"
_LABEL_KEY = r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
_LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
#: A toleration of every key has none.
_TOLERATED = f"^({_LABEL_KEY[1:-1]})?$"
#: Or a placeholder: a rule refuses it (`stacks.clouds.gke.placeholders`), a rehearsal fills it in.
_PROJECT = r"^(([a-z0-9][-.a-z0-9]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]|<[^<>]+>)$"
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_REGION = r"^[a-z]+-[a-z]+[0-9]+$"
_ZONE = r"^[a-z]+-[a-z]+[0-9]+-[a-z]+[0-9a-z]*$"
_CW_ZONE = r"^[A-Z]+(-[A-Z]+)+-[0-9]{2}[A-Z]$"
_STACK = r"^([A-Za-z0-9][-A-Za-z0-9_.]*/[A-Za-z0-9][-A-Za-z0-9_.]*/)?[A-Za-z0-9][-A-Za-z0-9_.]*$"
_IMAGE = r"^[a-z0-9][-a-zA-Z0-9._:/]*(@sha256:[0-9a-f]{64})?$"
#: The text for each pattern, and an example.
FORMS = {
    _LABEL: ("lower-case letters, digits and dashes, with a letter first", "chat"),
    _SUBDOMAIN: ("lower-case letters, digits, dashes and dots", "llm-d-hf-token"),
    _FLAG: ("a flag's name without the dashes before it", "v"),
    _CORES: ("a number of cores, or of thousandths with m", "16"),
    _MEMORY: ("an amount of memory: a number with k, M, G, T, Ki, Mi, Gi or Ti", "16Gi"),
    _ENV_NAME: ("letters, digits, dashes, dots and underscores, with no digit first", "NCCL_DEBUG"),
    _MODEL: ("a model's id or a path: letters, digits, dashes, dots, underscores and slashes", "openai/gpt-oss-120b"),
    _DURATION: ("a duration of the Gateway API: numbers with h, m, s or ms", "600s"),
    _HEADER: ("a model's name, as it can stand in a header", "gpt-oss-120b"),
    _REGISTRY: ("a registry and a path in it, without `https://`", "registry.example.com/mirror"),
    _CHARTS: ("the registry of charts, `oci://…` or `https://…`", "oci://registry.example.com/charts"),
    _LABEL_KEY: (
        "a label's key: a name of 63 characters at most, optionally with a domain and a slash before it",
        "example.com/team",
    ),
    _LABEL_VALUE: ("a label's value: letters, digits, dashes, dots and underscores, 63 at most", "chat"),
    _TOLERATED: (
        "a taint's key: a name of 63 characters at most, optionally with a domain and a slash before it",
        "team",
    ),
    _PROJECT: ("a project's id: 6 to 30 lower-case letters, digits and dashes, with a letter first", "acme-serving"),
    _TIME: ("a time of day in UTC, hours and minutes", "09:00"),
    _REGION: ("a region of Google Cloud", "us-central1"),
    _ZONE: ("a zone of Google Cloud", "us-central1-b"),
    _CW_ZONE: ("a zone of CoreWeave", "US-EAST-02A"),
    _STACK: ("a stack's name, or organization/project/name", "platform"),
    _IMAGE: ("an image reference", "docker.io/vllm/vllm-openai:v0.19.1"),
}
#: The unit that a bare number lacks.
UNITS = {_MEMORY: "Gi", _DURATION: "s"}

#: An RFC 1035 label: it becomes part of Service names.
DnsLabel = Annotated[str, StringConstraints(pattern=_LABEL, max_length=63)]
#: An RFC 1123 subdomain.
SecretName = Annotated[str, StringConstraints(pattern=_SUBDOMAIN, max_length=253)]
#: As Kubernetes spells them. It takes cores of a size that no node has, and memory in bytes and even thousandths of a byte.
Cores = Annotated[str, StringConstraints(pattern=_CORES)]
Memory = Annotated[str, StringConstraints(pattern=_MEMORY)]
FlagName = Annotated[str, StringConstraints(pattern=_FLAG)]
EnvName = Annotated[str, StringConstraints(pattern=_ENV_NAME)]
ModelId = Annotated[str, StringConstraints(pattern=_MODEL)]
Image = Annotated[str, StringConstraints(pattern=_IMAGE)]
LabelKey = Annotated[str, StringConstraints(pattern=_LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(pattern=_LABEL_VALUE)]
TaintKey = Annotated[str, StringConstraints(pattern=_TOLERATED)]
StackName = Annotated[str, StringConstraints(pattern=_STACK)]
Duration = Annotated[str, StringConstraints(pattern=_DURATION)]
#: At most as long as the Gateway API allows. The charts write it without quotes, so a line break or `: ` would break their YAML.
HeaderValue = Annotated[str, StringConstraints(pattern=_HEADER, max_length=4096)]
Registry = Annotated[str, StringConstraints(pattern=_REGISTRY)]
ChartPlace = Annotated[str, StringConstraints(pattern=_CHARTS)]
GcpProject = Annotated[str, StringConstraints(pattern=_PROJECT)]
#: As in Google's API: `HH:MM`, in UTC.
TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME)]
GcpRegion = Annotated[str, StringConstraints(pattern=_REGION)]
#: Zones of AI regions end like `-ai1a`.
GcpZone = Annotated[str, StringConstraints(pattern=_ZONE)]
CoreWeaveZone = Annotated[str, StringConstraints(pattern=_CW_ZONE)]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]


def _scalar(value: Any) -> str | int | bool:
    if not isinstance(value, str | int | bool):
        raise PydanticCustomError("scalar_type", "it has to be text, a whole number, true or false")
    return value


#: The value of a command line's flag.
Scalar = Annotated[Any, AfterValidator(_scalar)]
#: The Kubernetes API counts in 32 bits.
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
#: No machine of the table has more than 16. The limit exists because a fabric may write one line per device.
DeviceCount = Annotated[int, Field(ge=1, le=1024)]


class Section(BaseModel):
    """A section: frozen, camelCase in YAML. An unknown key is an error, so that a misspelt key does not silently mean a
    default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    @classmethod
    def keys(cls) -> Iterator[str]:
        """Yields every key of the section as YAML spells it."""
        yield from (str(field.alias) for field in cls.model_fields.values())

    if not TYPE_CHECKING:  # else a type checker would take any name for a field

        def __getattr__(self, name: str) -> Any:
            """Raises UnknownError for a field that could not be read (`stacks.file.remains`)."""
            if name in type(self).model_fields:
                raise UnknownError
            return super().__getattr__(name)


def marks_of(field: FieldInfo) -> list[Any]:
    """Returns the annotations of a field: its own marks, and those of the types of `… | None`."""
    options = (mark for option in get_args(field.annotation) for mark in getattr(option, "__metadata__", ()))
    return [*field.metadata, *options]


@dataclass(frozen=True)
class Local:
    """Marks a text that is a path on this machine, of a directory or a file; with `or_url`, one with `://` is an address."""

    of: Literal["directory", "file", "file or directory"]
    or_url: bool = False


LocalDirectory = Annotated[str, StringConstraints(min_length=1), Local("directory")]
LocalFile = Annotated[str, StringConstraints(min_length=1), Local("file")]
ChartSource = Annotated[str, StringConstraints(min_length=1), Local("file or directory", or_url=True)]


class Chart(Section):
    """The source of a chart in place of its publisher: a directory, a `.tgz`, or a mirror."""

    source: ChartSource
    version: NonEmpty | None = None


class Mirror(Section):
    """The team's own registries. `registry` replaces the host of every image, `charts` the registry of every chart."""

    registry: Registry | None = None
    charts: ChartPlace | None = None
