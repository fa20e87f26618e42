"""The keys of a stack file, and nothing about how they are implemented.

Every default is the accelerator's upstream recipe: `serving: {accelerator: nvidia}` is the guide's own deployment. There are
exactly two layers, recipe and stack file, and no environment variables. Rules that need more than one field are in
`stacks.rules.table`. Secrets never pass through here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from hardware.vocabulary import Role
from stacks.clouds.registry import CLOUDS
from stacks.schema import (
    Cores,
    DeviceCount,
    DnsLabel,
    EnvName,
    Image,
    LabelKey,
    LabelValue,
    LocalDirectory,
    Memory,
    Mirror,
    ModelId,
    NonEmpty,
    Positive,
    SecretName,
    Section,
    TaintKey,
)
from stacks.spec.cluster import Cluster
from stacks.spec.router import Router


class RoleSizing(Section):
    """The sizing of one role. Defaults are the accelerator's recipe. TP follows from `devices`.

    `autoscaled`: `replicas` is the initial number of pods, and an autoscaler (an HPA, KEDA) owns the field from then on. If the
    stack kept it too, the next `up` would fail with a conflict.
    """

    replicas: Positive | None = None
    autoscaled: bool = False
    devices: DeviceCount | None = None
    cpu: Cores | None = None
    memory: Memory | None = None


class Toleration(TypedDict, total=False):
    """A toleration as in a pod, passed on unchanged."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]

    key: TaintKey
    operator: Literal["Equal", "Exists"]
    value: LabelValue
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    tolerationSeconds: int


class HfToken(Section):
    """The source of HF_TOKEN: `secret` names a Secret that has this key; `secure` is a token that the Pulumi CLI keeps encrypted,
    from which the stack makes the Secret. A name alone means `secret`. The value of `secure` is never seen here.
    """

    secret: SecretName | None = None
    secure: NonEmpty | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        match given:
            case str():
                given = {"secret": given}
            case {"secure": {"secure": str(text), **rest}, **others} if not rest:
                given = {**others, "secure": text}  # the CLI was given the key's own name, `serving.hfToken.secure`
        # Neither the name of a Secret, nor a value that the CLI has encrypted.
        if isinstance(given, dict) and any(str(given.get(key, "")).startswith("hf_") for key in ("secret", "secure")):
            raise PydanticCustomError("token_in_clear", "a token in clear text")
        return given


class Serving(Section):
    """The model servers. `engine` and `fabric` are looked up on the accelerator, so an impossible pair has no name.

    `extraArgs` are appended to the engine's command line, `dropArgs` are flags removed from it. With `wait: false`, `up` returns
    before the servers are Ready, which can take an hour from a cold cache.

    `ipcLock` gives the servers the capability to lock memory, because RDMA locks the memory it registers. Where a cluster limits
    locked memory (seen on CoreWeave), it is also needed by fabrics whose upstream recipe does not have it.

    `hfToken` is the name of a Secret that holds HF_TOKEN, or the token itself as a Pulumi secret. `gated`: the model can be
    downloaded only with a token; the default follows from the model's publisher (`hardware.models`).
    """

    accelerator: NonEmpty
    engine: NonEmpty = "vllm"
    fabric: NonEmpty = "base"
    model: ModelId | None = None
    prefill: RoleSizing = RoleSizing()
    decode: RoleSizing = RoleSizing()
    image: Image | None = None
    hf_token: HfToken | None = None
    gated: bool | None = None
    extra_args: tuple[NonEmpty, ...] | None = None
    drop_args: tuple[NonEmpty, ...] | None = None
    env: dict[EnvName, str] = Field(default_factory=dict)
    node_selector: dict[LabelKey, LabelValue] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    ipc_lock: bool = False
    wait: bool = True

    @property
    def sizing(self) -> Mapping[Role, RoleSizing]:
        """The sizing of each role."""
        return {"prefill": self.prefill, "decode": self.decode}


class Monitoring(Section):
    """Monitoring. Both keys need the Prometheus operator's CRDs in the cluster, so both are off by default."""

    pod_monitors: bool = False
    router: bool = False


class Crds(Section):
    """The cluster-wide CRDs: installed by the stack (which leaves them on destroy), or by another owner.

    `manage` is for the CRDs of the inference extension, `gatewayApi` for those of the Gateway API, which only gateway mode needs.
    By default the stack installs the latter except on GKE, which brings them. `directory` holds the files of both.
    """

    manage: bool = True
    gateway_api: bool | None = None
    directory: LocalDirectory | None = None


def is_platform(config: Mapping[str, Any]) -> bool:
    """Whether a configuration, by key (`cluster`, …), is a platform stack's: it makes nodes and serves nothing.

    An empty `serving` is the project's default.
    """
    cluster = config.get("cluster")
    cloud = CLOUDS.get(str(cluster.get("provider"))) if isinstance(cluster, dict) else None
    return config.get("serving", {}) == {} and cloud is not None and cloud.makes_nodes


class Suppress(Section):
    """An accepted finding: the id of its rule, and the reason."""

    rule: NonEmpty
    reason: NonEmpty


class NoServingError(ValueError):
    """Code asked a platform stack for `serving`."""


class StackSpec(Section):
    """All keys of a stack file. With the default names every object equals upstream's.

    Without `serving` it is a platform stack: it makes a cluster or nodes, on which other stacks serve. It has the other keys too,
    because the project gives each of them its default; a rule refuses values of keys that only serving reads.
    """

    # 40, because the router's chart cuts longer release names, and the rest of the stack would no longer match.
    name: Annotated[DnsLabel, StringConstraints(max_length=40)] = "pd-disaggregation"
    namespace: DnsLabel = "llm-d-pd-disaggregation"
    release: NonEmpty = "guide-2026-05"
    cluster: Cluster = Cluster()
    router: Router = Router()
    monitoring: Monitoring = Monitoring()
    crds: Crds = Crds()
    mirror: Mirror = Mirror()
    serving: Serving | None = None
    suppress: tuple[Suppress, ...] = ()

    @property
    def served(self) -> Serving:
        """`serving` of a stack that serves.

        Raises:
            NoServingError: it is a platform stack.
        """
        if self.serving is None:
            raise NoServingError("a platform stack serves nothing")
        return self.serving
