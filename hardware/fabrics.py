"""Fabrics as data. An accelerator's file lists the fabrics that it can use."""

from hardware.vocabulary import Attachment, ClaimPerDevice, Fabric, NicClaim, Placement, variables

#: The attribute in which DRA drivers publish the PCIe root of a device.
PCIE_ROOT = "resource.kubernetes.io/pcieRoot"

#: Requests no RDMA: UCX falls back to TCP without a message. For a first test, not for production.
POD_NETWORK = Fabric(title="the pod network (TCP)", rdma=False)

#: One slot of a shared device attaches every InfiniBand HCA of the node, whatever the number of GPUs.
SHARED_INFINIBAND = Fabric(
    title="InfiniBand, all HCAs of the node shared by its pods", rdma=True, per_pod={"rdma/ib": "1"}
)

IPC_LOCK = {"securityContext": {"capabilities": {"add": ["IPC_LOCK"]}}}

#: Turns NCCL's network plug-in of GKE off and requests no RDMA: upstream's gke overlay in May, and sglang's in June.
GKE_POD_NETWORK = Fabric(
    title="GKE's pod network (TCP), NCCL network plug-in off",
    rdma=False,
    env=variables("NCCL_TUNER_PLUGIN=none NCCL_NET_PLUGIN="),
)

#: Managed DRANET on GKE: GPU and NIC on one PCIe root in a claim per device. These nodes have no device plugin, so the pods
#: carry the toleration for the GPU taint. The accelerator sets the DeviceClass. UCX takes the rails of RoCE for separate
#: networks unless UCX_IB_ROCE_REACHABILITY_MODE is `all`.
GKE_RDMA = Fabric(
    title="RoCE on GKE, a DRANET NIC on each device's PCIe root, NCCL network plug-in off",
    rdma=True,
    request="gpu",
    nic=NicClaim("mrdma.google.com", "", PCIE_ROOT),
    claims=ClaimPerDevice("gke-rdma-claim", "gke-rdma-template"),
    env_first=variables("UCX_IB_ROCE_REACHABILITY_MODE=all"),
    env=GKE_POD_NETWORK.env,
    spec={"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]},
)

#: EFA on AWS. NIXL uses libfabric, because UCX has no EFA transport. A p5en.48xlarge has 16 interfaces and 8 GPUs. All pods in
#: one zone: EFA does not cross zones.
EFA = Fabric(
    title="EFA on AWS p5en, 2 interfaces per device",
    rdma=True,
    per_device={"vpc.amazonaws.com/efa": 2},
    requested=("cpu",),
    nixl_backend="LIBFABRIC",
    kv_separator=",",
    container=IPC_LOCK,
    spec={"nodeSelector": {"node.kubernetes.io/instance-type": "p5en.48xlarge"}},
    placement=Placement(together="topology.kubernetes.io/zone", apart="kubernetes.io/hostname"),
)

#: One SR-IOV virtual function per device. The resource is the NIC vendor's, for every accelerator. `cuda_copy` on AMD looks
#: like an upstream mistake and is kept.
SRIOV = Fabric(
    title="one SR-IOV RDMA virtual function per device",
    rdma=True,
    per_device={"nvidia.com/sriov-rdma-vf": 1},
    attachment=Attachment("sriov-rdma-vf"),
    env=variables("UCX_TLS=rc,ud,sm,self,cuda_copy UCX_IB_GID_INDEX=3"),
    container=IPC_LOCK,
    host_paths={"dev-infiniband": "/dev/infiniband"},
)

#: A NIC in the same DRA claim as the device, on the device's PCIe root. The KV buffer is in the XPU's memory.
DRANET_XPU = Fabric(
    title="a DRANET RDMA NIC on each claim's PCIe root",
    rdma=True,
    kv={"kv_buffer_device": "xpu"},
    request="gpu",
    env=variables("UCX_TLS=ib,rc,ze_copy UCX_MEMTYPE_CACHE=0"),
    nic=NicClaim("rdma-dranet", 'device.attributes["dra.net"].rdma == true', PCIE_ROOT),
)
