"""NICs as DRANET publishes them. The same on every machine but for the rows."""

from hardware.machines.types import Cell, DeviceSlice

#: Without rows, which are the machine's: `replace(NICS, rows=…)`.
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
