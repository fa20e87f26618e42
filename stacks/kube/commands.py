"""Parts of the commands that problems tell people to run."""

import shlex

from components.kube_client import path_of
from stacks.kube.context import Context


def kubectl_flags(cluster: Context) -> str:
    """Flags that lead kubectl to the stack's cluster, wherever the user's own kubeconfig points; each after a blank."""
    return _flags(cluster, "--context")


def helm_flags(cluster: Context) -> str:
    """The same for helm, which has its own word for a context."""
    return _flags(cluster, "--kube-context")


def _flags(cluster: Context, context: str) -> str:
    flags = {"--kubeconfig": path_of(cluster.kubeconfig), context: cluster.context}
    return "".join(f" {flag} {shlex.quote(value)}" for flag, value in flags.items() if value)
