"""What a stack file may say, and nothing of how it is done.

Everything left out is the accelerator's upstream recipe: `serving: {accelerator: nvidia}` is the guide's own deployment.
There are two layers, recipe and stack file; no third, and no environment variable. Rules that need more than one field
are in `stacks.rules`. Secrets never pass through here.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from hardware.vocabulary import Role

_LABEL = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_ENV_NAME = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
_MODEL = r"^/?[A-Za-z0-9][-A-Za-z0-9._]*(/[A-Za-z0-9][-A-Za-z0-9._]*)*$"
_IMAGE = r"^[a-z0-9][-a-zA-Z0-9._:/]*(@sha256:[0-9a-f]{64})?$"
#: What each pattern asks for, in words, and an example.
FORMS = {
    _LABEL: ("lower-case letters, digits and dashes, with a letter first", "pd-disaggregation"),
    _QUANTITY: ("a Kubernetes quantity: a number with m, k, M, G, Ki, Mi, Gi or nothing", "16Gi"),
    _ENV_NAME: ("letters, digits, dashes, dots and underscores, with no digit first", "NCCL_DEBUG"),
    _MODEL: ("a model's id or a path: letters, digits, dashes, dots, underscores and slashes", "openai/gpt-oss-120b"),
    _IMAGE: ("an image reference", "docker.io/vllm/vllm-openai:v0.19.1"),
}

#: An RFC 1035 label: it becomes part of Service names.
DnsLabel = Annotated[str, StringConstraints(pattern=_LABEL, max_length=63)]
Quantity = Annotated[str, StringConstraints(pattern=_QUANTITY)]
EnvName = Annotated[str, StringConstraints(pattern=_ENV_NAME)]
ModelId = Annotated[str, StringConstraints(pattern=_MODEL)]
Image = Annotated[str, StringConstraints(pattern=_IMAGE)]
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
#: The API counts in 32 bits.
Positive = Annotated[int, Field(ge=1, le=2**31 - 1)]
#: No machine of the table has more than 16; a fabric may write a line per device.
DeviceCount = Annotated[int, Field(ge=1, le=1024)]


class Section(BaseModel):
    """Frozen, camelCase in YAML, and an unknown key is an error: a misspelt key must not silently mean its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)


class Cluster(Section):
    """Whose cluster it is. `existing`: a context of a kubeconfig, which the program is told and never guesses.

    `machine` and `nodes` are facts about the cluster's accelerator nodes: the rules check the fit against them and a
    rehearsal simulates them. Left out, they are the first machine of the table that serves the fabric, and as many
    nodes as the sizing needs.
    """

    provider: Literal["existing"] = "existing"
    kubeconfig: NonEmpty | None = None
    context: NonEmpty | None = None
    machine: NonEmpty | None = None
    nodes: Positive | None = None


class RoleSizing(Section):
    """One role's share. What is left out is the accelerator's recipe. TP follows from `devices`.

    `autoscaled`: `replicas` is how many there are at first, and from then on somebody else's (an HPA, KEDA) to change. Two
    owners of that field make the next `up` fail with a conflict.
    """

    replicas: Positive | None = None
    autoscaled: bool = False
    devices: DeviceCount | None = None
    cpu: Quantity | None = None
    memory: Quantity | None = None


class Toleration(TypedDict, total=False):
    """As in a pod, and passed on as it is written."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    key: str
    operator: Literal["Equal", "Exists"]
    value: str
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    tolerationSeconds: int


class Serving(Section):
    """The model servers. `engine` and `fabric` are looked up on the accelerator, so an impossible pair has no name.

    `extraArgs` are appended to the engine's command line, `dropArgs` are flags left out of it. `wait: false` returns
    before the servers are Ready, which can take an hour from a cold cache.
    """

    accelerator: NonEmpty
    engine: NonEmpty = "vllm"
    fabric: NonEmpty = "base"
    model: ModelId | None = None
    prefill: RoleSizing = RoleSizing()
    decode: RoleSizing = RoleSizing()
    image: Image | None = None
    extra_args: tuple[NonEmpty, ...] | None = None
    drop_args: tuple[NonEmpty, ...] | None = None
    env: dict[EnvName, str] = Field(default_factory=dict)
    node_selector: dict[NonEmpty, str] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    wait: bool = True

    @property
    def sizing(self) -> Mapping[Role, RoleSizing]:
        """Each role's share."""
        return {"prefill": self.prefill, "decode": self.decode}


class Chart(Section):
    """Where the router's chart comes from instead of the bill's OCI reference: a directory, a `.tgz`, or a mirror."""

    source: NonEmpty
    version: NonEmpty | None = None


class Router(Section):
    """Endpoint picker and proxy. `standalone` is the guide's default: Envoy beside the picker, no gateway."""

    mode: Literal["standalone"] = "standalone"
    chart: Chart | None = None
    wait: bool = True


class Monitoring(Section):
    """Scraping. Both need the Prometheus operator's CRDs in the cluster, so both are off until asked for."""

    pod_monitors: bool = False
    router: bool = False


class Crds(Section):
    """The cluster-wide CRDs of the inference extension: ours to install (and to leave behind), or somebody else's."""

    manage: bool = True
    directory: NonEmpty | None = None


class StackSpec(Section):
    """A whole stack file. With the default names every object equals upstream's."""

    # 40: the router chart cuts release names there, and the rest of the stack would no longer match.
    name: Annotated[DnsLabel, StringConstraints(max_length=40)] = "pd-disaggregation"
    namespace: DnsLabel = "llm-d-pd-disaggregation"
    release: NonEmpty = "guide-2026-05"
    cluster: Cluster = Cluster()
    serving: Serving
    router: Router = Router()
    monitoring: Monitoring = Monitoring()
    crds: Crds = Crds()
