"""Rules of nodes and clusters on CoreWeave, as rows: what a stack file may not say of them, what is pointed out of one, laws of
resources, and what a look at the cluster says.

Ids and what they are about are facts of CoreWeave's documentation. That nothing installs GPU or network operators, which
CoreWeave brings (CW-04), is a law of what a stack is made of.
"""

from functools import partial

from stacks.clouds.coreweave import change, laws, live
from stacks.clouds.coreweave import section_checks as section
from stacks.clouds.coreweave.versions import SOURCE as VERSIONS
from stacks.clouds.laws import law
from stacks.clouds.rules import COREWEAVE, nodes_within_bounds, own_machine, stated_nodes
from stacks.findings import ERROR, WARNING, Rule, each
from stacks.kube.live import live_check

PAGE = "docs/coreweave.md"
NODE_POOLS = "https://docs.coreweave.com/products/cks/reference/node-pool"
INSTANCES = "https://docs.coreweave.com/platform/instances"
SIZES = "https://docs.coreweave.com/products/networking/vpc/vpc-cidr"
UPGRADES = "https://docs.coreweave.com/products/cks/clusters/upgrade-kubernetes"

RULES = (
    Rule(
        "CW-01", ERROR,
        "node pools without a number of nodes",
        "it is what is billed",
        NODE_POOLS, check=partial(stated_nodes, COREWEAVE), firm=True,
    ),
    Rule(
        "CW-02", ERROR,
        "an autoscaler whose bounds are crossed, or do not hold `cluster.nodes`",
        "it could not start",
        NODE_POOLS, check=partial(nodes_within_bounds, COREWEAVE),
    ),
    Rule(
        "CW-03", ERROR,
        "when Pulumi runs: a change that would replace a node pool",
        "an instance type never changes",
        NODE_POOLS, check=live_check(live.replaced_pools), firm=True, when_run=True,
    ),
    Rule(
        "CW-05", ERROR,
        "on CoreWeave, no word on the fabric",
        "KV cache would travel over TCP, beside the InfiniBand that is paid for",
        INSTANCES, check=section.infiniband_said_aloud,
    ),
    Rule(
        "CW-06", ERROR,
        "a system pool of an instance type that has accelerators or is not known; other keys of it beside `manage: "
        "false`, or that in a cluster that the stack makes; two pools of one name; a cluster or VPC with more than "
        "30 characters; `autoscaling` of an existing cluster before v1.32",
        "the router needs CPU nodes of a known size; a name is there once; CoreWeave takes no other",
        INSTANCES,
        check=each(
            *(section.system_nodes, section.two_names, section.short_names, section.nodes_of_its_own),
            law(laws.short_names, laws.known_ranges, laws.one_zone),
        ),
    ),
    Rule(
        "CW-07", ERROR,
        "on CoreWeave, a machine of another provider",
        "its NodePool would never get a node",
        INSTANCES, check=partial(own_machine, COREWEAVE), firm=True,
    ),
    Rule(
        "CW-08", ERROR,
        "node labels that are CoreWeave's or Kubernetes' own",
        "the scheduler and the stack's affinity go by them",
        NODE_POOLS, check=section.own_labels,
    ),
    Rule(
        "CW-09", ERROR,
        "a node taint twice, or one that such nodes have already",
        "the API server refuses such nodes",
        "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/", check=section.taints_once,
    ),
    Rule(
        "CW-10", ERROR,
        "when Pulumi runs: a pool that would be smaller than the nodes that run pods",
        "CoreWeave takes nodes without pods only",
        NODE_POOLS, check=live_check(live.busy_nodes), firm=True, when_run=True,
    ),
    Rule(
        "CW-11", ERROR,
        "a CKS version that is no minor one, such as `v1.35`; of a cluster that is yet to be made (no `context`), one "
        "before v1.33; when Pulumi runs, one that is not the next",
        "CoreWeave makes no new cluster of an old version, upgrades one minor version at a time, and never back",
        UPGRADES,
        check=each(section.minor_version, section.offered_version, law(laws.minor_version), change.next_version), when_run=True,
    ),
    Rule(
        "CW-12", ERROR,
        "ranges of a CKS cluster's VPC that are none, not private, or overlap each other or a peer",
        "others use such addresses",
        SIZES, check=each(section.ranges_lie_free, law(laws.ranges)), firm=True,
    ),
    Rule(
        "CW-13", ERROR,
        "a range of pods with less than 128 addresses for each node there may be, or of hosts with less than 2",
        "nodes would not come; the fix names the smallest that would do",
        SIZES, check=section.room_for_nodes,
    ),
    Rule(
        "CW-14", ERROR,
        "a kubeconfig without a context, of a stack that makes its CKS cluster",
        "its current context could lead to another one",
        PAGE, check=section.a_context_to_come, firm=True,
    ),
    Rule(
        "CW-15", ERROR,
        "when Pulumi runs: a context that cannot be that of the stack's own CKS cluster",
        "everything would be made in another cluster, or deleted as gone",
        PAGE, check=change.own_context, firm=True, when_run=True,
    ),
    Rule(
        "CW-16", ERROR,
        "when Pulumi runs: a wait for a node pool that CoreWeave has refused",
        "no node will ever come",
        "https://docs.coreweave.com/platform/instances/availability-matrix",
        check=live_check(live.refused_pools), firm=True, when_run=True,
    ),
    Rule(
        "CW-17", WARNING,
        "with `provider: existing`, pods for CoreWeave's InfiniBand that no `serving.nodeSelector` keeps on one "
        "fabric",
        "KV cache does not cross fabrics; the pods of a stack that makes its nodes, or refers to one that does, are"
        " kept on one",
        INSTANCES, check=section.across_fabrics,
    ),
    Rule(
        "CW-18", WARNING,
        "a new CKS cluster of a version that is not on the newest list known here (v1.34 to v1.36)",
        "CoreWeave may refuse it, after the VPC is made",
        f"https://{VERSIONS}", check=section.unlisted_version,
    ),
)  # fmt: skip
