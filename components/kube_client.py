"""The Kubernetes API as JSON over the official client's connection, which handles kubeconfigs, contexts and exec credentials.

Objects stay plain dicts. A kubeconfig is a path, its whole text, or None for kubectl's default; the engine's provider reads the
same three forms. The client is imported late: only some commands need it.
"""

import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

Object = dict[str, Any]

#: Seconds to wait for one answer.
TIMEOUT_SECONDS = 5
#: Tries, and seconds between them, if a server answers "too many requests". It also does so while it sets up a new CRD.
TRIES, BUSY_SECONDS = 5, 0.3


class KubeconfigError(ValueError):
    """The kubeconfig cannot be read, or lacks the context."""


def is_text(kubeconfig: str) -> bool:
    """Returns whether it is a whole kubeconfig (JSON, as written by stacks that make a cluster), not a path."""
    return kubeconfig.startswith("{")


def path_of(kubeconfig: str | None) -> str | None:
    """Returns the kubeconfig's path, None if it is no path."""
    return str(Path(kubeconfig).expanduser()) if kubeconfig and not is_text(kubeconfig) else None


def configuration(kubeconfig: str | None, context: str | None) -> Any:
    """Returns the client's configuration for a context (a `kubernetes.client.Configuration`), without the client's retries.

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
        # The client does not validate a kubeconfig, so a malformed one can raise nearly any error.
        raise KubeconfigError(" ".join(str(error).split())) from error
    return found


class Api:
    """A connection to one API server as one user, by a kubeconfig (`configuration`).

    A request raises `kubernetes.client.exceptions.ApiException` for a status of 400 and above (but see `get` and `read`),
    and `urllib3.exceptions.HTTPError` without an answer.
    """

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        from kubernetes import client

        self._client = client.ApiClient(configuration(kubeconfig, context))

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._client.configuration.host)

    def get(self, path: str) -> Object | None:
        """Returns the object or list at a path; None if it does not exist or the user may not read it."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.read(path)
        except ApiException as error:
            if error.status == 403:
                return None
            raise

    def read(self, path: str) -> Object | None:
        """Returns the object or list at a path; None if it does not exist. Raises if the user may not read it."""
        from kubernetes.client.exceptions import ApiException

        try:
            found: Object = self._request("GET", path)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def items(self, path: str) -> list[Object]:
        """Returns the items of a list; none if the user may not read it."""
        found: list[Object] = (self.get(path) or {}).get("items") or []
        return found

    def create(self, path: str, obj: Object) -> bool:
        """Creates an object in a collection. Returns False if the name is taken."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._request("POST", path, obj)
        except ApiException as error:
            if error.status == 409:
                return False
            raise
        return True

    def merge(self, path: str, change: Object) -> bool:
        """Merges a change into an object. Returns False if the object has another `resourceVersion` than the change."""
        from kubernetes.client.exceptions import ApiException

        try:
            self._request("PATCH", path, change, "application/merge-patch+json")
        except ApiException as error:
            if error.status == 409:
                return False
            raise
        return True

    def delete(self, path: str) -> None:
        """Deletes the object at a path, if it exists."""
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
