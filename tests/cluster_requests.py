"""The request that a cloud is asked, of a stack file that makes nodes."""

from pathlib import Path

from stacks.clouds.cloud import ClusterRequest
from stacks.rules.facts import Facts
from stacks.spec.stack import StackSpec


def requested(given: StackSpec, base: Path = Path()) -> ClusterRequest:
    """Its request."""
    request = Facts(given, base=base, planned=True).request
    assert request is not None
    return request
