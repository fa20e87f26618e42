"""Rules of a GKE plan alone, as rows: laws of resources that no key of a stack file says anything about."""

from stacks.clouds.gke.laws import capacity, machines, networks, nics
from stacks.clouds.gke.laws.cluster import driver_chart, no_network_objects, within_base
from stacks.clouds.laws import law
from stacks.findings import ERROR, Rule, each

CLOUD = "https://cloud.google.com"
DOCS = f"{CLOUD}/kubernetes-engine/docs"
GPUS, TPUS = f"{DOCS}/how-to/gpu-bandwidth-gpudirect-rdma", f"{DOCS}/concepts/tpus"
DRANET = f"{DOCS}/how-to/allocate-network-resources-dra"
NETWORKS, POOLS = f"{DOCS}/concepts/alias-ips", f"{DOCS}/concepts/node-pools"
TOOLKIT = "https://github.com/GoogleCloudPlatform/cluster-toolkit"

NET_04 = Rule(
    "NET-04", ERROR,
    "subnets outside the base, or not eight in the zone of a RoCE network",
    "a peer's routes may be told by the base; a machine has eight RDMA NICs",
    GPUS, check=each(law(networks.roce_subnets), within_base),
)  # fmt: skip
#: Of the plan alone: no key of a stack file says what they are about.
LAWS = (
    Rule(
        "GKE-02", ERROR,
        "RDMA without Dataplane V2",
        "only a new cluster gets it",
        GPUS, check=law(nics.dataplane),
    ),
    Rule(
        "GKE-03", ERROR,
        "DRANET on a machine that has none",
        "GKE would refuse the pool",
        DRANET, check=law(nics.dranet_machines),
    ),
    Rule(
        "GKE-04", ERROR,
        "DRANET beside networks of the stack's own",
        "both would manage the same NICs",
        DRANET, check=each(law(nics.one_manager_of_nics), no_network_objects),
    ),
    Rule(
        "GKE-05", ERROR,
        "multi-networking without a pool's further networks, or the reverse, or in another order",
        "RDMA NICs would be missing, or have other names on every node",
        GPUS, check=law(nics.further_networks),
    ),
    Rule(
        "GKE-07", ERROR,
        "a GPU driver that neither GKE nor the stack installs, or both",
        "the GPUs would not be found",
        DRANET, check=law(nics.driver),
    ),
    Rule(
        "GKE-09", ERROR,
        "GPU nodes of another image than Container-Optimized OS",
        "its drivers are of that image only",
        GPUS, check=law(nics.image_of_gpu_nodes),
    ),
    Rule(
        "GKE-11", ERROR,
        "a network of RDMA NICs without a RoCE profile of a zone",
        "none of the NICs in it would have RDMA",
        GPUS, check=law(nics.roce_profiles),
    ),
    Rule(
        "GKE-13", ERROR,
        "RDMA on a machine that speaks TCPX",
        "it has no RDMA",
        GPUS, check=law(nics.no_tcpx),
    ),
    Rule(
        "GKE-14", ERROR,
        "values of the GPU's DRA driver that do not fit Container-Optimized OS",
        "it would not start",
        DRANET, check=driver_chart,
    ),
    Rule(
        "GKE-18", ERROR,
        "two owners of a pool's number of nodes",
        "each `up` would undo the other's",
        POOLS, check=law(capacity.one_owner_of_size),
    ),
    Rule(
        "GKE-23", ERROR,
        "accelerators, NICs or disks that are not the machine's",
        "GKE would refuse the pool, or replace it",
        f"{CLOUD}/compute/docs/gpus", check=law(machines.devices),
    ),
    Rule(
        "GKE-25", ERROR,
        "DRANET on a machine whose pods claim no NICs, or a profile that is none of its own",
        "the NICs would not be handed out",
        DRANET, check=law(nics.dranet_profile, machines.ways),
    ),
    Rule(
        "CAP-06", ERROR,
        "an upgrade that may neither add nor take a node",
        "it can never begin",
        POOLS, check=law(capacity.possible_upgrade),
    ),
    Rule(
        "NET-02", ERROR,
        "a subnet with too few addresses for its nodes",
        "nodes would not come",
        NETWORKS, check=law(networks.room_for_nodes),
    ),
    NET_04,
    Rule(
        "NET-05", ERROR,
        "Gateways without one proxy-only subnet that is large enough",
        "Gateways of the region need one",
        f"{CLOUD}/load-balancing/docs/proxy-only-subnets", check=law(networks.gateways),
    ),
    Rule(
        "NET-06", ERROR,
        "private nodes without a way to images and models",
        "pulls would hang",
        f"{CLOUD}/nat/docs/overview", check=law(networks.ways_out),
    ),
    Rule(
        "NET-07", ERROR,
        "a firewall in a RoCE network",
        "it takes policies of its own kind only",
        GPUS, check=law(networks.no_firewalls),
    ),
    Rule(
        "NET-08", ERROR,
        "a control plane that the whole Internet may try",
        "its address would be open to everybody",
        f"{DOCS}/concepts/network-isolation", check=law(networks.closed_control_plane),
    ),
    Rule(
        "TPU-01", ERROR,
        "a TPU host that does not exist",
        "GKE would refuse the pool",
        TPUS, check=law(capacity.hosts),
    ),
)  # fmt: skip
