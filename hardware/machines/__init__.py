"""Machines: node shapes of providers as facts, for provisioning, the rules, the rehearsal's nodes and the planner.

Owns the table and its look-ups. A machine is one row in a provider's file and one line here. Leaves out how a machine
is created (`components/cluster`) and its pods (the accelerators).
"""

from collections.abc import Mapping

from hardware.machines.amd import AMD_MI300X, AMD_MI300X_OCI
from hardware.machines.aws import AWS_P5EN
from hardware.machines.coreweave import COREWEAVE_CPU, COREWEAVE_H200
from hardware.machines.device_classes import DEVICE_CLASSES, DeviceClass
from hardware.machines.generic import NVIDIA_GENERIC, SYSTEM
from hardware.machines.gke import A3_ULTRA_DRA, A3_ULTRA_RDMA, A4_DRA, A4_RDMA, TPU7X_HOST, TPU_V6E_HOST
from hardware.machines.gke_pools import GKE_POOLS, TPU_HOSTS, GkePool, RdmaMode
from hardware.machines.intel import GAUDI_DRA, INTEL_XPU_DRA, INTEL_XPU_RDMA_DRA
from hardware.machines.types import Chip, DeviceSlice, Machine, Rdma, SliceDevice, Taint, Version

__all__ = [
    "COREWEAVE_CPU",
    "DEVICE_CLASSES",
    "GKE_POOLS",
    "MACHINES",
    "SYSTEM",
    "TPU_HOSTS",
    "Chip",
    "DeviceClass",
    "DeviceSlice",
    "GkePool",
    "Machine",
    "Rdma",
    "RdmaMode",
    "SliceDevice",
    "Taint",
    "UnknownMachineError",
    "Version",
    "machine",
    "machine_for",
    "machines_for",
]

#: Machines by key. The default machine of an (accelerator, fabric) pair is the first that serves it.
MACHINES: Mapping[str, Machine] = {
    row.key: row
    for row in (
        NVIDIA_GENERIC,
        COREWEAVE_H200,
        A3_ULTRA_RDMA,
        A3_ULTRA_DRA,
        A4_RDMA,
        A4_DRA,
        AWS_P5EN,
        TPU7X_HOST,
        TPU_V6E_HOST,
        AMD_MI300X,
        AMD_MI300X_OCI,
        INTEL_XPU_DRA,
        INTEL_XPU_RDMA_DRA,
        GAUDI_DRA,
        SYSTEM,
    )
}


class UnknownMachineError(LookupError):
    """No machine has the key, or none serves the accelerator and fabric."""


def machine(key: str) -> Machine:
    """Returns the machine with a key. Raises UnknownMachineError, which names the known keys."""
    if key not in MACHINES:
        raise UnknownMachineError(f"there is no machine {key!r}; known: {', '.join(MACHINES)}")
    return MACHINES[key]


def machines_for(accelerator: str, fabric: str) -> tuple[Machine, ...]:
    """Returns all machines that serve an accelerator with a fabric (keys as in a stack file), the default first; maybe none."""
    return tuple(row for row in MACHINES.values() if (accelerator, fabric) in row.serves)


def machine_for(accelerator: str, fabric: str, provider: str | None = None) -> Machine:
    """Returns the default machine of a pair, of one provider if given. Raises UnknownMachineError with the served pairs."""
    rows = [row for row in MACHINES.values() if provider in (None, row.provider)]
    for row in rows:
        if (accelerator, fabric) in row.serves:
            return row
    pairs = dict.fromkeys("/".join(pair) for row in rows for pair in row.serves)
    of_provider = f" of {provider}" if provider else ""
    raise UnknownMachineError(
        f"no machine{of_provider} serves {accelerator}/{fabric} (accelerator/fabric); served: {', '.join(pairs)}"
    )
