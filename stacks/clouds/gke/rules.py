"""Rules of clusters on GKE, as rows: what a stack file may not say, what is pointed out, and laws of resources.

Ids and what they are about are facts of GKE's. A law is judged over resources, whatever made them: a plan, or a program as a
provider is told of it.
"""

from functools import partial

from stacks.clouds.gke import change, warnings
from stacks.clouds.gke import machine_checks as machine
from stacks.clouds.gke import section_checks as section
from stacks.clouds.gke.laws import capacity, machines, networks, nics
from stacks.clouds.gke.laws.cluster import no_overlaps
from stacks.clouds.gke.laws.rules import CLOUD, DOCS, DRANET, LAWS, NETWORKS, POOLS, TOOLKIT, TPUS
from stacks.clouds.gke.placeholders import filled_in
from stacks.clouds.laws import law
from stacks.clouds.rules import GKE, nodes_within_bounds, own_machine, stated_nodes
from stacks.findings import ERROR, WARNING, Rule, each

PAGE = "docs/gke.md"

CLUSTER_03 = Rule(
    "CLUSTER-03", ERROR,
    "`provider: gke` without `cluster.gke`",
    "nothing says where the cluster is made",
    PAGE, check=section.gke_section, firm=True,
)  # fmt: skip
GKE_17 = Rule(
    "GKE-17", ERROR,
    "a version that is a family; when Pulumi runs and makes or upgrades the cluster, one that its release channel "
    "does not offer",
    "GKE would choose one, and every preview show a change; GKE would refuse it",
    f"{CLOUD}/kubernetes-engine/versioning",
    check=each(section.whole_version, law(nics.whole_versions), change.version_offered), when_run=True,
)  # fmt: skip
GKE_30 = Rule(
    "GKE-30", ERROR,
    "when Pulumi runs: an API is off that a GKE stack needs before its first resource",
    "no stack can turn it on",
    PAGE, check=change.apis_off, firm=True, when_run=True,
)  # fmt: skip

GKE_28 = Rule(
    "GKE-28", ERROR,
    "a placeholder, such as `<your-project>`, in project, version or reservation",
    "only the team knows its own; a version is offered for some months only",
    PAGE, check=filled_in, firm=True,
)  # fmt: skip
#: Of the section and of how its machine is made, each with the law of the resources that follow from it.
OF_THE_FILE = (
    CLUSTER_03,
    Rule(
        "GKE-01", ERROR,
        "a GKE version that has not the way to the NICs yet",
        "claims would stay Pending",
        TOOLKIT, check=each(machine.new_enough_for_gpus, law(nics.new_enough_for_gpus)),
    ),
    Rule(
        "GKE-08", ERROR,
        "node labels that set nodes up",
        "GKE and the plan write them, and go by them",
        DRANET, check=each(section.own_labels, law(nics.labels)),
    ),
    Rule(
        "GKE-10", ERROR,
        "a zone outside the region",
        "subnets are the region's, nodes the zone's",
        f"{CLOUD}/compute/docs/regions-zones", check=each(section.own_region, law(nics.one_zone)),
    ),
    Rule(
        "GKE-12", ERROR,
        "a fabric whose pods ask for what the nodes, by `rdma` or by the machine, do not hand out: claims, or the "
        "device plugin's GPUs",
        "they would stay Pending for ever",
        PAGE, check=machine.one_way_to_the_nics,
    ),
    GKE_17,
    Rule(
        "GKE-19", ERROR,
        "on GKE, a machine of another provider",
        "there is no such machine type",
        PAGE, check=partial(own_machine, GKE), firm=True,
    ),
    Rule(
        "GKE-20", ERROR,
        "a cluster without a number of nodes",
        "it is what is billed",
        PAGE, check=partial(stated_nodes, GKE), firm=True,
    ),
    Rule(
        "GKE-21", ERROR,
        "pools whose bounds are crossed, or do not hold `cluster.nodes`",
        "GKE would refuse them",
        f"{DOCS}/concepts/cluster-autoscaler", check=each(section.bounds_of_the_system_pool, partial(nodes_within_bounds, GKE)),
    ),
    Rule(
        "GKE-22", ERROR,
        "two pools of one name",
        "a name is there once",
        POOLS, check=section.pool_names,
    ),
    Rule(
        "GKE-24", ERROR,
        "a node taint twice, or one that GKE puts on such nodes itself",
        "GKE would refuse the pool, or the nodes would not be kept free",
        f"{DOCS}/how-to/node-taints", check=each(machine.own_taints, law(machines.own_taints)),
    ),
    Rule(
        "GKE-26", ERROR,
        "`gateways: false` with a router behind a Gateway of GKE's",
        "it would never get an address",
        "docs/gateways.md", check=section.gateways_of_its_own,
    ),
    Rule(
        "GKE-27", ERROR,
        "a system pool of machines with accelerators",
        "they would be paid for, and never used",
        f"{CLOUD}/compute/docs/machine-resource", check=section.system_nodes,
    ),
    GKE_28,
    Rule(
        "GKE-29", ERROR,
        "a maintenance window of less than 48 hours in any 32 days",
        "GKE would refuse it",
        f"{DOCS}/concepts/maintenance-windows-and-exclusions", check=section.enough_maintenance,
    ),
    GKE_30,
    Rule(
        "CAP-01", ERROR,
        "no source of capacity, or more than one",
        "it has to be said where the nodes come from",
        PAGE, check=each(section.one_source, law(capacity.one_source)), firm=True,
    ),
    Rule(
        "CAP-02", ERROR,
        "a reservation without its project",
        "another project may have one of the name",
        f"{CLOUD}/compute/docs/instances/reservations-overview",
        check=each(section.whole_reservation, law(capacity.whole_reservation)),
    ),
    Rule(
        "CAP-03", ERROR,
        "flex-start for longer than a week, or before GKE has it for the machine",
        "GKE would refuse it",
        f"{DOCS}/concepts/dws", check=each(machine.flex_start, law(capacity.flex_start)),
    ),
    Rule(
        "NET-01", ERROR,
        "a base that is no private network, overlaps a peer, or is too small for any cluster",
        "others use such addresses",
        NETWORKS, check=each(section.base_lies_free, no_overlaps), firm=True,
    ),
    Rule(
        "NET-03", ERROR,
        "a base with too few addresses for the pods of all nodes",
        "nodes would not come; the fix names the smallest that would do",
        NETWORKS, check=each(section.base_has_pods, law(networks.room_for_pods)), firm=True,
    ),
    Rule(
        "TPU-04", ERROR,
        "a GKE version that has not the TPU yet",
        "GKE would refuse the pool",
        TPUS, check=each(machine.new_enough_for_tpus, law(nics.new_enough_for_tpus)),
    ),
)  # fmt: skip

WARNINGS = (
    Rule(
        "GKE-31", WARNING,
        "when Pulumi runs: a change that makes a pool's nodes anew",
        "the pods on them move",
        POOLS, check=change.recreated_nodes, when_run=True,
    ),
    Rule(
        "GKE-32", WARNING,
        "when Pulumi runs: Google cannot be asked whether the project is ready",
        "the first resource, or the cluster, may fail",
        PAGE, check=change.unanswered, when_run=True,
    ),
    Rule(
        "GKE-15", WARNING,
        "an image for CUDA 13 on a GKE version whose driver is older, or not known",
        "every server would end with CUDA error 803",
        "https://docs.nvidia.com/deploy/cuda-compatibility/", check=warnings.driver,
    ),
    Rule(
        "GKE-16", WARNING,
        "CRDs from `crds.directory` of which GKE keeps one itself",
        "that one is not taken from there",
        PAGE, check=warnings.brought,
    ),
    Rule(
        "CAP-09", WARNING,
        "nodes of flex-start",
        "they go after their time, and the servers with them",
        f"{DOCS}/concepts/dws", check=warnings.short_lived,
    ),
    Rule(
        "CAP-08", WARNING,
        "the quota that nodes without a reservation need",
        "the pool fails when everything else is made",
        f"{CLOUD}/compute/resource-usage", check=warnings.quota,
    ),
    Rule(
        "NET-09", WARNING,
        "with a Gateway of GKE's, addresses for fewer proxies than Google recommends",
        "a busy Gateway runs out of them",
        f"{CLOUD}/load-balancing/docs/proxy-only-subnets", check=warnings.proxies,
    ),
    Rule(
        "TPU-05", WARNING,
        "a boot disk on TPU hosts that the model does not fit on",
        "they have no other disk",
        TPUS, check=warnings.model_on_the_boot_disk,
    ),
)  # fmt: skip

RULES = (*OF_THE_FILE, *LAWS, *WARNINGS)
