"""Settings of the Kubernetes provider, and the kubeconfig they name.

Owns the order of settings (the provider's argument, then the environment variable, then the default) and whether two providers
use different clusters. `client` connects.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rehearsal.plugins.kube import library

# Setting -> environment variable that turns it on if the provider does not set it.
_SWITCHES = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
}
_NOT_OFFERED = ("renderYamlToDirectory", "alwaysRender", "skipUpdateUnreachable")


class KubeconfigError(Exception):
    """The kubeconfig is missing or cannot be read."""


@dataclass(frozen=True)
class Settings:
    """The program's settings of the provider; every value a string, as the SDK sends them."""

    variables: Mapping[str, str]

    def enabled(self, switch: str) -> bool:
        value = self.variables.get(switch, os.environ.get(_SWITCHES[switch], "false"))
        return value.lower() == "true"

    @property
    def not_offered(self) -> str | None:
        """A setting that this stand-in would silently ignore."""
        if self.variables.get("enableServerSideApply", "true").lower() != "true":
            return "enableServerSideApply: false"
        return next(
            (name for name in _NOT_OFFERED if self.variables.get(name, "false").lower() not in ("", "false")), None
        )

    @cached_property
    def kubeconfig(self) -> "Kubeconfig":
        return Kubeconfig(
            self.variables.get("kubeconfig"), self.variables.get("context"), self.variables.get("cluster")
        )

    @property
    def default_namespace(self) -> str:
        return self.variables.get("namespace") or self.kubeconfig.namespace or "default"


class Kubeconfig:
    """A kubeconfig by path or by content; without either KUBECONFIG and ~/.kube/config, as in kubectl."""

    def __init__(self, source: str | None, context: str | None, cluster: str | None):
        self._source = source
        self._context = context
        self._cluster = cluster

    @cached_property
    def content(self) -> dict[str, Any]:
        """The merged document, with absolute paths to certificates. Raises KubeconfigError."""
        library.load()
        import yaml
        from kubernetes.config.kube_config import KubeConfigMerger

        try:
            if self._source and not _is_file(self._source):
                document = yaml.safe_load(self._source)
            else:
                merged = KubeConfigMerger(self._source or os.environ.get("KUBECONFIG", "~/.kube/config")).config  # type: ignore[no-untyped-call]
                document = _plain(merged) if merged is not None else None
        except (yaml.YAMLError, OSError) as error:
            raise KubeconfigError(f"invalid configuration: {error}") from error
        if not isinstance(document, dict) or not document.get("clusters"):
            raise KubeconfigError("invalid configuration: no configuration has been provided")
        if self._context:
            document["current-context"] = self._context
        if self._cluster:
            _current_context(document)["cluster"] = self._cluster
        return document

    @property
    def namespace(self) -> str | None:
        """The namespace of the current context, if it names one."""
        try:
            namespace: str | None = _current_context(self.content).get("namespace")
        except KubeconfigError:
            return None
        return namespace

    @property
    def active_cluster(self) -> Any:
        """The target of `current-context`: a change of it replaces the provider. None if it is not known."""
        try:
            return _named(self.content, "clusters", _current_context(self.content)["cluster"])["cluster"]
        except (KubeconfigError, KeyError):
            return None

    @cached_property
    def file(self) -> Path:
        """The kubeconfig as a file, for helm; lives as long as this process and is readable by its user only."""
        import json

        directory = tempfile.TemporaryDirectory(prefix="llmd-pd-kubeconfig-")
        self._directory = directory  # removed when this object goes
        path = Path(directory.name) / "config"
        path.write_text(json.dumps(self.content))
        path.chmod(0o600)
        return path


def _is_file(source: str) -> bool:
    return "\n" not in source and not source.lstrip().startswith("{") and Path(source).expanduser().is_file()


def _current_context(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the cluster, user and namespace of `current-context`. Raises KubeconfigError."""
    context: dict[str, Any] = _named(document, "contexts", document.get("current-context", ""))["context"]
    return context


def _named(document: Mapping[str, Any], section: str, name: str) -> dict[str, Any]:
    for item in document.get(section) or []:
        if item.get("name") == name:
            found: dict[str, Any] = item
            return found
    raise KubeconfigError(f'invalid configuration: {section.removesuffix("s")} "{name}" does not exist')


def _plain(node: Any) -> dict[str, Any]:
    """Returns the merger's nodes as a plain document; relative paths become absolute, each from its own file."""
    document = {key: value for key, value in node.value.items() if key not in ("clusters", "contexts", "users")}
    for section, body in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
        document[section] = []
        for item in node.value.get(section) or []:
            base = Path(item.path or ".").expanduser().resolve().parent
            content = dict(item.value.get(body) or {})
            for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
                if content.get(key):
                    content[key] = str(base / content[key])
            document[section].append({"name": item.value["name"], body: content})
    return document
