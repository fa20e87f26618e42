"""Accelerator devices: name, memory, and the first CUDA version with code for them. Speeds belong to the planner."""

from hardware.machines.types import Chip

H200 = Chip(
    "NVIDIA H200",
    141,
    "151.4e9 B in AIConfigurator's h200 system file; the driver shows 143771 MiB (140.4 GiB) of it to programs",
    cuda="11.8",
)
B200 = Chip(
    "NVIDIA B200",
    179,
    "183359 MiB (179.1 GiB) shown by the driver (NVIDIA/TensorRT-LLM#10278), of what Google calls 180 GB",
    cuda="12.8",
)
MI300X = Chip("AMD Instinct MI300X", 192, "node label amd.com/gpu.vram=192G")
TPU7X = Chip(
    "Google TPU7x (Ironwood) chip of 2 cores", 192, "docs.cloud.google.com/tpu/docs/tpu7x: HBM capacity per chip (GiB)"
)
TPU_V6E = Chip(
    "Google TPU v6e (Trillium) chip", 32, "docs.cloud.google.com/tpu/docs/tpu7x: HBM capacity per chip (GiB)"
)
ARC_B60 = Chip("Intel Arc Pro B60", 24, "vendor's 24 GB; the driver publishes 24480 MiB (23.9 GiB)")
GAUDI2 = Chip("Intel Gaudi 2", 96, "vendor's 96 GB: huggingface.co/docs/accelerate/en/usage_guides/gaudi")
