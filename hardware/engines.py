"""The two engines of the guide, and the connectors vLLM moves KV cache with.

What an engine needs on a given accelerator is a `Build`, in that accelerator's file.
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

ENGINES = {engine.key: engine for engine in (VLLM, SGLANG)}

NIXL = KvTransfer({"kv_connector": "NixlConnector", "kv_role": "kv_both"})

#: The TPU's own connectors listen on two ports. This one is for models with a hybrid KV cache: prefill produces, decode
#: consumes.
TPU_HMA = KvTransfer(
    pairs("kv_connector=TPUConnectorHMA kv_connector_module_path=tpu_inference.distributed.tpu_connector_hma"),
    by_role={"prefill": {"kv_role": "kv_producer"}, "decode": {"kv_role": "kv_consumer"}},
    ports={"tpu-kv-transfer": 9100, "tpu-pd-coord": 9600},
    separator=",",
)

#: The plain one is told its own address; upstream lets decode be both producer and consumer, reproduced as it is.
TPU_PLAIN = KvTransfer(
    pairs("kv_connector=TPUConnector kv_connector_module_path=tpu_inference.distributed.tpu_connector"),
    by_role={
        "prefill": pairs("kv_role=kv_producer kv_ip=$(POD_IP)"),
        "decode": pairs("kv_role=kv_both kv_ip=$(POD_IP)"),
    },
    ports=TPU_HMA.ports,
    separator=",",
)
