"""Fabrics as data. Which of them an accelerator can use is said in that accelerator's file."""

from hardware.vocabulary import Attachment, Fabric, NicClaim, variables

#: No RDMA is asked for: UCX falls back to TCP, silently. Fine for a first look, not for production.
POD_NETWORK = Fabric(title="the pod network (TCP)", rdma=False)

#: One slot of a shared device attaches every InfiniBand HCA of the node, whatever the number of GPUs.
SHARED_INFINIBAND = Fabric(
    title="InfiniBand, all HCAs of the node shared by its pods", rdma=True, per_pod={"rdma/ib": "1"}
)

#: At the pinned commit upstream's gke overlay only keeps NCCL off GKE's network plug-in; it brings no RDMA.
GKE_POD_NETWORK = Fabric(
    title="GKE's pod network (TCP), NCCL network plug-in off",
    rdma=False,
    env=variables("NCCL_TUNER_PLUGIN=none NCCL_NET_PLUGIN="),
)

#: One SR-IOV virtual function per device. The resource is the NIC vendor's, whatever the accelerator; `cuda_copy` on AMD
#: looks like a slip of upstream's and is kept verbatim.
SRIOV = Fabric(
    title="one SR-IOV RDMA virtual function per device",
    rdma=True,
    per_device=("nvidia.com/sriov-rdma-vf",),
    attachment=Attachment("sriov-rdma-vf"),
    env=variables("UCX_TLS=rc,ud,sm,self,cuda_copy UCX_IB_GID_INDEX=3"),
    container={"securityContext": {"capabilities": {"add": ["IPC_LOCK"]}}},
    host_paths={"dev-infiniband": "/dev/infiniband"},
)

#: A NIC in the same DRA claim as the device, on the device's PCIe root; KV is buffered in the XPU's own memory.
DRANET_XPU = Fabric(
    title="a DRANET RDMA NIC on each claim's PCIe root",
    rdma=True,
    kv={"kv_buffer_device": "xpu"},
    request="gpu",
    env=variables("UCX_TLS=ib,rc,ze_copy UCX_MEMTYPE_CACHE=0"),
    nic=NicClaim("rdma-dranet", 'device.attributes["dra.net"].rdma == true', "resource.kubernetes.io/pcieRoot"),
)
