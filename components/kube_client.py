"""The Kubernetes API as JSON over the official client's connection: kubeconfig, contexts and exec credentials are its
business; objects stay plain dicts, as everywhere else here.

A kubeconfig is a path, all of it as text, or the one kubectl would use; the engine's own provider reads the same three by
itself. The client is imported late: only some commands need it.
"""

import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

Object = dict[str, Any]

#: Seconds to wait for one answer.
TIMEOUT_SECONDS = 5
#: How often a server that says "too many requests" is asked, and the seconds in between. It says so too while the kind of a
#: new CRD is being set up.
TRIES, BUSY_SECONDS = 5, 0.3


class KubeconfigError(ValueError):
    """The kubeconfig cannot be read, or does not give the context that was asked for."""


def is_text(kubeconfig: str) -> bool:
    """Whether it is a whole kubeconfig, as stacks that make a cluster write it (JSON), and not a path."""
    return kubeconfig.startswith("{")


def path_of(kubeconfig: str | None) -> str | None:
    """The path it stands for, None where it is none."""
    return str(Path(kubeconfig).expanduser()) if kubeconfig and not is_text(kubeconfig) else None


def configuration(kubeconfig: str | None, context: str | None) -> Any:
    """What the client needs to reach the context's cluster (a `kubernetes.client.Configuration`), without its own retries.

    Raises:
        KubeconfigError: with the reason in one line.
    """
    import yaml
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    found = client.Configuration()
    found.retries = False
    try:
        if kubeconfig and is_text(kubeconfig):
            config.load_kube_config_from_dict(  # type: ignore[no-untyped-call]
                json.loads(kubeconfig), context=context, client_configuration=found
            )
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path_of(kubeconfig), context=context, client_configuration=found
            )
    except (ConfigException, yaml.YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        # The client reads a malformed kubeconfig without looking, so that nearly anything can come of it.
        raise KubeconfigError(" ".join(str(error).split())) from error
    return found


class Api:
    """One API server, as one user: of a kubeconfig as `configuration` reads it.

    A request raises `kubernetes.client.exceptions.ApiException` for an answer of 400 and above (but see `get` and `read`),
    and `urllib3.exceptions.HTTPError` when there is no answer.
    """

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        from kubernetes import client

        self._client = client.ApiClient(configuration(kubeconfig, context))

    @property
    def server(self) -> str:
        """The URL it is reached by."""
        return str(self._client.configuration.host)

    def get(self, path: str) -> Object | None:
        """What is there, or None where there is nothing or we may not look."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.read(path)
        except ApiException as error:
            if error.status == 403:
                return None
            raise

    def read(self, path: str) -> Object | None:
        """What is there, or None where there is nothing. That we may not look is an error like any other."""
        from kubernetes.client.exceptions import ApiException

        try:
            found: Object = self._request("GET", path)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def items(self, path: str) -> list[Object]:
        """The items of a list; none where we may not look."""
        found: list[Object] = (self.get(path) or {}).get("items") or []
        return found

    def create(self, path: str, obj: Object) -> bool:
        """Creates an object in a collection; False when one of its name is there already."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._request("POST", path, obj)
        except ApiException as error:
            if error.status == 409:
                return False
            raise
        return True

    def merge(self, path: str, change: Object) -> bool:
        """Merges a change into an object; False when it is not at the `resourceVersion` the change names any more."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._request("PATCH", path, change, "application/merge-patch+json")
        except ApiException as error:
            if error.status == 409:
                return False
            raise
        return True

    def delete(self, path: str) -> None:
        """Deletes what is there, if anything is."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._request("DELETE", path)
        except ApiException as error:
            if error.status != 404:
                raise

    def _request(self, method: str, path: str, body: Object | None = None, kind: str = "application/json") -> Any:
        headers = {"Content-Type": kind, "Accept": "application/json"}
        call = self._client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        for left in reversed(range(TRIES)):
            answer = self._client.call_api(*call, _request_timeout=TIMEOUT_SECONDS)
            answer.read()  # type: ignore[no-untyped-call]
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS or not left:
                break
            time.sleep(BUSY_SECONDS)
        if answer.status >= 400:
            from kubernetes.client.exceptions import ApiException

            raise ApiException(http_resp=answer)
        return json.loads(answer.data or b"{}")
