"""What another stack made for one to serve on: as that stack's output says or, without the engine, its file.

Owns how the two go together: what is filled in, what contradicts, and the rules over the whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hardware.machines import GKE_POOLS, RdmaMode
from stacks.clouds.gke.site import has_gateways
from stacks.clouds.gke.spec import Gke, GkeAcceleratorPool
from stacks.clouds.pools import Taint
from stacks.findings import Problem, StackFileError
from stacks.rules.table import problems_of
from stacks.spec.cluster import AcceleratorPool, CoreWeave
from stacks.spec.stack import StackSpec

#: What only the file of the other stack may say, and is filled in here all the same.
OF_THE_OTHER = frozenset({"CLUSTER-01", "CLUSTER-02"})


class NoFoundationError(ValueError):
    """An output that tells of no nodes."""


@dataclass(frozen=True)
class Foundation:
    """How a cluster is reached and what its accelerator nodes are. `nodes` are the most there will be.

    `kubeconfig` is a path, or all of it as text where the stack makes the cluster too: then it is not known before that is there,
    and None. `rdma` is of GKE alone, and says that the cluster is there; `gateways`, whether it can have Gateways of GKE's.
    """

    kubeconfig: str | None
    context: str | None
    machine: str
    nodes: int
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    rdma: RdmaMode | None = None
    gateways: bool = True

    @classmethod
    def made_by(cls, spec: StackSpec) -> "Foundation":
        """That of a stack that obeys the rules."""
        cluster = spec.cluster
        assert cluster.machine is not None  # by PLATFORM-01
        assert cluster.nodes is not None  # by CW-01 and GKE-20
        pool, gke = cluster.accelerator_pool, cluster.on_gke
        return cls(
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            machine=cluster.machine,
            nodes=pool.autoscaling.max if pool.autoscaling else cluster.nodes,
            labels=pool.labels,
            taints=pool.taints,
            rdma=(gke.rdma or GKE_POOLS[cluster.machine].rdma) if gke else None,
            gateways=gke is None or has_gateways(spec, gke),
        )

    @classmethod
    def exported(cls, output: object) -> "Foundation":
        """That of a stack's output. Raises NoFoundationError for another one's."""
        if not isinstance(output, Mapping):
            raise NoFoundationError
        machine, nodes = output.get("machine"), output.get("nodes")
        if not isinstance(machine, str) or not isinstance(nodes, int | float):
            raise NoFoundationError
        return cls(
            kubeconfig=output.get("kubeconfig"),
            context=output.get("context"),
            machine=machine,
            nodes=int(nodes),  # an engine's numbers are floats
            labels=output.get("labels") or {},
            taints=tuple(output.get("taints") or ()),
            rdma=output.get("rdma"),
            gateways=output.get("gateways", True),
        )

    def output(self) -> dict[str, Any]:
        """As a stack exports it."""
        return {**asdict(self), "taints": [dict(taint) for taint in self.taints]}


def stand_on(spec: StackSpec, there: Foundation, stack: str) -> StackSpec:
    """The spec with the cluster that `stack` made, judged by the rules as if it had said so itself.

    Raises:
        StackFileError: the spec says otherwise, or what it serves does not fit.
    """
    if problems := [*_contradictions(spec, there, stack)]:
        raise StackFileError(problems)
    filled = {
        "kubeconfig": there.kubeconfig,
        "context": there.context,
        "machine": there.machine,
        "nodes": spec.cluster.nodes or there.nodes,
        **_as_made(there),
    }
    found = spec.model_copy(update={"cluster": spec.cluster.model_copy(update=filled)})
    if problems := [_of_the_other(problem, spec, stack) for problem in problems_of(found, but=OF_THE_OTHER)]:
        raise StackFileError(problems)
    return found


def _as_made(there: Foundation) -> dict[str, CoreWeave | Gke]:
    """The section that says so in the other stack's file, as far as it is about the nodes."""
    labels, taints = dict(there.labels), there.taints
    if there.rdma is None:
        pool = AcceleratorPool.model_construct(labels=labels, taints=taints)
        return {"coreweave": CoreWeave.model_construct(accelerator_pool=pool)}
    gkes = GkeAcceleratorPool.model_construct(labels=labels, taints=taints)
    return {"gke": Gke.model_construct(rdma=there.rdma, accelerator_pool=gkes)}


def _of_the_other(problem: Problem, spec: StackSpec, stack: str) -> Problem:
    """A number of nodes that this stack does not say is the other's to change."""
    if problem.path != "llmd-pd:cluster.nodes" or spec.cluster.nodes is not None:
        return problem
    return replace(problem, path="llmd-pd:cluster.stack", fix=f"let stack {stack} make more, or ask for fewer replicas")


def _contradictions(spec: StackSpec, there: Foundation, stack: str) -> Iterator[Problem]:
    stated = spec.cluster
    if stated.machine not in (None, there.machine):
        what, why = f"machine `{stated.machine}`", f"the nodes of stack {stack} are {there.machine}"
        yield _problem(what, why, "write that, or leave it out", "cluster.machine")
    if stated.nodes is not None and stated.nodes > there.nodes:
        what, why = f"{stated.nodes} nodes", f"stack {stack} makes {there.nodes}"
        yield _problem(what, why, "write no more, or let it make more", "cluster.nodes")
    gateway = spec.router.gateway
    if gateway and gateway.provider == "gke" and not there.gateways:
        what, why = "a Gateway of GKE's", f"the cluster of stack {stack} has none (`gateways: false`)"
        yield _problem(what, why, "take another provider's, or let that stack have some", "router.gateway.provider")


def _problem(what: str, why: str, fix: str, path: str) -> Problem:
    return Problem("CLUSTER", f"llmd-pd:{path}", what, why, fix)
