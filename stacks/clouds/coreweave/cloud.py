"""CoreWeave's implementation of the cloud protocol."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from releases import coreweave
from stacks.clouds.cloud import Cloud, ClusterPlan, ClusterRequest, Extra, Nodes, PodParts
from stacks.clouds.coreweave.plan import coreweave_plan
from stacks.clouds.coreweave.pools import same_fabric
from stacks.clouds.coreweave.replaces import CKS
from stacks.clouds.coreweave.spec import CoreWeave, CoreWeavePool
from stacks.clouds.pools import AcceleratorPool
from stacks.schema import Section

if TYPE_CHECKING:
    from stacks.findings import Finding, Problem, Rule
    from stacks.kube.leftover import Leftover, Search
    from stacks.kube.live import LiveCluster
    from stacks.rules.facts import Facts


class CoreWeaveCloud(Cloud):
    """CoreWeave. Node pools are objects in a CKS cluster, which the stack may make; CoreWeave brings drivers and operators."""

    key = "coreweave"
    title = "CoreWeave"
    extra = Extra(
        module=coreweave.SDK,
        package="pulumi-coreweave",
        name="coreweave",
        key="cluster.coreweave.cluster",
        why="a CKS cluster of the stack's own needs it, and it is an extra",
        page="docs/coreweave.md",
    )
    section_type = CoreWeave
    heeds = frozenset({"kubeconfig", "context", "protect", "allowReplace"})
    makes_nodes = True
    example = "coreweave-h200"
    replaces = CKS
    without_operator = "leave it out until the cluster exists and an operator is installed in it"

    @property
    def rules(self) -> Sequence["Rule"]:
        from stacks.clouds.coreweave.rules import RULES

        return RULES

    def is_new(self, section: Section | None, context: str | None) -> bool:
        return self.makes_cluster(section) and context is None

    def makes_cluster(self, section: Section | None) -> bool:
        return isinstance(section, CoreWeave) and section.cluster is not None

    def accelerator_pool(self, section: Section | None) -> AcceleratorPool:
        return section.accelerator_pool if isinstance(section, CoreWeave) else CoreWeavePool()

    def pod(self, nodes: Nodes, labels: Mapping[str, str], *, rdma: bool) -> PodParts:
        return PodParts(spec=same_fabric(labels)) if rdma else PodParts()

    def plan(self, request: ClusterRequest) -> ClusterPlan:
        return coreweave_plan(request)

    def replaced(self, facts: "Facts") -> Iterator["Finding"]:
        from stacks.clouds.coreweave.change import replaced

        return replaced(facts)

    def of_others(self, facts: "Facts", live: "LiveCluster") -> Iterator["Finding"]:
        from stacks.clouds.coreweave.live import of_others

        return of_others(facts, live)

    def without_nodes(self, facts: "Facts", live: "LiveCluster") -> Iterator["Finding"]:
        from stacks.clouds.coreweave.live import without_nodes

        return without_nodes(facts, live)

    def watch(self, request: ClusterRequest, plan: ClusterPlan) -> None:
        from stacks.clouds.coreweave.watch import watch_pools

        watch_pools(plan.pools, request.context)

    def left_in_cluster(self, search: "Search", plan: ClusterPlan) -> Iterator["Leftover"]:
        from stacks.clouds.coreweave.leftovers import cluster_left, node_pools_left

        yield from node_pools_left(search, plan.pools)
        yield from cluster_left(plan)

    def unreachable(self, plan: ClusterPlan, problem: "Problem | None") -> "Problem | None":
        from stacks.clouds.coreweave.leftovers import maybe_gone, unreached

        if plan.cluster_name is None:
            return problem
        return unreached(plan) if problem is None else maybe_gone(plan, problem)


COREWEAVE = CoreWeaveCloud()
