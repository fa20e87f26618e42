"""The guide's 13 overlays: a row per `<accelerator> <engine> <fabric>` that upstream renders, and the digest of its file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Overlay:
    """One file of upstream's, and the combination that reproduces it."""

    file: str
    accelerator: str
    engine: str
    fabric: str
    digest: str


OVERLAYS = (
    Overlay(
        "modelserver_gpu_vllm_base.yaml",
        "nvidia",
        "vllm",
        "base",
        "03bb811341d577621ff066890f1b4fcd30916829d8d78020a1836f9046c3e897",
    ),
    Overlay(
        "modelserver_gpu_vllm_coreweave.yaml",
        "nvidia",
        "vllm",
        "coreweave",
        "6e61ea5c14e8b0fc0e2b89317858a56891182e59809125ea289cedb07d367e7b",
    ),
    Overlay(
        "modelserver_gpu_vllm_gke.yaml",
        "nvidia",
        "vllm",
        "gke",
        "0cf751222c4a95009fcf56317977dd0ebfc45fb7d4949ac7974ebec19803d407",
    ),
    Overlay(
        "modelserver_gpu_sglang_base.yaml",
        "nvidia",
        "sglang",
        "base",
        "f2da05a9842c09554a63cf1879737115a5155ec5dc5bc67ff0cd97cc3208982a",
    ),
    Overlay(
        "modelserver_gpu_sglang_coreweave.yaml",
        "nvidia",
        "sglang",
        "coreweave",
        "431f157ec381c96ec714de6ecb191f8774aeeafccc2bd1ca64042b42655bcc8a",
    ),
    Overlay(
        "modelserver_gpu_sglang_gke.yaml",
        "nvidia",
        "sglang",
        "gke",
        "dda391764e1a442bfc2a31efbad0a378d00df822d654ed0e482416503ee4c0cb",
    ),
    Overlay(
        "modelserver_tpu_vllm.yaml",
        "tpu",
        "vllm",
        "base",
        "fe08bd7b04cc7b5cdde3d34eeb21a8f0b61ed8b406ff65b183aed66ded4cb5b3",
    ),
    Overlay(
        "modelserver_amd_vllm_base.yaml",
        "amd",
        "vllm",
        "base",
        "76e7c645c300293b488db33f1478ec8bdbf93bc745ff8a8402c30d0ddb55bae7",
    ),
    Overlay(
        "modelserver_amd_vllm_oci.yaml",
        "amd",
        "vllm",
        "oci",
        "e7e02a9c744a4e6b5c05ceab21f08623bed606a5868b7cfe6fc970164770f1a5",
    ),
    Overlay(
        "modelserver_amd_vllm_tensorwave.yaml",
        "amd",
        "vllm",
        "tensorwave",
        "9e595c0478491d86c7d347c958400bdd538349baa40e01ab0b4e3facdffae526",
    ),
    Overlay(
        "modelserver_xpu_vllm.yaml",
        "xpu",
        "vllm",
        "base",
        "136525fb77d9c99fa24e066a05f36702bccac7c0b1817691c5e1df9d42b352ff",
    ),
    Overlay(
        "modelserver_xpu_vllm-rdma.yaml",
        "xpu",
        "vllm",
        "rdma",
        "2a4903ff1f30f6df31862f7a074c8ceadfe5baccb4f0a582e3eb59c3a950ee93",
    ),
    Overlay(
        "modelserver_hpu_vllm.yaml",
        "hpu",
        "vllm",
        "base",
        "341612f9bcd09a4c9092865c67fc0c7c9c5c9db61cb538657a6c84179934fa46",
    ),
)
