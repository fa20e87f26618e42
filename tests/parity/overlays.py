"""Upstream's 29 overlays, and the combinations nobody but us renders: a row each, with the digest of what has to come out.

Columns: upstream's file (without `modelserver_` and `.yaml`), accelerator, engine, fabric, digest. Where the file is `-`,
upstream has none in that release, and the digest is ours: it says that the objects have not changed, not that anybody ran them.
"""

from dataclasses import dataclass

#: llm-d 8c62784: 13 files. `gke-rdma` came a month later; its rows are June's fabric on May's builds.
MAY = """
gpu_vllm_base       nvidia  vllm   base       03bb811341d577621ff066890f1b4fcd30916829d8d78020a1836f9046c3e897
gpu_vllm_coreweave  nvidia  vllm   coreweave  6e61ea5c14e8b0fc0e2b89317858a56891182e59809125ea289cedb07d367e7b
gpu_vllm_gke        nvidia  vllm   gke        0cf751222c4a95009fcf56317977dd0ebfc45fb7d4949ac7974ebec19803d407
-                   nvidia  vllm   gke-rdma   6283680b0b63b59b816857144f213538b87db9ebf63188c9f4111f121e3be036
gpu_sglang_base     nvidia  sglang base       f2da05a9842c09554a63cf1879737115a5155ec5dc5bc67ff0cd97cc3208982a
gpu_sglang_coreweave nvidia  sglang coreweave  431f157ec381c96ec714de6ecb191f8774aeeafccc2bd1ca64042b42655bcc8a
gpu_sglang_gke      nvidia  sglang gke        dda391764e1a442bfc2a31efbad0a378d00df822d654ed0e482416503ee4c0cb
-                   nvidia  sglang gke-rdma   7602dfdf46d5b58911e7f8d182bce0afb70d8e495e7860cbb1a3bc52a9e74c7c
tpu_vllm            tpu     vllm   base       fe08bd7b04cc7b5cdde3d34eeb21a8f0b61ed8b406ff65b183aed66ded4cb5b3
amd_vllm_base       amd     vllm   base       76e7c645c300293b488db33f1478ec8bdbf93bc745ff8a8402c30d0ddb55bae7
amd_vllm_oci        amd     vllm   oci        e7e02a9c744a4e6b5c05ceab21f08623bed606a5868b7cfe6fc970164770f1a5
amd_vllm_tensorwave amd     vllm   tensorwave 9e595c0478491d86c7d347c958400bdd538349baa40e01ab0b4e3facdffae526
xpu_vllm            xpu     vllm   base       136525fb77d9c99fa24e066a05f36702bccac7c0b1817691c5e1df9d42b352ff
xpu_vllm-rdma       xpu     vllm   rdma       2a4903ff1f30f6df31862f7a074c8ceadfe5baccb4f0a582e3eb59c3a950ee93
hpu_vllm            hpu     vllm   base       341612f9bcd09a4c9092865c67fc0c7c9c5c9db61cb538657a6c84179934fa46
"""

#: llm-d 7edda66: 16 files. amd-ci differs from amd's base before it is rendered only. The file called gke is `gke-rdma` for vllm
#: and still `gke` for sglang, which upstream gave RDMA three weeks later (llm-d #2059), by the same component.
JUNE = """
gpu_vllm_base       nvidia  vllm   base       917948e8f8bf8d413bac18fdbb48bc3f69034ae96ccffba9a2b978beff4c0059
gpu_vllm_coreweave  nvidia  vllm   coreweave  a5fee0fa88fc8eabb629cc80d4e6b763e345745063443de14e4ffe23f6625c0e
-                   nvidia  vllm   gke        b7559d30256800d7dee808fbfb12541f80cc521057a86bcd6332599e55b17d07
gpu_vllm_gke        nvidia  vllm   gke-rdma   2431c90326c451d0584c7e5c28940e3dc54d84338c7220ecfb5dcf64a0d28ab0
gpu_vllm_aws        nvidia  vllm   aws        32295abcaad4317b4952e4b365d4ab6c97c0ab97653cc769a00d9f87c12929a1
gpu_sglang_base     nvidia  sglang base       f8254c49d26b4b4f1314561d79807ea1e6cf114aae86f489aa83067694b24671
gpu_sglang_coreweave nvidia  sglang coreweave  9b3d53ab7e9925ff7a449fd2837d73d760625bb81ca93eb33ec0837415f20460
gpu_sglang_gke      nvidia  sglang gke        6951dd350d27afe658fe29b45a1e8daf064ac2525fe0ddc2a18955493aa3a025
-                   nvidia  sglang gke-rdma   9b29295acd3a25108a6d77655305f87165385df8856a0b85158fabe5f6081bf0
gpu_sglang_aws      nvidia  sglang aws        e0b2f58046d9de79ea3296952aad01ec113a9f9f272668a63efe6f6b195aa1da
tpu_v7_vllm         tpu     vllm   base       44981f4fca345185f0e44b19a4f54603f4ad11e2c8ceaf9717caac17a20e10f4
tpu_v6_vllm         tpu-v6e vllm   base       409b5c8b7c4bdaf06b5a7c80960d9743e05410ed8aec362b37351bcc88b10410
amd_vllm_base       amd     vllm   base       974b52d328887ba99f3aba475e2b91ad818cb0ecd3d52300592e153ee6fc71fa
amd_vllm_amd-ci     amd     vllm   base       974b52d328887ba99f3aba475e2b91ad818cb0ecd3d52300592e153ee6fc71fa
amd_vllm_oci        amd     vllm   oci        9d52fc51257a9dd4b035a9eccd4509bdb1d57eddb4dd47690e0ba033343178bd
amd_vllm_tensorwave amd     vllm   tensorwave b04ad5bc21bcf26217ff4a00186c7e1224db149865f060dd011b74d088c1430e
xpu_vllm            xpu     vllm   base       1f8f0073aff2c4802d53d8cb632acb4a509be7017bec90eb6e0e739f5d329a5f
xpu_vllm-rdma       xpu     vllm   rdma       d73cb8f3eb26230b470aa71708ce02fc33e20daa5dc69d3fe760aa2c68544e0b
"""


@dataclass(frozen=True)
class Overlay:
    """The objects of one combination in one release; `file` is the file of upstream's they equal, empty where it has none."""

    release: str
    file: str
    accelerator: str
    engine: str
    fabric: str
    digest: str

    @property
    def choice(self) -> tuple[str, str, str]:
        """Accelerator, engine and fabric."""
        return self.accelerator, self.engine, self.fabric

    @property
    def id(self) -> str:
        """A name for a test."""
        return f"{self.release}-{self.file or '-'.join(self.choice)}"


def _rows(release: str, table: str) -> tuple[Overlay, ...]:
    rows = [line.split() for line in table.split("\n") if line]
    return tuple(Overlay(release, "" if file == "-" else f"modelserver_{file}.yaml", *rest) for file, *rest in rows)


OVERLAYS = (*_rows("guide-2026-05", MAY), *_rows("guide-2026-06", JUNE))
