"""The bill of versions: the type of a set of versions tested together, which a workload carries.

The bills themselves are rows in `releases/`. The type is here because the renderer reads label keys, sidecar and images from
it, and `hardware` imports nothing above itself. Chart values are plain trees: this module knows no chart's keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hardware.vocabulary import ROLES, EnvValue, Role

#: Keys of accelerator and engine: ("nvidia", "vllm"). A FabricKey adds the fabric's: ("nvidia", "vllm", "aws").
BuildKey = tuple[str, str]
FabricKey = tuple[str, str, str]


@dataclass(frozen=True)
class InModule:
    """A file or directory in a Go module that is equal to a published one.

    The module's version and checksum are pinned in `rehearsal/tools/upstream`.
    """

    module: str
    path: str


@dataclass(frozen=True)
class Chart:
    """A Helm chart at one version. `ref` is an OCI reference without a tag, `source` what it is packaged from."""

    ref: str
    version: str
    source: InModule | None = None


@dataclass(frozen=True)
class Crd:
    """One pinned file of CustomResourceDefinitions: its name in a directory, its address, its checksum.

    `source` is the same file, byte for byte, in a Go module: for a machine that reaches a module proxy and not `url`.
    """

    file: str
    url: str
    sha256: str
    source: InModule | None = None


@dataclass(frozen=True)
class Sidecar:
    """The routing proxy in front of each decode server. `args` has one slot, `{connector}`: the engine's connector."""

    image: str
    args: tuple[str, ...]
    image_pull_policy: str

    def argv(self, connector: str) -> list[str]:
        """Returns the container's args for an engine with this connector."""
        return [arg.format(connector=connector) for arg in self.args]


Path = tuple[str, ...]


@dataclass(frozen=True)
class ChartImage:
    """An image of a chart, and the values that replace it by another.

    `keys` maps paths in the values to a template with the slots `{image} {host} {place} {path} {base} {tag}`: a reference
    `ghcr.io/llm-d/picker:v1` has host `ghcr.io`, place `ghcr.io/llm-d`, path `llm-d/picker`, base `picker` and tag `v1`
    (or `v1@sha256:…`).
    """

    image: str
    keys: Mapping[Path, str]


@dataclass(frozen=True)
class Router:
    """The router: its charts by router mode, and the value trees written for exactly these charts.

    - `values`: merged in order, as Helm merges `-f` files.
    - `features`: trees added on request, by name.
    - `monitoring`: the tree for each of the chart's providers; `*` is every other provider.
    - `settings`: the path in the values of each setting of a stack file. These charts lack a setting without a path.
    - `plugin_config`: the EndpointPickerConfig that `values` carries as text.
    - `plugins`: the plugin types of the endpoint picker; `in_memory`: those that keep state in its memory.
    - `plugin_keys`: the sections of an EndpointPickerConfig.
    - `epp_selector`: the label key by which the charts' Deployment selects the picker's pods. Kubernetes makes it immutable.
    - `proxy`: the chart's default image, needed to mirror images; `proxy_modes`: the modes that have a proxy.
    """

    charts: Mapping[str, Chart]
    endpoint_picker: ChartImage
    proxy: ChartImage
    values: tuple[Mapping[str, Any], ...]
    features: Mapping[str, Mapping[str, Any]]
    monitoring: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Path]
    plugin_config: Mapping[str, Any]
    plugin_file: str
    plugins: frozenset[str]
    in_memory: frozenset[str]
    plugin_keys: frozenset[str]
    epp_selector: str
    proxy_modes: tuple[str, ...] = ("standalone",)

    @property
    def sections(self) -> frozenset[str]:
        """The top-level keys of the charts' values that this project or upstream sets."""
        trees = (*self.values, *self.features.values(), *self.monitoring.values())
        return frozenset({key for tree in trees for key in tree} | {path[0] for path in self.settings.values()})


@dataclass(frozen=True)
class EngineMetrics:
    """Names of a model server's counters on `/metrics`, which a proof of P/D compares with the requests sent.

    Every pod has the first three. The last three count KV cache received from another pod (decode pods); None: the engine has
    no such metric.
    """

    requests: str
    prompt_tokens: str
    generation_tokens: str
    external_hits: str | None = None
    kv_bytes: str | None = None
    kv_failures: str | None = None


@dataclass(frozen=True)
class Metrics:
    """Metric names. `decisions` counts the router's decisions by label `decision_label`, not their outcome: it proves no P/D.

    `still` are names of an earlier release that this one exposes too, with the same values, until they are removed.
    """

    decisions: str
    decision_label: str
    engines: Mapping[str, EngineMetrics]
    still: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AddedEnv:
    """Environment that a bill adds to model servers of these `builds` (None: all builds) in these `roles`.

    `first`: before the build's own environment; else after it.
    """

    variables: Mapping[str, EnvValue]
    builds: frozenset[BuildKey] | None = None
    roles: tuple[Role, ...] = ROLES
    first: bool = False

    def applies(self, build: BuildKey, role: Role) -> bool:
        """Returns whether pods of this build and role get the variables."""
        return role in self.roles and (self.builds is None or build in self.builds)


@dataclass(frozen=True)
class Bill:
    """A set of versions tested together. Keys of two bills never mix.

    `engine_label` and `guide_label` are label *keys*, which upstream renames. Changes to the builds and fabrics of `hardware`:

    - `images`: by build, or by build and fabric; the longer key wins.
    - `env`: added variables. `scratch`: directories beside a build's. `dropped`: flags of a build that are left out.
    - `lacks`: accelerators it was not tested with, as `("hpu",)`, and fabrics, as `("nvidia", "aws")`.
    - `workload_kind`: the kind of the objects that run the pods of roles (`hardware.render.kinds`).

    For a move from one release to another, and not rendered:

    - `apis`: versions of the APIs it installs, by name.
    - `kv_compatibility`: an opaque word. Model servers of two bills with the same word can exchange KV cache.
    - `behaviour`: differences in behaviour between releases, by title.
    - `reasons`: why upstream made a change, by the name of the variable, flag, label key or plugin.
    """

    name: str
    date: str
    commit: str
    source: str
    router: Router
    sidecar: Sidecar
    crds: tuple[Crd, ...]
    metrics: Metrics
    engine_label: str
    guide_label: str
    images: Mapping[BuildKey | FabricKey, str] = field(default_factory=dict)
    env: tuple[AddedEnv, ...] = ()
    scratch: Mapping[BuildKey, Mapping[str, str]] = field(default_factory=dict)
    dropped: Mapping[BuildKey, tuple[str, ...]] = field(default_factory=dict)
    lacks: frozenset[tuple[str, ...]] = frozenset()
    workload_kind: str = "Deployment"
    apis: Mapping[str, str] = field(default_factory=dict)
    kv_compatibility: str = ""
    behaviour: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    def has(self, accelerator: str, fabric: str | None = None) -> bool:
        """Returns whether the bill was tested with an accelerator, and with the fabric if one is given."""
        return (accelerator,) not in self.lacks and (accelerator, fabric) not in self.lacks

    def image(self, key: FabricKey) -> str | None:
        """Returns the bill's image for a build on a fabric; None: the build's own image."""
        accelerator, engine, _ = key
        return self.images.get(key) or self.images.get((accelerator, engine))

    def added_env(self, build: BuildKey, role: Role, *, first: bool) -> dict[str, EnvValue]:
        """Returns the variables added before (`first`) or after the environment of a build's pods in a role."""
        added: dict[str, EnvValue] = {}
        for row in self.env:
            if row.first == first and row.applies(build, role):
                added |= row.variables
        return added
