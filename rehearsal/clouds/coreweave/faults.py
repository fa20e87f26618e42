"""The faults of CoreWeave: admission of the fleet's API server plays one, the NodePool controller the others."""

from rehearsal.faults import Fault

FORBIDDEN = Fault("apply-forbidden", "the role may not create or change node pools")
#: Played by `rehearsal.fleet.node_pools`.
OF_POOLS = (
    Fault("quota", "the quota for the accelerator is 0: no node comes"),
    Fault("stockout", "quota exists, but the zone has no capacity: the nodes are queued"),
    Fault("slow-pool", "nodes come late, 10 s after one another. The rehearsal passes"),
    Fault("not-in-zone", "the zone does not have the instance types, the CPU nodes' first: no node comes"),
)
FAULTS = (*OF_POOLS, FORBIDDEN)
