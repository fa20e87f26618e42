"""Creating CRDs on the fleet's API server, before the stack."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from rehearsal.errors import RehearsalError
from stacks.kube.api import Api, Object

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECONDS = 30


def install(api: Api, crds: Sequence[Object]) -> None:
    """Creates CRDs and waits until their kinds are served: for a moment a new kind is answered with 404, then 429."""
    for crd in crds:
        api.create(CRDS, crd)
    for crd in crds:
        spec = crd["spec"]
        path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        wait(
            partial(_served, api, path),
            f"CRD {crd['metadata']['name']} is not served",
            "the API server does not say why",
        )


def _served(api: Api, path: str) -> bool:
    from kubernetes.client.exceptions import ApiException

    try:
        return api.get(path) is not None
    except ApiException as error:
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            return False
        raise


def wait(condition: Callable[[], bool], what: str, why: str) -> None:
    """Waits until a condition holds; raises RehearsalError with what and why if it does not within SECONDS."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RehearsalError(f"{what} after {SECONDS} s", why, "try again")
        time.sleep(0.05)
