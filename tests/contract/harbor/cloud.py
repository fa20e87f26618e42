"""Harbor as a cloud: a table of two resources, a network and a cluster in it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stacks.clouds.changes import changes
from stacks.clouds.cloud import Cloud, ClusterPlan, ClusterRequest, Extra, Follows, InUse
from stacks.clouds.pools import AcceleratorPool
from stacks.clouds.replaces import Fixed, Immutables
from stacks.clouds.resource import Ref, Resource
from stacks.findings import ERROR, OUTSIDE, Finding, Rule
from stacks.kube.leftover import Leftover, Leftovers
from stacks.rules.facts import Facts
from stacks.schema import Section
from tests.contract.harbor.spec import Harbor

REPLACES = Immutables(
    {"network.Network": Fixed(("name", "region")), "cluster.Cluster": Fixed(("name", "region", "network"))}
)
#: Harbor's resources by name, as its API would list them.
THERE: list[str] = []


def _not_on_a_reef(facts: Facts) -> Iterator[Finding]:
    for resource in facts.resources:
        if resource.type == "cluster.Cluster" and resource.args.get("region") == "reef":
            what, why = "a cluster on a reef", "Harbor makes none there"
            yield Finding(at=(OUTSIDE, resource.name, "region"), what=what, why=why, fix="choose another region")


HARBOR_01 = Rule(
    "HARBOR-01", ERROR, "a cluster on a reef", "Harbor makes none there", "docs/harbor.md", check=_not_on_a_reef
)


class HarborCloud(Cloud):
    """The stack makes the cluster; its kubeconfig follows from it."""

    key = "harbor"
    title = "Harbor"
    extra = Extra(
        module="tests.contract.harbor.sdk",
        package="pulumi-harbor",
        name="harbor",
        key="cluster.provider",
        why="`provider: harbor` needs it",
        page="docs/harbor.md",
    )
    section_type = Harbor
    heeds = frozenset({"protect", "allowReplace"})
    makes_nodes = True
    example = "nvidia-generic"
    replaces = REPLACES

    @property
    def rules(self) -> Sequence[Rule]:
        return (HARBOR_01,)

    def is_new(self, section: Section | None, context: str | None) -> bool:
        return section is not None

    def makes_cluster(self, section: Section | None) -> bool:
        return True

    def accelerator_pool(self, section: Section | None) -> AcceleratorPool:
        return section.accelerator_pool if isinstance(section, Harbor) else AcceleratorPool()

    def plan(self, request: ClusterRequest) -> ClusterPlan:
        section = request.section
        assert isinstance(section, Harbor)
        network, cluster = f"{request.name}-network", f"{request.name}-cluster"
        placed = {"name": request.name, "region": section.region}
        args: dict[str, Any] = {
            **placed,
            "network": Ref(network),
            "machine": request.machine.instance_type,
            "nodes": request.nodes,
        }
        return ClusterPlan(
            resources=(
                Resource(network, "network.Network", "Network", placed, protect=request.protect),
                Resource(cluster, "cluster.Cluster", "Cluster", args, protect=request.protect),
            ),
            cluster_name=cluster,
            node_resources=(cluster,),
            provider_args={"region": section.region},
            endpoint=("endpoint",),
            reached_by=Follows(kubeconfig),
            in_use=InUse("cluster.harbor", section.delete_in_use, cluster=request.name),
            nodes_text=f"{request.nodes} × {request.machine.key}",
        )

    def replaced(self, facts: "Facts") -> Iterator[Finding]:
        assert self.replaces is not None
        for row in changes(facts.previous.planned, facts.resources, self.replaces):
            what, why = f"{row.resource.name} is replaced", "it moves"
            yield Finding(at=("cluster", "harbor"), what=what, why=why, fix="take it back")

    def leftovers(self, request: ClusterRequest, plan: ClusterPlan, namespace: str | None) -> Leftovers | None:
        found = [
            Leftover(row.title, row.name, "it is listed", bills=True) for row in plan.resources if row.name in THERE
        ]
        return Leftovers(tuple(found), (), ())

    def place(self, section: Section | None) -> Mapping[str, str]:
        return {"region": section.region} if isinstance(section, Harbor) else {}


def kubeconfig(name: str, endpoint: str) -> str:
    """A kubeconfig, as short as can be."""
    return f'{{"cluster": "{name}", "server": "{endpoint}"}}'


HARBOR = HarborCloud()
