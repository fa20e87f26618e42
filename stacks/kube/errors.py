"""Reports that a cluster cannot be asked, as problems of the stack file that names it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from components.kube_client import KubeconfigError
from components.kube_errors import reason
from stacks.findings import Problem
from stacks.kube.context import Context
from stacks.kube.rules import CLUSTER


@contextmanager
def asking(cluster: Context, otherwise: Callable[[Problem], None]) -> Iterator[None]:
    """Wraps requests to a cluster. If it does not answer, or not usefully, ends them and calls `otherwise` with the problem."""
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except KubeconfigError as error:
        otherwise(_no_context(cluster, error))
    except (HTTPError, OSError, ApiException, json.JSONDecodeError) as error:
        otherwise(_unanswered(reason(error)))


def _no_context(cluster: Context, error: KubeconfigError) -> Problem:
    return CLUSTER.problem(
        at=("cluster",), what=f"context `{cluster.context}` cannot be used" if cluster.context else "no cluster can be reached",
        why=f"the kubeconfig does not give {'it' if cluster.context else 'a context'}: {str(error).rstrip('.')}",
        fix="name a context of `kubectl config get-contexts` as `cluster.context`, or another file as `cluster.kubeconfig`",
    )  # fmt: skip


def not_kubernetes(what: str) -> Problem:
    """Returns the problem of a server that cannot be an API server, because it does `what` (`knows no Pods`)."""
    return _unanswered(f"what answers there {what}")


def _unanswered(why: str) -> Problem:
    return CLUSTER.problem(
        at=("cluster",), what="the cluster's API server cannot be reached", why=why,
        fix="check the context, the network and your credentials",
    )  # fmt: skip
