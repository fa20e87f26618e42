"""GKE's implementation of the cloud protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hardware.machines import GKE_POOLS, Machine
from releases import gke
from stacks.clouds.cloud import Cloud, ClusterPlan, ClusterRequest, Extra, Nodes, PodParts
from stacks.clouds.gke.addons import pod_annotations, pod_resources
from stacks.clouds.gke.plan import INSTALLER_FILE, NETWORKS_FILE, GkePlan, gke_plan
from stacks.clouds.gke.replaces import GKE as REPLACES
from stacks.clouds.gke.settings import has_gateways
from stacks.clouds.gke.spec import Gke, GkeAcceleratorPool
from stacks.clouds.gke.versions import brought_crds
from stacks.clouds.pools import AcceleratorPool
from stacks.schema import Section

if TYPE_CHECKING:
    from stacks.findings import Finding, Rule
    from stacks.kube.leftover import Leftovers
    from stacks.rules.facts import Facts


class GkeCloud(Cloud):
    """GKE. The stack makes the cluster with its networks and accounts; the kubeconfig follows from the cluster."""

    key = "gke"
    title = "Google Cloud"
    extra = Extra(
        module=gke.SDK,
        package="pulumi-gcp",
        name="gke",
        key="cluster.provider",
        why="`provider: gke` needs it, and it is an extra: its plugin is 300 MB",
        page="docs/gke.md",
    )
    section_type = Gke
    heeds = frozenset({"protect", "allowReplace"})
    makes_nodes = True
    example = "gke-a3-ultragpu-8g-dra"
    replaces = REPLACES
    without_operator = "leave it out; what GKE's managed Prometheus scrapes, PodMonitorings, are Google's kind"
    pulls = True
    rendered = (NETWORKS_FILE, INSTALLER_FILE, f"{gke.DRA_DRIVER}.values.yaml")

    @property
    def rules(self) -> Sequence["Rule"]:
        from stacks.clouds.gke.rules import RULES

        return RULES

    def is_new(self, section: Section | None, context: str | None) -> bool:
        return section is not None

    def makes_cluster(self, section: Section | None) -> bool:
        return True

    def accelerator_pool(self, section: Section | None) -> AcceleratorPool:
        return section.accelerator_pool if isinstance(section, Gke) else GkeAcceleratorPool()

    def machine(self, nodes: Nodes) -> Machine:
        made = super().machine(nodes)
        if not isinstance(nodes.section, Gke) or nodes.section.rdma != "none":
            return made
        # Nothing sets up its further NICs.
        extended = {key: value for key, value in made.extended.items() if not key.startswith("networking.gke.io.")}
        return replace(made, extended=extended, rdma=None)

    def pod(self, nodes: Nodes, labels: Mapping[str, str], *, rdma: bool) -> PodParts:
        """Returns the attachment of pods to the RDMA networks with multi-networking; without, claims attach them."""
        if not isinstance(nodes.section, Gke) or nodes.section.rdma != "multinet":
            return PodParts()
        return PodParts(container={"resources": pod_resources()}, annotations=pod_annotations())

    def plan(self, request: ClusterRequest) -> ClusterPlan:
        return gke_plan(request)

    def has_gateways(self, request: ClusterRequest) -> bool:
        return has_gateways(request)

    def kept_crds(self, version: str) -> frozenset[str]:
        return brought_crds(version)

    def shared(self, section: Section | None, machine: Machine) -> Mapping[str, Any]:
        rdma = section.rdma if isinstance(section, Gke) else None
        return {**super().shared(section, machine), "rdma": rdma or GKE_POOLS[machine.key].rdma}

    def from_shared(self, exported: Mapping[str, Any]) -> Section | None:
        section = super().from_shared(exported)
        return section and section.model_copy(update={"rdma": exported["rdma"]})

    def replaced(self, facts: "Facts") -> Iterator["Finding"]:
        from stacks.clouds.gke.change import replaced

        return replaced(facts)

    def leftovers(self, request: ClusterRequest, plan: ClusterPlan, namespace: str | None) -> "Leftovers | None":
        from stacks.clouds.gke.leftovers.google import Google
        from stacks.clouds.gke.leftovers.search import search_google

        return search_google(of_gke(plan), namespace, Google.connect)

    def place(self, section: Section | None) -> Mapping[str, str]:
        return {"project": section.project} if isinstance(section, Gke) else {}


def of_gke(plan: ClusterPlan) -> GkePlan:
    """Returns the plan as a GkePlan. Only plans made by this cloud are passed in."""
    assert isinstance(plan, GkePlan)
    return plan


GKE = GkeCloud()
