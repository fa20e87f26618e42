"""Flags of the commands in the fixes of problems."""

import shlex

from components.kube_client import path_of
from stacks.kube.context import Context


def kubectl_flags(cluster: Context) -> str:
    """Returns kubectl's flags for the stack's cluster, each after a blank."""
    return _flags(cluster, "--context")


def helm_flags(cluster: Context) -> str:
    """Returns helm's flags for the stack's cluster, each after a blank."""
    return _flags(cluster, "--kube-context")


def _flags(cluster: Context, context: str) -> str:
    flags = {"--kubeconfig": path_of(cluster.kubeconfig), context: cluster.context}
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in flags.items() if value)
