"""The protocol of a cloud: its methods, the `ClusterRequest` they take and the `ClusterPlan` they return.

A cloud is one folder beside this module and one line in `stacks.clouds.registry`. It knows a stack only by a `ClusterRequest` and
returns a `ClusterPlan`, which has one type for every cloud. `Cloud` implements a cloud that makes nothing; the others override
its methods.
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
    from stacks.findings import Finding, Problem, Rule
    from stacks.kube.leftover import Leftover, Leftovers, Search
    from stacks.kube.live import LiveCluster
    from stacks.rules.facts import Facts

Object = dict[str, Any]


@dataclass(frozen=True)
class Extra:
    """A cloud's SDK for Pulumi, an optional dependency: its `module` and `package`, the `name` of this project's extra that
    installs it, the `key` of a stack file that needs it, the reason as text, and the page of the docs.
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
    """Parts of serving pods that a cloud's nodes need: of the pod's spec and of its container, and annotations."""

    spec: Fragment = field(default_factory=lambda: EMPTY)
    container: Fragment = field(default_factory=lambda: EMPTY)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterRequest:
    """All that a cloud may know about a stack.

    `machine` has the labels and taints of the stack's nodes. `nodes` is the initial number of accelerator nodes, None if the file
    does not say. `wants_gateway`: the stack may use Gateways of the cloud. Relative paths in `section` start at `base`.
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
    """Access by a kubeconfig that follows from the cluster's name and endpoint."""

    kubeconfig: Callable[[str, str], str]


@dataclass(frozen=True)
class ByHand:
    """Access by a context that a user names once the cluster exists: its kubeconfig holds a credential, which no stack makes.

    `kubeconfig` and `then` describe the next steps.
    """

    kubeconfig: str
    then: str


#: The access to a cluster.
Access = Context | Follows | ByHand


@dataclass(frozen=True)
class Use:
    """An image and its user. An image that is never `pulled` is already on the node."""

    image: str
    user: str
    pulled: bool = True


@dataclass(frozen=True)
class InUse:
    """The check of a destroy before it deletes a cluster (`cluster` is its name), or node pools of a cluster that stays (None).

    `section` of the stack file has `deleteInUse`, `delete_in_use` is its value. `namespaces` is the label (key and value) of the
    cloud's own namespaces, `pool_label` the label by which a node names its pool.
    """

    section: str
    delete_in_use: bool
    cluster: str | None = None
    namespaces: tuple[str, str] | None = None
    pool_label: str = ""


@dataclass(frozen=True)
class ClusterPlan:
    """The plan of a cluster and its nodes as data, one type for every cloud. Empty if the stack makes neither.

    `resources` of the cloud's API are in dependency order. `cluster_name` is the logical name of the cluster's resource, None if
    the cluster exists, and `endpoint` the path of its attribute with the address. `node_resources` names the resources that are
    nodes, CPU nodes first. `provider_args` are arguments of the SDK's provider. `pools` are node pools that are Kubernetes
    objects, CPU nodes first.

    After the nodes come the `waves` of objects, one after the other, then the objects that `files` returns (it may download),
    then `charts`; all of them exist before any model server. `render` writes the waves to `wave_file`, the other objects to
    `objects_file`.

    `images` are the images of files and charts of a known publisher. `images_in_files`: the files are the user's own, and their
    images have to be read from them. `own_charts` are the user's own charts, under the key `charts_key`; their images have to be
    read from the rendered chart. `brought_crds` are CRDs that the cluster keeps itself. `nodes_text` describes the nodes in one
    line.
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
        """Returns the resource with this logical name."""
        return next(found for found in self.resources if found.name == name)

    def of(self, kind: str) -> list[Resource]:
        """Returns the resources of one class, given by its path."""
        return [found for found in self.resources if found.type == kind]

    @property
    def cluster(self) -> Resource:
        """The resource that is the cluster. Raises LookupError if the cluster exists."""
        if self.cluster_name is None:
            raise LookupError("the stack does not make the cluster")
        return self.resource(self.cluster_name)

    @property
    def objects(self) -> list[Object]:
        """The objects of all waves."""
        return [obj for wave in self.waves for obj in wave]


@dataclass(frozen=True)
class Previous:
    """The stack as its last `up` left it: its full name, its outputs (empty for a new stack), and the fingerprint in them."""

    owner: str
    outputs: Mapping[str, Any]
    planned: Mapping[str, Mapping[str, Any]]


class Cloud:
    """A provider of clusters. This base class is the provider `existing`: it makes nothing.

    `key` is the value of `cluster.provider` and the key of its section in a stack file, `title` the cloud's name for people.
    `section_type` is the type of that section, None without one. `heeds` are the keys of `cluster`, beside its section, that this
    provider uses. `example` is one of its machines, `rendered` are files that `render` may write for it alone.
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
    #: The fix for a stack that asks for objects of the Prometheus operator in a cluster that it makes.
    without_operator: str = "leave it out"
    #: Whether a platform stack pulls images and charts, so that `mirror` applies to it.
    pulls: bool = False

    @property
    def rules(self) -> Sequence["Rule"]:
        """Rules about its sections, nodes and resources."""
        return ()

    def is_new(self, section: Section | None, context: str | None) -> bool:
        """Whether the stack makes the cluster and names no context of an existing one."""
        return False

    def makes_cluster(self, section: Section | None) -> bool:
        """Whether the stack makes the cluster itself."""
        return False

    def accelerator_pool(self, section: Section | None) -> AcceleratorPool:
        """Returns the pool of accelerator nodes that a section describes."""
        return AcceleratorPool()

    def machine(self, nodes: Nodes) -> Machine:
        """Returns the machine with the labels and taints that its pool adds."""
        pool, found = self.accelerator_pool(nodes.section), nodes.machine
        taints = (*found.taints, *(Taint(row["key"], row["value"], row["effect"]) for row in pool.taints))
        labels = {**found.labels, **pool.labels}
        return replace(found, labels=labels, taints=taints)

    def pod(self, nodes: Nodes, labels: Mapping[str, str], *, rdma: bool) -> PodParts:
        """Returns what serving pods with these labels need on such nodes. `rdma`: their fabric uses RDMA."""
        return PodParts()

    def plan(self, request: ClusterRequest) -> ClusterPlan:
        """Returns the cluster and the nodes of a valid request."""
        return ClusterPlan(reached_by=request.context)

    def has_gateways(self, request: ClusterRequest) -> bool:
        """Whether the cluster can have Gateways of the cloud."""
        return True

    def kept_crds(self, version: str) -> frozenset[str]:
        """Returns the CRDs of a release that an existing cluster of this version (of `/version`, without `v`) keeps itself."""
        return frozenset()

    def shared(self, section: Section | None, machine: Machine) -> Mapping[str, Any]:
        """Returns the part of a section that a platform stack exports for the stacks on its nodes, as plain data."""
        pool = self.accelerator_pool(section)
        return {"labels": dict(pool.labels), "taints": [dict(taint) for taint in pool.taints]}

    def from_shared(self, exported: Mapping[str, Any]) -> Section | None:
        """Returns the section as far as `shared` exported it."""
        if self.section_type is None:
            return None
        pool = type(self.accelerator_pool(None))
        described = pool.model_construct(labels=dict(exported["labels"]), taints=tuple(exported["taints"]))
        return self.section_type.model_construct(None, accelerator_pool=described)

    def replaced(self, facts: "Facts") -> Iterator["Finding"]:
        """Yields findings about changes since the last run that would replace protected resources (IMM)."""
        return iter(())

    def of_others(self, facts: "Facts", live: "LiveCluster") -> Iterator["Finding"]:
        """Yields findings about nodes in the live cluster that have the names of the stack's, and another owner (EXISTS)."""
        return iter(())

    def without_nodes(self, facts: "Facts", live: "LiveCluster") -> Iterator["Finding"]:
        """Yields a finding if the live cluster cannot have nodes of this cloud (CLUSTER)."""
        return iter(())

    def watch(self, request: ClusterRequest, plan: ClusterPlan) -> None:
        """Watches nodes in the background of an `up`, and logs the reasons why none comes."""

    def leftovers(self, request: ClusterRequest, plan: ClusterPlan, namespace: str | None) -> "Leftovers | None":
        """Returns a stack's leftovers, the cluster included, from the cloud's own API; None if the cluster has to be asked.

        Raises:
            StackFileError: the cloud's API cannot be asked.
        """
        return None

    def left_in_cluster(self, search: "Search", plan: ClusterPlan) -> Iterator["Leftover"]:
        """Yields leftovers in a cluster: the stack's nodes, and the cluster itself if the stack made it."""
        return iter(())

    def unreachable(self, plan: ClusterPlan, problem: "Problem | None") -> "Problem | None":
        """Returns the problem with leftovers if the cluster does not answer, with `problem`; None: no context leads to it."""
        return problem

    def place(self, section: Section | None) -> Mapping[str, str]:
        """Returns the place where `leftovers` looks, by its kind (`project`); empty if it looks in the cluster."""
        return {}


#: A cluster that no stack of this project makes.
EXISTING = Cloud()
