"""The bill of versions: what was tested together, as one value that a workload carries.

Owns the type only; the bills themselves are rows in `releases/`. It lives here because the renderer reads label keys,
sidecar and images from it and `hardware` may import nothing above itself. Chart values are plain trees: this module
knows no chart's keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hardware.vocabulary import ROLES, EnvValue, Role

#: An engine for an accelerator, by their keys: ("nvidia", "vllm"); and the same on a fabric: ("nvidia", "vllm", "aws").
BuildKey = tuple[str, str]
FabricKey = tuple[str, str, str]


@dataclass(frozen=True)
class InModule:
    """Where in a Go module the same thing lies: the module's path, and a file or directory in it.

    At which version is pinned, with its checksum, by the one who downloads it: `rehearsal/tools/upstream`.
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
    """One pinned file of CustomResourceDefinitions: its name in a directory, where it is published, its checksum.

    `source` is the same file, byte for byte, for those who reach a Go module proxy and not `url`.
    """

    file: str
    url: str
    sha256: str
    source: InModule | None = None


@dataclass(frozen=True)
class Sidecar:
    """The routing proxy in front of each decode server. `args` has one slot, `{connector}`: the engine's word for it."""

    image: str
    args: tuple[str, ...]
    image_pull_policy: str

    def argv(self, connector: str) -> list[str]:
        """The container's args for an engine whose `connector` this is."""
        return [arg.format(connector=connector) for arg in self.args]


Path = tuple[str, ...]


@dataclass(frozen=True)
class ChartImage:
    """An image the router's chart names, and how its values spell another one.

    `keys` maps paths in the values to a form with the slots `{image} {host} {place} {path} {base} {tag}`: a reference
    `ghcr.io/llm-d/picker:v1` has host `ghcr.io`, place `ghcr.io/llm-d`, path `llm-d/picker`, base `picker` and tag `v1`
    (or `v1@sha256:…`).
    """

    image: str
    keys: Mapping[Path, str]


@dataclass(frozen=True)
class Router:
    """Endpoint picker and proxy: charts by router mode, and the value trees written for exactly these charts.

    `values` are merged in order as Helm merges `-f` files; `features` are trees added on request, by name, and
    `monitoring` the tree for each of the chart's providers (`*`: every other). `settings` says where in the values each
    thing a stack may set is kept: what is not there, this release's charts cannot do. `plugin_config` is the
    EndpointPickerConfig that `values` carries as text, `plugins` the types its picker knows, `in_memory` those of them that keep
    their state in the picker's memory, `plugin_keys` the sections such a configuration has. `epp_selector` is the label key by
    which its charts' Deployment selects the picker's pods, which Kubernetes never lets an upgrade change. `proxy` is the
    chart's own default, stated for those who mirror images; `proxy_modes` are the modes that have one.
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
        """The top-level keys of its charts' values, as far as this project or upstream sets them."""
        trees = (*self.values, *self.features.values(), *self.monitoring.values())
        return frozenset({key for tree in trees for key in tree} | {path[0] for path in self.settings.values()})


@dataclass(frozen=True)
class EngineMetrics:
    """What a model server counts, as exposed on `/metrics`: the counters a proof of P/D compares with what was sent.

    The first three are counters of every pod; the last three count KV cache that came from elsewhere (decode pods), None
    where the engine has no such metric.
    """

    requests: str
    prompt_tokens: str
    generation_tokens: str
    external_hits: str | None = None
    kv_bytes: str | None = None
    kv_failures: str | None = None


@dataclass(frozen=True)
class Metrics:
    """Metric names. `decisions` counts the router's intentions by label `decision_label`: alone it proves nothing.

    `still` are names of an earlier release that this one exposes too, with the same values, before they go.
    """

    decisions: str
    decision_label: str
    engines: Mapping[str, EngineMetrics]
    still: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AddedEnv:
    """Environment a bill adds to model servers: to the `builds` named (None: every build), in the `roles` named.

    `first` puts it before the build's own environment, else after it.
    """

    variables: Mapping[str, EnvValue]
    builds: frozenset[BuildKey] | None = None
    roles: tuple[Role, ...] = ROLES
    first: bool = False

    def applies(self, build: BuildKey, role: Role) -> bool:
        """Whether pods of this build and role get the variables."""
        return role in self.roles and (self.builds is None or build in self.builds)


@dataclass(frozen=True)
class Bill:
    """A set of versions tested together. Keys of two bills never mix.

    `engine_label` and `guide_label` are label *keys*, which upstream renames. The rest is what a release changes in the
    builds and fabrics of `hardware`: `images` by build, or by build and fabric, the finer key first; `env`; `scratch`
    directories on top of a build's; `dropped` flags of a build. `lacks` are accelerators it was not tested with, as
    `("hpu",)`, and fabrics, as `("nvidia", "aws")`. `workload_kind` is the kind of the objects that run the pods of roles
    (`hardware.render.kinds`).

    The last four are for people who move a stack from one release to another, and no render shows them. `apis` are the
    versions of the APIs it installs, by their names. `kv_compatibility` is an opaque word: model servers of two bills that share
    it may exchange KV cache though their images differ. `behaviour` says how it behaves where releases differ, and `reasons` why
    upstream changed what it changed, by the name of that (a variable, a flag, a label key, a plugin).
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
        """Whether it was tested with an accelerator, and with that fabric of it where one is given."""
        return (accelerator,) not in self.lacks and (accelerator, fabric) not in self.lacks

    def image(self, key: FabricKey) -> str | None:
        """The image it has for a build on a fabric, if not the build's own."""
        accelerator, engine, _ = key
        return self.images.get(key) or self.images.get((accelerator, engine))

    def added_env(self, build: BuildKey, role: Role, *, first: bool) -> dict[str, EnvValue]:
        """The variables this bill adds before (`first`) or after the environment of a build's pods in a role."""
        added: dict[str, EnvValue] = {}
        for row in self.env:
            if row.first == first and row.applies(build, role):
                added |= row.variables
        return added
