"""The table of accelerators, one line each. A test fails on a file that is not listed and on a row without a parity case."""

from hardware.accelerators.amd import AMD
from hardware.accelerators.hpu import HPU
from hardware.accelerators.nvidia import NVIDIA
from hardware.accelerators.tpu import TPU
from hardware.accelerators.tpu_v6e import TPU_V6E
from hardware.accelerators.xpu import XPU

ACCELERATORS = {accelerator.key: accelerator for accelerator in (NVIDIA, TPU, TPU_V6E, AMD, XPU, HPU)}
