"""NICs as DRANET publishes them. Machines differ in the rows only."""

from hardware.machines.types import Cell, DeviceSlice

#: A slice without rows; a machine adds its own: `replace(NICS, rows=…)`.
NICS = DeviceSlice(
    driver="dra.net",
    name="pci-0000-{bus}-00-0",
    columns=("bus", "interface", "numa", "rdma", "root"),
    rows=(),
    attributes={
        "dra.net/ifName": "{interface}",
        "dra.net/numaNode": Cell("numa"),
        "dra.net/rdma": Cell("rdma"),
        "resource.kubernetes.io/pcieRoot": "pci0000:{root}",
    },
)
