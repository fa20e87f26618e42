"""The types that describe hardware: frozen dataclasses without behaviour.

Accelerators, engines, builds, fabrics and sizings are data of these types; only `hardware.render.pods` turns them into
Kubernetes objects. If a data file seems to need a function or an `if`, a type or a field is missing here.
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

#: The port that the router and the sidecar call. A decode server listens on 8200, because its sidecar takes 8000.
SERVING_PORT = 8000
BEHIND_PROXY_PORT = 8200

Fragment = Mapping[str, Any]
EMPTY: Fragment = {}


@dataclass(frozen=True)
class FieldRef:
    """An environment variable's value from a field of its pod."""

    path: str


@dataclass(frozen=True)
class SecretRef:
    """An environment variable's value from a key of a Secret in the pod's namespace.

    `optional`: a pod starts without the Secret too. None leaves the field out: Kubernetes then waits for the Secret.
    """

    name: str
    key: str
    optional: bool | None = None


EnvValue = str | FieldRef | SecretRef

#: The variable from which both engines read Hugging Face's token.
HF_TOKEN = "HF_TOKEN"


def pairs(text: str) -> Mapping[str, str]:
    """Parses `key=value` words, in order."""
    return dict(word.split("=", 1) for word in text.split())


def variables(text: str) -> Mapping[str, EnvValue]:
    """Parses `KEY=value` words, in order; a value `@path` is that field of the pod (`@status.podIP`)."""
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
        """Seconds that Kubernetes gives a server to start: the minimum for every wait for its readiness."""
        return self.startup_delay + self.startup_failures * self.startup_period


def fast_probes(startup_failures: int) -> Probes:
    """Upstream's probes for nvidia, tpu and amd."""
    return Probes(Check(3, 10, 5), Check(3, 5, 2), startup_failures, startup_delay=15, startup_timeout=5)


def slow_probes(startup_failures: int) -> Probes:
    """Upstream's probes for xpu and hpu, whose health endpoints answer slowly under load."""
    return Probes(Check(20, 30, 10), Check(6, 10, 5), startup_failures, startup_delay=30, startup_timeout=10)


@dataclass(frozen=True)
class Devices:
    """How Kubernetes hands devices out: an extended `resource` of a device plugin, or a DRA `device_class`.

    Exactly one of the two is set. `shards_per_device` is the number of tensor-parallel ranks of one device, so that
    TP = devices x shards and is never stated. `fixed` is the only possible number of devices per pod; None: any number.
    """

    resource: str = ""
    device_class: str = ""
    quantity: type = str  # upstream writes the TPU count as a number and all others as strings
    shards_per_device: int = 1
    fixed: int | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)


def tpu_slice(accelerator: str, topology: str, cores_per_chip: int) -> Devices:
    """Returns the devices of a single-host TPU slice, which gives selector, chips and TP. A pod takes the whole slice."""
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

    `selector` is CEL; empty: the class alone selects the right NICs.
    """

    device_class: str
    selector: str
    match_attribute: str


@dataclass(frozen=True)
class ClaimPerDevice:
    """One claim for each device of a pod, all from one `template` that the roles share.

    The claim of a pod with one device is called `name`; with several devices `name-0`, `name-1`, …
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
    """Placement of a stack's pods relative to each other, by topology keys (node labels).

    All pods in one domain of `together` (required); the pods of the two roles in different domains of `apart` (preferred).
    """

    together: str
    apart: str


@dataclass(frozen=True)
class Fabric:
    """How KV cache travels between pods, and what a pod needs for it.

    - `per_pod`, `per_device`: extended resources, a quantity per pod and a number per device of the pod.
    - `requested`: resources with a request and no limit.
    - `env_first`, `env`: variables before and after the build's, which they may override.
    - `container`, `spec`, `kv`: joined to the build's; two values for one field raise.
    - `devices`: how nodes with this fabric hand devices out, if not in the accelerator's usual way.
    - `request`: the name of the device's request in a DRA claim. `claims`: one claim per device instead of one per pod.
    - `nixl_backend`: NIXL's backend, if not UCX.
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
    """A serving engine, independent of the accelerator.

    `connector` is the routing sidecar's name for its protocol. `scratch` maps a volume's name to a directory that the engine
    writes and only its pod uses. `nixl_backend_env` is the variable that selects NIXL's backend; empty: the connector's
    configuration selects it.
    """

    key: str
    command: tuple[str, ...]
    connector: str
    scratch: Mapping[str, str]
    nixl_backend_env: str = ""


@dataclass(frozen=True)
class KvTransfer:
    """A connector's `--kv-transfer-config`: common pairs, the pairs of each role, and the ports that it listens on."""

    config: Mapping[str, str] = field(default_factory=dict)
    by_role: Mapping[Role, Mapping[str, str]] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    separator: str = ""  # between JSON pairs; upstream writes both forms, and `, ` more often


@dataclass(frozen=True)
class Sizing:
    """Replicas and devices of one role, with cpu (cores) and memory (quantity) per pod if upstream sets them."""

    replicas: int
    devices: int
    cpu: str | None = None
    memory: str | None = None


@dataclass(frozen=True)
class Build:
    """An engine *for* an accelerator.

    - `argv`: the engine's command line with the slots `{model} {role} {tp} {kv} {port}`, split as a shell splits words.
      Without the slot `{port}`, `--port` is appended if it differs from the engine's default.
    - `tuned`: flags chosen for the accelerator's default model. A stack with another model must keep or drop them explicitly.
    - `scratch`: directories beside the engine's.
    - `sizing`: sizings that differ from the accelerator's, by the fabric's key.
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
    """Upstream's names for an accelerator: two label values, and the slug in the names of objects."""

    vendor: str
    variant: str
    slug: str


@dataclass(frozen=True)
class Accelerator:
    """The silicon, how Kubernetes hands it out, and all its builds and fabrics."""

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
        """The keys of the engines with a build for this accelerator."""
        return [build.engine.key for build in self.builds]

    def build(self, engine: str) -> Build | None:
        """Returns the build of `engine` for this accelerator, or None."""
        return next((build for build in self.builds if build.engine.key == engine), None)
