"""Parts of the commands that a problem tells a user to run."""

import shlex

from components.kube_client import path_of
from stacks.kube.context import Context


def kubectl_flags(cluster: Context) -> str:
    """Returns flags that lead kubectl to the stack's cluster whatever the user's own kubeconfig says; each after a blank."""
    return _flags(cluster, "--context")


def helm_flags(cluster: Context) -> str:
    """Returns the same flags for helm, which has another name for a context."""
    return _flags(cluster, "--kube-context")


def _flags(cluster: Context, context: str) -> str:
    flags = {"--kubeconfig": path_of(cluster.kubeconfig), context: cluster.context}
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in flags.items() if value)
