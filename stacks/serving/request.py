"""What a stack asks its cloud for."""

from pathlib import Path

from stacks.clouds.cloud import ClusterRequest
from stacks.serving.workload import machine_of
from stacks.spec.stack import StackSpec


def cluster_request(spec: StackSpec, base: Path = Path()) -> ClusterRequest | None:
    """Returns what a cloud is asked for, None if the stack makes no nodes. Relative paths in the file start at `base`.

    Raises:
        UnknownMachineError: the machine is not in the table.
    """
    section, gateway = spec.cluster.section, spec.router.gateway
    if not spec.cluster.makes_nodes or section is None:
        return None
    return ClusterRequest(
        name=spec.name,
        section=section,
        machine=machine_of(spec),
        nodes=spec.cluster.nodes,
        protect=spec.cluster.protect,
        allow_replace=spec.cluster.allow_replace,
        # Who will serve on a platform stack is not known.
        wants_gateway=spec.serving is None or (gateway is not None and gateway.implementation.in_cluster),
        mirror=spec.mirror,
        context=spec.cluster.at,
        base=base,
    )
