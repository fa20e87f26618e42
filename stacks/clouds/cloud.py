"""The protocol of a cloud: what a stack may ask of it, and what it answers with.

A cloud is one folder beside this module and one line in `stacks.clouds.registry`. It knows nothing of a stack but a
`ClusterRequest`, and answers with a `ClusterPlan`, which is data of one type for every cloud. `Cloud` has the answers of a
cloud that makes nothing; a cloud overrides what it does otherwise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hardware.machines import Machine, Taint
from hardware.vocabulary import EMPTY, Fragment
from releases.charts import HelmRelease
from stacks.clouds.pools import AcceleratorPool, NodePool, PoolKey
from stacks.clouds.replaces import Immutables
from stacks.clouds.resource import Resource
from stacks.kube.context import Context
from stacks.schema import Mirror, Section

if TYPE_CHECKING:
    from stacks.findings import Problem, Rule
    from stacks.kube.api import Api
    from stacks.kube.leftover import Leftover, Leftovers, Look

Object = dict[str, Any]


@dataclass(frozen=True)
class Extra:
    """A cloud's SDK for Pulumi, which is an optional dependency.

    `module` and `package` name it, `name` the extra of this project that installs it, `key` the key of a stack file that needs
    it, `why` says so in words, and `page` is the page about it.
    """

    module: str
    package: str
    name: str
    key: str
    why: str
    page: str


@dataclass(frozen=True)
class Nodes:
    """The accelerator nodes of a stack: their machine, and the section of a stack file that describes them."""

    machine: Machine
    section: Section | None


@dataclass(frozen=True)
class PodParts:
    """Parts that serving pods need on a cloud's nodes: of a pod's spec and of its container, and annotations."""

    spec: Fragment = field(default_factory=lambda: EMPTY)
    container: Fragment = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterRequest:
    """All that a cloud may know of a stack.

    `machine` is as the stack has it (labels and taints included), `nodes` how many accelerator nodes there are at first, None
    if the file does not say. `wants_gateway`: there may be Gateways of the cloud's own. Relative paths in `section` start at
    `base`.
    """

    name: str
    section: Section
    machine: Machine
    nodes: int | None
    protect: bool
    allow_replace: tuple[PoolKey, ...]
    wants_gateway: bool
    mirror: Mirror
    context: Context = field(default_factory=Context)
    base: Path = Path()


@dataclass(frozen=True)
class Follows:
    """The kubeconfig follows from the cluster: from its name and its endpoint."""

    kubeconfig: Callable[[str, str], str]


@dataclass(frozen=True)
class ByHand:
    """A person has to name a context once the cluster exists: its kubeconfig holds a credential, which no stack makes.

    `kubeconfig` and `then` say how to go on.
    """

    kubeconfig: str
    then: str


#: How a cluster is reached.
Access = Context | Follows | ByHand


@dataclass(frozen=True)
class Use:
    """An image and its user. An image that is never `pulled` is on the node."""

    image: str
    user: str
    pulled: bool = True


@dataclass(frozen=True)
class InUse:
    """The guard's arguments: it checks a cluster, or node pools in an existing one, before their destroy.

    `section` is the section of the stack file that has `deleteInUse`, `delete_in_use` its value. `cluster` is the cluster's
    name, None if it stays; `namespaces` the label, key and value, of namespaces that are the cloud's own; `pool_label` the
    label by which a node names its pool.
    """

    section: str
    delete_in_use: bool
    cluster: str | None = None
    namespaces: tuple[str, str] | None = None
    pool_label: str = ""


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster and its nodes as data, one type for every cloud. All empty: the stack makes nothing of them.

    `resources` of the cloud's API are in an order in which each comes after what it needs; `cluster_name` is the logical name
    of the one that is the cluster, None if it exists, and `endpoint` the attribute of it with its address, as steps;
    `node_resources` name those that are nodes, CPU nodes first; `provider_args` are the arguments of the SDK's provider.
    `pools` are nodes that Kubernetes objects stand for, CPU nodes first.

    `waves` of objects follow the nodes, one after the other, then the objects that `files` reads (it may download), then
    `charts`; all of them exist before any model server. `wave_file` and `objects_file` are what `render` calls the files of the
    two.

    `images` are those of files and charts whose publisher is known; `images_in_files`: the files are the user's own and name
    theirs; `own_charts` are the user's own, under the key `charts_key`, and only they can tell. `brought_crds` are CRDs that
    the cluster keeps itself. `nodes_text` describes the nodes in one line.
    """

    resources: tuple[Resource, ...] = ()
    cluster_name: str | None = None
    endpoint: tuple[str, ...] = ()
    node_resources: tuple[str, ...] = ()
    provider_args: Mapping[str, Any] = field(default_factory=dict)
    pools: tuple[NodePool, ...] = ()
    waves: tuple[tuple[Object, ...], ...] = ()
    wave_file: str = "cluster-objects.yaml"
    files: Callable[[], Sequence[Object]] = field(default=tuple, compare=False)
    objects_file: str | None = None
    charts: tuple[HelmRelease, ...] = ()
    images: tuple[Use, ...] = ()
    images_in_files: bool = False
    own_charts: tuple[HelmRelease, ...] = ()
    charts_key: str = ""
    brought_crds: frozenset[str] = frozenset()
    reached_by: Access = field(default_factory=Context)
    in_use: InUse | None = None
    nodes_text: str = ""

    def resource(self, name: str) -> Resource:
        """The resource of that logical name."""
        return next(found for found in self.resources if found.name == name)

    def of(self, kind: str) -> list[Resource]:
        """The resources of one class, by its path."""
        return [found for found in self.resources if found.type == kind]

    @property
    def cluster(self) -> Resource:
        """The resource that is the cluster. Raises LookupError if the cluster exists."""
        if self.cluster_name is None:
            raise LookupError("the cluster is not the stack's to make")
        return self.resource(self.cluster_name)

    @property
    def objects(self) -> list[Object]:
        """The objects of all waves."""
        return [obj for wave in self.waves for obj in wave]


@dataclass(frozen=True)
class Previous:
    """The stack as its last `up` left it: its full name, its outputs (empty for a new stack), and what they say was planned."""

    owner: str
    outputs: Mapping[str, Any]
    planned: Mapping[str, Mapping[str, Any]]


class Cloud:
    """A provider of clusters. This base makes nothing: an existing cluster.

    `key` is the word of `cluster.provider` and of its section in a stack file, `title` the cloud's name for people.
    `section_type` is the type of that section, None without one. `heeds` are keys of `cluster` that mean something with this
    provider, beside its section. `example` is one of its machines, `rendered` are files that `render` may write for it alone.
    """

    key: str = "existing"
    title: str = "the cluster"
    extra: Extra | None = None
    section_type: type[Section] | None = None
    heeds: frozenset[str] = frozenset({"kubeconfig", "context"})
    makes_nodes: bool = False
    example: str = ""
    replaces: Immutables | None = None
    rendered: tuple[str, ...] = ()
    #: The fix for objects of the Prometheus operator in a cluster that the stack makes.
    without_operator: str = "leave it out"
    #: Whether a platform stack pulls images and charts, which `mirror` is about.
    pulls: bool = False

    @property
    def rules(self) -> Sequence["Rule"]:
        """Rules of its sections, nodes and resources."""
        return ()

    def is_new(self, section: Section | None, context: str | None) -> bool:
        """Whether the stack makes the cluster and names none that exists."""
        return False

    def makes_cluster(self, section: Section | None) -> bool:
        """Whether the stack makes the cluster itself."""
        return False

    def accelerator_pool(self, section: Section | None) -> AcceleratorPool:
        """The accelerator nodes as a section describes them."""
        return AcceleratorPool()

    def machine(self, nodes: Nodes) -> Machine:
        """The machine with the labels and taints that its pool gives it."""
        pool, found = self.accelerator_pool(nodes.section), nodes.machine
        taints = (*found.taints, *(Taint(row["key"], row["value"], row["effect"]) for row in pool.taints))
        labels = {**found.labels, **pool.labels}
        return replace(found, labels=labels, taints=taints)

    def pod(self, nodes: Nodes, labels: Mapping[str, str], *, rdma: bool) -> PodParts:
        """Returns the parts that serving pods with these labels need on these nodes. `rdma`: their fabric uses it."""
        return PodParts()

    def plan(self, request: ClusterRequest) -> ClusterPlan:
        """Returns the cluster and the nodes of a valid request."""
        return ClusterPlan(reached_by=request.context)

    def has_gateways(self, request: ClusterRequest) -> bool:
        """Whether the cluster can have Gateways of the cloud's own."""
        return True

    def kept_crds(self, version: str) -> frozenset[str]:
        """CRDs of a release that an existing cluster of this version (of `/version`, without `v`) keeps itself."""
        return frozenset()

    def shared(self, section: Section | None, machine: Machine) -> Mapping[str, Any]:
        """Returns the exports of a platform stack's section for the stacks on its nodes, as plain data."""
        return {}

    def from_shared(self, exported: Mapping[str, Any]) -> Section | None:
        """The section as far as `shared` exported it."""
        return None

    def check_previous(
        self, request: ClusterRequest, plan: ClusterPlan, previous: Previous
    ) -> Sequence["str | Problem"]:
        """Problems and warnings (texts) of a change of an existing cluster, and of a project that is not ready for a new one."""
        return ()

    def check_live(self, api: "Api", request: ClusterRequest, plan: ClusterPlan, owner: str) -> Iterator["Problem"]:
        """Problems of the live cluster with what the stack makes in it. Raises what `api` raises."""
        return iter(())

    def watch(self, request: ClusterRequest, plan: ClusterPlan) -> None:
        """Follows nodes in the background of an `up`, and logs why none comes."""

    def leftovers(self, request: ClusterRequest, plan: ClusterPlan, namespace: str | None) -> "Leftovers | None":
        """Returns a stack's leftovers from the cloud's own API, with the cluster; None if only the cluster can tell.

        Raises:
            StackFileError: the API cannot be asked.
        """
        return None

    def left_in_cluster(self, look: "Look", plan: ClusterPlan) -> Iterator["Leftover"]:
        """Yields the leftovers of the stack's nodes in an existing cluster, and the cluster itself."""
        return iter(())

    def unreachable(self, plan: ClusterPlan, problem: "Problem | None") -> "Problem | None":
        """Returns the problem for leftovers if the cluster does not answer; `problem` None: there is no context for it."""
        return problem

    def place(self, section: Section | None) -> Mapping[str, str]:
        """Where `leftovers` looks, by the word for it (`project`), empty if in the cluster."""
        return {}


#: A cluster that nobody of this project makes.
EXISTING = Cloud()
