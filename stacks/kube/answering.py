"""A cluster that does not answer, in a running program: an `up` ends, a preview goes on with a warning."""

from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from stacks.findings import Problem, StackFileError
from stacks.kube.context import Context
from stacks.kube.errors import asking


@contextmanager
def answering(cluster: Context) -> Iterator[None]:
    """Wraps requests to the stack's cluster: no answer, or a useless one, becomes a sentence about the stack file.

    Raises:
        StackFileError: with the sentence, in an `up`; in a preview it is a warning.
    """
    with asking(cluster, _without_cluster):
        yield


def _without_cluster(problem: Problem) -> None:
    if not pulumi.runtime.is_dry_run():
        raise StackFileError([problem])
    pulumi.log.warn(f"{problem} This preview says nothing about what exists there.")
