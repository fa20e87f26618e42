"""Handles a cluster that does not answer a running program: an `up` ends, a preview goes on with a warning."""

from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from stacks.findings import Problem, StackFileError
from stacks.kube.context import Context
from stacks.kube.errors import asking


@contextmanager
def answering(cluster: Context) -> Iterator[None]:
    """Wraps requests to the stack's cluster: if it does not answer, or not usefully, reports a problem of the stack file.

    Raises:
        StackFileError: with the problem, in an `up`. In a preview it is logged as a warning.
    """
    with asking(cluster, _without_cluster):
        yield


def _without_cluster(problem: Problem) -> None:
    if not pulumi.runtime.is_dry_run():
        raise StackFileError([problem])
    pulumi.log.warn(f"{problem} This preview does not know what exists there.")
