"""Composing what a stack makes of its cluster: the two providers on it, and its node pools; and a stack that is nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

from components.cluster.coreweave import NodePools, Pool
from components.cluster.existing import ExistingCluster
from stacks.cluster_spec import Cluster
from stacks.coreweave import NodePool
from stacks.foundation import Foundation
from stacks.platform import PlatformPlan

#: The output by which a stack that makes nodes tells others how to reach them, and what they are.
OUTPUT = "cluster"


def existing_cluster(cluster: Cluster) -> ExistingCluster:
    """The providers on the cluster a stack names."""
    return ExistingCluster("cluster", {"kubeconfig": kubeconfig(cluster), "context": cluster.context})


def kubeconfig(cluster: Cluster) -> str | None:
    """The path of the kubeconfig a stack names, None for the one kubectl would use."""
    return str(Path(cluster.kubeconfig).expanduser()) if cluster.kubeconfig else None


def node_pools(
    pools: Sequence[NodePool], owner: str, opts: pulumi.ResourceOptions
) -> Mapping[str, pulumi.CustomResource]:
    """The node pools, by their keys in the stack file.

    `opts` name a provider that takes over what exists: whose pools those of our names are has been looked at before.
    """
    registered: dict[str, Pool] = {pool.key: Pool(pool.manifest(owner), pool.nodes, pool.protect) for pool in pools}
    return NodePools("node-pools", {"pools": registered}, opts).resources


def compose_platform(plan: PlatformPlan, owner: str) -> None:
    """Registers the node pools of a stack that only makes nodes, and exports how others find them once they are there.

    `owner` is the stack's full name.
    """
    opts = pulumi.ResourceOptions(providers=[existing_cluster(plan.spec.cluster).shared])
    there = pulumi.Output.all(*(pool.id for pool in node_pools(plan.pools, owner, opts).values()))
    found = Foundation.made_by(plan.spec).output()
    pulumi.export(OUTPUT, there.apply(lambda _: found))
