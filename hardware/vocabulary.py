"""The words hardware is described in: frozen dataclasses without behaviour.

Accelerators, engines, builds, fabrics and sizings are *data* in these words; `hardware.render.pods` is the only reader that
turns them into Kubernetes objects. When a data file seems to need a function or an `if`, a word is missing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

Role = Literal["prefill", "decode"]
ROLES: tuple[Role, ...] = ("decode", "prefill")  # upstream lists decode first
#: The label by which router and monitors tell the roles' pods apart.
ROLE_LABEL = "llm-d.ai/role"
MODEL_LABEL = "llm-d.ai/model"

#: What the pool's clients (router, sidecar) talk to; decode moves to 8200 because its sidecar takes 8000.
SERVING_PORT = 8000
BEHIND_PROXY_PORT = 8200

Fragment = Mapping[str, Any]
EMPTY: Fragment = {}


@dataclass(frozen=True)
class FieldRef:
    """The value of an environment variable that is a field of its own pod."""

    path: str


@dataclass(frozen=True)
class SecretRef:
    """The value of an environment variable that is a key of a Secret in the pod's namespace.

    `optional`: a pod starts without it too; None leaves that to Kubernetes, which then waits for the Secret.
    """

    name: str
    key: str
    optional: bool | None = None


EnvValue = str | FieldRef | SecretRef

#: The variable by which both engines take Hugging Face's token.
HF_TOKEN = "HF_TOKEN"


def pairs(text: str) -> Mapping[str, str]:
    """`key=value` words, in order."""
    return dict(word.split("=", 1) for word in text.split())


def variables(text: str) -> Mapping[str, EnvValue]:
    """`KEY=value` words, in order; a value `@path` is that field of the pod itself (`@status.podIP`)."""
    return {key: FieldRef(value[1:]) if value.startswith("@") else value for key, value in pairs(text).items()}


@dataclass(frozen=True)
class Check:
    """One liveness or readiness probe: failures tolerated, seconds between tries, seconds per try."""

    failures: int
    period: int
    timeout: int


@dataclass(frozen=True)
class Probes:
    """A model server's three probes. Start-up is tried every 30 s, `startup_failures` times, after `startup_delay` s."""

    liveness: Check
    readiness: Check
    startup_failures: int
    startup_delay: int
    startup_timeout: int
    startup_period: int = 30

    @property
    def budget_seconds(self) -> int:
        """How long Kubernetes itself lets a server start, in seconds: the least any wait for it must allow."""
        return self.startup_delay + self.startup_failures * self.startup_period


def brisk(startup_failures: int) -> Probes:
    """Upstream's probes for nvidia, tpu and amd."""
    return Probes(Check(3, 10, 5), Check(3, 5, 2), startup_failures, startup_delay=15, startup_timeout=5)


def patient(startup_failures: int) -> Probes:
    """Upstream's probes for xpu and hpu, whose health endpoints answer slowly under load."""
    return Probes(Check(20, 30, 10), Check(6, 10, 5), startup_failures, startup_delay=30, startup_timeout=10)


@dataclass(frozen=True)
class Devices:
    """How Kubernetes hands the silicon out: an extended `resource` of a device plugin, or a DRA `device_class`.

    Exactly one of the two is set. `shards_per_device` is how many tensor-parallel ranks one device carries, so that
    TP = devices x shards and is never stated. `fixed` is the only device count a pod can have, where there is one.
    """

    resource: str = ""
    device_class: str = ""
    quantity: type = str  # upstream writes the TPU count as a number and all others as strings
    shards_per_device: int = 1
    fixed: int | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)


def tpu_slice(accelerator: str, topology: str, cores_per_chip: int) -> Devices:
    """A single-host TPU slice; selector, chips and TP all follow from it. A pod takes the whole slice."""
    return Devices(
        resource="google.com/tpu",
        quantity=int,
        shards_per_device=cores_per_chip,
        fixed=prod(int(side) for side in topology.split("x")),
        node_selector={
            "cloud.google.com/gke-tpu-accelerator": accelerator,
            "cloud.google.com/gke-tpu-topology": topology,
        },
    )


@dataclass(frozen=True)
class NicClaim:
    """A NIC requested in the same DRA claim as the device and bound to it by `match_attribute`.

    `selector` is CEL, empty where the class alone selects the right ones.
    """

    device_class: str
    selector: str
    match_attribute: str


@dataclass(frozen=True)
class ClaimPerDevice:
    """A claim for each device of a pod, all from one `template` that the roles share.

    A pod of one device calls its claim `name`; of several, `name-0`, `name-1`, …
    """

    name: str
    template: str


@dataclass(frozen=True)
class Attachment:
    """A Multus network attached once per device, as net1, net2, …"""

    name: str
    namespace: str = "default"


@dataclass(frozen=True)
class Placement:
    """Where a stack's pods run relative to each other, by topology keys (node labels).

    All of them in one `together`, and the pods of the two roles in different `apart` where the scheduler can.
    """

    together: str
    apart: str


@dataclass(frozen=True)
class Fabric:
    """How KV cache travels between pods, and what that costs a pod.

    `per_pod` and `per_device` are extended resources: a quantity per pod, a number per device of the pod; `requested` are
    resources that pods request and are not limited to. `env_first` and `env` may override the build's; `container`, `spec`,
    `kv`, `volumes` join and may not contradict. `devices` is how nodes with this fabric hand the silicon out, where that is
    not the accelerator's own way; `request` names the device's request in a DRA claim, `claims` says where a pod makes one
    per device and not one for all. `nixl_backend` is what NIXL moves data with where it is not UCX.
    """

    title: str
    rdma: bool
    per_pod: Mapping[str, str] = field(default_factory=dict)
    per_device: Mapping[str, int] = field(default_factory=dict)
    requested: tuple[str, ...] = ()
    env_first: Mapping[str, EnvValue] = field(default_factory=dict)
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    container: Fragment = field(default_factory=dict)
    spec: Fragment = field(default_factory=dict)
    placement: Placement | None = None
    host_paths: Mapping[str, str] = field(default_factory=dict)  # volume name -> directory of the node, mounted as is
    attachment: Attachment | None = None
    kv: Mapping[str, str] = field(default_factory=dict)
    kv_separator: str = ""  # between JSON pairs, where upstream wrote this fabric's unlike the build's
    nixl_backend: str = ""
    devices: Devices | None = None
    request: str = ""
    nic: NicClaim | None = None
    claims: ClaimPerDevice | None = None


@dataclass(frozen=True)
class Engine:
    """A serving engine, whatever it runs on.

    `connector` is what the routing sidecar is told to speak; `scratch` maps a volume's name to a directory that the
    engine writes and only its pod uses. `nixl_backend_env` is the variable that chooses NIXL's backend; without one, the
    connector's configuration does.
    """

    key: str
    command: tuple[str, ...]
    connector: str
    scratch: Mapping[str, str]
    nixl_backend_env: str = ""


@dataclass(frozen=True)
class KvTransfer:
    """The connector's `--kv-transfer-config`: common pairs, the pairs of each role, and the ports it listens on."""

    config: Mapping[str, str] = field(default_factory=dict)
    by_role: Mapping[Role, Mapping[str, str]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    separator: str = ""  # between JSON pairs; upstream writes both forms, and `, ` more often


@dataclass(frozen=True)
class Sizing:
    """One role's share: `replicas` pods of `devices` each, with cpu (cores) and memory (quantity) where upstream asks."""

    replicas: int
    devices: int
    cpu: str | None = None
    memory: str | None = None


@dataclass(frozen=True)
class Build:
    """An engine *for* an accelerator.

    `argv` is the engine's command line with the slots `{model} {role} {tp} {kv} {port}`, split as a shell splits words;
    where `{port}` is not placed it is appended when it differs from the engine's default. `tuned` names the flags chosen
    for the accelerator's own model: another model must say what becomes of them. `scratch` comes on top of the engine's.
    `sizing` are roles' shares that differ from the accelerator's on a fabric, by its key.
    """

    engine: Engine
    image: str
    argv: str
    shm: str = "16Gi"  # what upstream gives every build but vllm on nvidia (20Gi) and tpu (100Gi)
    env: Mapping[str, EnvValue] = field(default_factory=dict)
    role_args: Mapping[Role, str] = field(default_factory=dict)
    tuned: tuple[str, ...] = ()
    kv: KvTransfer = field(default_factory=KvTransfer)
    scratch: Mapping[str, str] = field(default_factory=dict)
    container: Fragment = field(default_factory=dict)
    spec: Fragment = field(default_factory=dict)
    sizing: Mapping[str, Mapping[Role, Sizing]] = field(default_factory=dict)


@dataclass(frozen=True)
class Naming:
    """Upstream's words for an accelerator: two label values and the slug in object names, which is neither."""

    vendor: str
    variant: str
    slug: str


@dataclass(frozen=True)
class Accelerator:
    """The silicon, how Kubernetes hands it out, and every build and fabric it can be used with."""

    key: str
    naming: Naming
    model: str
    devices: Devices
    probes: Probes
    prefill: Sizing
    decode: Sizing
    fabrics: Mapping[str, Fabric]
    builds: tuple[Build, ...]

    @property
    def engines(self) -> list[str]:
        """The keys of the engines it has a build of."""
        return [build.engine.key for build in self.builds]

    def build(self, engine: str) -> Build | None:
        """The build of `engine` for this accelerator, if there is one."""
        return next((build for build in self.builds if build.engine.key == engine), None)
