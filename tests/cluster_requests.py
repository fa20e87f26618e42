"""The request that a cloud is asked, of a stack file that makes nodes."""

from pathlib import Path

from stacks.clouds.cloud import ClusterRequest
from stacks.serving.workload import cluster_request
from stacks.spec.stack import StackSpec


def requested(given: StackSpec, base: Path = Path()) -> ClusterRequest:
    """Its request."""
    request = cluster_request(given, base)
    assert request is not None
    return request
