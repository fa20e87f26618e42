"""Node pools that lack nodes, for the verdict: in the words of the pool's own status."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rehearsal.fleet.node_pools import TYPES
from rehearsal.verdict.verdict import Flaw
from stacks.clouds.coreweave.pools import API, SYSTEM_CRITICAL
from stacks.clouds.pools import NodePool
from stacks.kube.api import Api, Object


@dataclass(frozen=True)
class Pools:
    """The node pools that were made for a stack."""

    pools: Sequence[NodePool]

    def flaws(self, api: Api) -> Iterator[Flaw]:
        """Yields every pool that lacks nodes, and why. If it was refused, `up` waits for it in vain."""
        for pool in self.pools:
            live = api.get(f"{API}/{pool.name}")
            if live is None:
                yield Flaw(f"NodePool {pool.name} does not exist")
                continue
            yield from _unfit(pool, live)
            status = live.get("status") or {}
            current, target = status.get("currentNodes", 0), live["spec"]["targetNodes"]
            if current > target:
                many = f"NodePool {pool.name} has {current} nodes and should have {target}"
                yield Flaw(f"{many}: only those without pods go", awaited=pool.nodes is not None)
            if current >= target:
                continue
            short = f"NodePool {pool.name} has {current} of {target} nodes ({live['spec']['instanceType']})"
            refused = [_words(row) for row in status.get("conditions") or [] if _refuses(row)]
            yield Flaw(
                f"{short}: {'; '.join(refused) or 'they are underway'}", awaited=bool(refused), underway=not refused
            )


def _unfit(pool: NodePool, live: Object) -> Iterator[Flaw]:
    """Yields the faults of a system pool that no pod shows in a rehearsal, which has none of CoreWeave's own agents."""
    if pool.key != "systemPool":
        return
    labels = live["spec"].get("nodeLabels") or {}
    for key, value in SYSTEM_CRITICAL.items():
        if labels.get(key) != value:
            why = "CoreWeave's own agents would keep the nodes with accelerators from being scaled to zero"
            yield Flaw(f"NodePool {pool.name} has no label {key}={value} (spec.nodeLabels): {why}")
    machine = TYPES.get(live["spec"]["instanceType"])
    if machine is not None and machine.chip is not None:
        yield Flaw(f"NodePool {pool.name} is of {machine.instance_type} (spec.instanceType), which has accelerators")


def _refuses(row: Object) -> bool:
    return row["type"] in ("Validated", "Quota", "Capacity") and row["status"] == "False"


def _words(row: Object) -> str:
    return f"{row['message']} ({row['type']}: {row['reason']})"
