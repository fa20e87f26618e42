"""A thin client of the Kubernetes API: requests on plain dicts, discovery, and errors with the API server's words.

Built on the `kubernetes` package's configuration (certificates, tokens, exec plugins) and nothing else of it: its dynamic
client reads every API group before the first request, and its models would have to be turned back into dicts.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from rehearsal.plugins.kube import library
from rehearsal.plugins.kube.settings import Kubeconfig, KubeconfigError

REQUEST_TIMEOUT = 60.0  # seconds; the API server itself ends a request after 60

Object = dict[str, Any]


class ApiError(Exception):
    """The API server answered with a Status; its message is the text."""

    def __init__(self, code: int, status: Mapping[str, Any]):
        super().__init__(status.get("message") or f"the server answered {code}")
        self.code = code
        self.reason = status.get("reason", "")
        self.details: Mapping[str, Any] = status.get("details") or {}

    @property
    def namespace_missing(self) -> bool:
        return self.code == 404 and self.details.get("kind") == "namespaces"


class NoMatch(Exception):
    """The API server does not know the kind."""

    def __init__(self, api_version: str, kind: str):
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')


class Unreachable(Exception):
    """The API server does not answer, or no kubeconfig names one."""


@dataclass(frozen=True)
class Kind:
    api_version: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        scope = f"/namespaces/{namespace or 'default'}" if self.namespaced else ""
        return f"{_root(self.api_version)}{scope}/{self.plural}" + (f"/{name}" if name else "")


class Cluster:
    """One API server. Connects on first use; whether it is reachable is asked once, as the official provider does."""

    def __init__(self, kubeconfig: Kubeconfig):
        self._kubeconfig = kubeconfig
        self._lock = threading.Lock()
        self._pool: Any = None
        self._host = ""
        self._headers: dict[str, str] = {}
        self._unreachable: str | None = None
        self._kinds: dict[tuple[str, str], Kind] = {}

    def unreachable(self) -> str | None:
        """Returns why the cluster cannot be reached, or None."""
        with self._lock:
            if self._pool is None and self._unreachable is None:
                try:
                    self._connect()
                    self._request("GET", "/version", None, {}, "", timeout=15)
                except (Unreachable, ApiError) as error:
                    prefix = "" if self._pool is None else "unable to load schema information from the API server: "
                    self._unreachable = f"{prefix}{error}"
        return self._unreachable

    def _connect(self) -> None:
        library.load()
        from kubernetes.client import ApiClient, Configuration
        from kubernetes.config import load_kube_config_from_dict
        from kubernetes.config.config_exception import ConfigException

        configuration = Configuration()
        configuration.connection_pool_maxsize = 64
        try:
            content = self._kubeconfig.content
            load_kube_config_from_dict(content, client_configuration=configuration, persist_config=False)  # type: ignore[no-untyped-call]
        except (KubeconfigError, ConfigException) as error:
            raise Unreachable(
                f"unable to load Kubernetes client configuration from kubeconfig file: {error}. Set `kubeconfig` on the "
                "provider, or KUBECONFIG"
            ) from error
        self._host = configuration.host.rstrip("/")
        token = configuration.auth_settings().get("BearerToken", {}).get("value")
        self._headers = {"Authorization": token} if token else {}
        self._pool = ApiClient(configuration).rest_client.pool_manager

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Sends one request. Raises ApiError, or Unreachable without an answer."""
        reason = self.unreachable()
        if reason is not None:
            raise Unreachable(reason)
        return self._request(method, path, body, query or {}, content_type)

    def _request(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str],
        content_type: str,
        timeout: float = REQUEST_TIMEOUT,
    ) -> Object:
        import urllib3

        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        headers = self._headers | {"Accept": "application/json", "User-Agent": "pulumi-kubernetes-stand-in"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            response = self._pool.request(
                method,
                url,
                body=json.dumps(body) if body is not None else None,
                headers=headers,
                timeout=urllib3.Timeout(connect=10, read=timeout),
                retries=urllib3.Retry(total=0, redirect=3),
            )
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f'{method.capitalize()} "{url}": {_cause(error, url)}') from error
        content = _parsed(response.data)
        if response.status >= 300:
            raise ApiError(response.status, content)
        return content

    def kind(self, api_version: str, kind: str) -> Kind:
        """Returns how the API server serves a kind. An unknown kind is asked again: a CRD can follow. Raises NoMatch."""
        known = self._kinds.get((api_version, kind))
        if known is None:
            try:
                resources = self.request("GET", _root(api_version)).get("resources") or []
            except ApiError as error:
                if error.code != 404:
                    raise
                raise NoMatch(api_version, kind) from error
            for item in resources:
                if "/" not in item["name"]:
                    self._kinds[api_version, item["kind"]] = Kind(api_version, item["name"], bool(item["namespaced"]))
            known = self._kinds.get((api_version, kind))
        if known is None:
            raise NoMatch(api_version, kind)
        return known

    def path(self, obj: Mapping[str, Any], *, named: bool = True) -> str:
        """Returns the path of an object, or (not `named`) of its collection."""
        metadata = obj["metadata"]
        kind = self.kind(obj["apiVersion"], obj["kind"])
        return kind.path(metadata.get("namespace", ""), metadata["name"] if named else "")

    def get(self, obj: Mapping[str, Any]) -> Object:
        return self.request("GET", self.path(obj))

    def list(self, api_version: str, kind: str, namespace: str, labels: Mapping[str, str]) -> list[Object]:
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        path = self.kind(api_version, kind).path(namespace)
        items: list[Object] = self.request("GET", path, query={"labelSelector": selector}).get("items") or []
        return items


def _root(api_version: str) -> str:
    """Returns the path of a version of a group; the core group has its own."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _parsed(data: bytes) -> Object:
    try:
        content = json.loads(data) if data else {}
    except ValueError:
        content = {"message": data.decode(errors="replace").strip()}
    return content if isinstance(content, dict) else {"value": content}


def _cause(error: Exception, url: str) -> str:
    """Returns the reason in the words of Go's network library, which users of kubectl know."""
    address = urlsplit(url).netloc
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ConnectionRefusedError):
            return f"dial tcp {address}: connect: connection refused"
        reason = getattr(reason, "reason", None) or reason.__cause__ or reason.__context__
        if not isinstance(reason, BaseException):
            break
    return str(error)
