"""The two engines of the guide, and vLLM's connectors for KV cache.

The needs of an engine on one accelerator are a `Build`, in that accelerator's file.
"""

from hardware.vocabulary import Engine, KvTransfer, pairs

VLLM = Engine("vllm", ("vllm", "serve"), connector="nixlv2", scratch={"torch-compile-cache": "/.cache"})
SGLANG = Engine(
    "sglang",
    ("python3", "-m", "sglang.launch_server"),
    connector="sglang",
    scratch={"metrics-volume": "/.config"},
    nixl_backend_env="SGLANG_DISAGGREGATION_NIXL_BACKEND",
)

NIXL = KvTransfer({"kv_connector": "NixlConnector", "kv_role": "kv_both"})

#: The TPU connector for models with a hybrid KV cache: prefill produces, decode consumes. TPU connectors listen on two ports.
TPU_HMA = KvTransfer(
    pairs("kv_connector=TPUConnectorHMA kv_connector_module_path=tpu_inference.distributed.tpu_connector_hma"),
    by_role={"prefill": {"kv_role": "kv_producer"}, "decode": {"kv_role": "kv_consumer"}},
    ports={"tpu-kv-transfer": 9100, "tpu-pd-coord": 9600},
    separator=",",
)

#: The TPU connector for other models. It needs its own address. Upstream sets decode to both producer and consumer; reproduced.
TPU_PLAIN = KvTransfer(
    pairs("kv_connector=TPUConnector kv_connector_module_path=tpu_inference.distributed.tpu_connector"),
    by_role={
        "prefill": pairs("kv_role=kv_producer kv_ip=$(POD_IP)"),
        "decode": pairs("kv_role=kv_both kv_ip=$(POD_IP)"),
    },
    ports=TPU_HMA.ports,
    separator=",",
)
