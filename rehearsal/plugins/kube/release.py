"""`kubernetes:helm.sh/v3:Release`: a real Helm release, made by the helm binary.

Behaves like the official provider, which links helm's library. Left out: `valueYamlFiles` (asset inputs), `verify` with a
keyring and `postrender`; a program that uses them gets an error.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from rehearsal.plugins.kube import diff, kinds, objects, readiness
from rehearsal.plugins.kube.client import ApiError, Cluster, NoMatch, Unreachable
from rehearsal.plugins.kube.helm import Helm, HelmError
from rehearsal.plugins.kube.settings import KubeconfigError, Settings
from rehearsal.plugins.plugin import Failure, InitFailure
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Resource
from rehearsal.plugins.values import UNKNOWN, contains_unknown

DEFAULT_TIMEOUT = 300  # seconds; helm's own and the official provider's
_NOT_OFFERED = ("valueYamlFiles", "verify", "keyring", "postrender", "lint", "dependencyUpdate")
_IGNORED = ("compat", "resourceNames", "status", "manifest", "allowNullValues")
_COMPUTED = ("status", "resourceNames")

# Input -> flag of both commands, of install only, of upgrade only.
_FLAGS = {
    "atomic": "--atomic",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
}
_INSTALL_FLAGS = {"createNamespace": "--create-namespace", "disableWebhooks": "--no-hooks", "replace": "--replace"}
_UPGRADE_FLAGS = {
    "cleanupOnFail": "--cleanup-on-fail",
    "disableCRDHooks": "--no-hooks",
    "forceUpdate": "--force",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}
_REPOSITORY_FLAGS = {
    "caFile": "--ca-file",
    "certFile": "--cert-file",
    "keyFile": "--key-file",
    "password": "--password",
    "username": "--username",
}


class Releases(Lifecycle):
    """The lifecycle of one provider's Helm releases."""

    def __init__(self, settings: Settings, cluster: Cluster, cancelled: threading.Event):
        self._settings = settings
        self._cluster = cluster
        self._cancelled = cancelled

    @cached_property
    def _helm(self) -> Helm:
        try:
            return Helm(self._settings.kubeconfig.file, self._cancelled)
        except KubeconfigError as error:
            raise Failure(f"configured Kubernetes cluster is unreachable: {error}") from error

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        """Returns inputs with defaults and the chart's exact version; a chart that is not available fails in preview."""
        inputs = {
            key: value for key, value in new.items() if key not in _IGNORED and value not in (None, False, "", {}, [])
        }
        for key in _NOT_OFFERED:
            if key in inputs:
                raise Failure(f"the offline stand-in for the kubernetes plugin does not offer a Release's `{key}`")
        inputs.setdefault("name", old.get("name") or name)
        inputs.setdefault("namespace", self._settings.default_namespace)
        if not inputs.get("skipAwait"):
            inputs["timeout"] = new.get("timeout", DEFAULT_TIMEOUT)
        if contains_unknown({key: inputs.get(key) for key in ("chart", "version", "repositoryOpts")}):
            return inputs, {}
        try:
            inputs["version"] = _field(self._helm.run("show", "chart", *_chart(inputs)), "version")
        except HelmError as error:
            at = f' at version "{inputs["version"]}"' if inputs.get("version") else ""
            reason = (
                str(error)
                if str(error).startswith("path ")
                else f'failed to download "{inputs["chart"]}"{at} ({error})'
            )
            return inputs, {"chart": f"{reason}; check the chart name and repository configuration."}
        return inputs, {}

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        return diff.detailed(state.get(objects.APPLIED_INPUTS) or old, new, (("name",), ("namespace",)))

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        if preview:
            return "", _foreseen(new)
        self._reachable("create")
        id_ = f"{new['namespace']}/{new['name']}"
        flags = [*_given(new, _FLAGS | _INSTALL_FLAGS), *_waiting(new)]
        try:
            self._helm.run("install", *_target(new), *_chart(new), *flags, values=new.get("values") or {})
        except HelmError as error:
            if "cannot re-use a name" in str(error):
                raise Failure(
                    f"{error}. The Helm release {id_} exists and is not in this stack: delete it with `helm uninstall`, or take "
                    f"it over with `pulumi import kubernetes:helm.sh/v3:Release {resource.name} {id_}`"
                ) from error
            story = (
                f'Helm release "{id_}" was created, but failed to initialize completely. Use Helm CLI to investigate'
            )
            raise self._failed(id_, new, story, error) from error
        return id_, self._state(new)

    def update(
        self,
        resource: Resource,
        id_: str,
        new: Properties,
        state: Properties,
        *,
        timeout: float,
        preview: bool,
        ignore: list[str],
    ) -> Properties:
        if preview:
            return _foreseen(new)
        self._reachable("update")
        flags = [*_given(new, _FLAGS | _UPGRADE_FLAGS), *_waiting(new), "--history-max", str(new.get("maxHistory", 0))]
        try:
            self._helm.run("upgrade", *_target(new), *_chart(new), *flags, values=new.get("values") or {})
        except HelmError as error:
            story = f'Helm release "{id_}" failed to initialize completely. Use Helm CLI to investigate'
            raise self._failed(id_, new, story, error) from error
        return self._state(new)

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        if self._cluster.unreachable() and self._settings.enabled("deleteUnreachable"):
            return None
        self._reachable("read")
        namespace, name = objects.split_id(id_)
        known = inputs or {"name": name, "namespace": namespace or self._settings.default_namespace}
        try:
            current = self._state(known)
        except HelmError as error:
            if error.not_found:
                return None
            raise Failure(f"Helm release {id_} could not be read: {error}") from error
        if not inputs:
            status = current["status"]
            values = self._helm.json("get", "values", *_target(known))
            known |= {"chart": status["chart"], "version": status["version"], "timeout": DEFAULT_TIMEOUT}
            known |= {"values": values} if values else {}
        return id_, known, current | known

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        self._reachable("delete")
        known = state | inputs
        waits = ["--wait", "--timeout", f"{known.get('timeout') or DEFAULT_TIMEOUT}s"]
        try:
            self._helm.run(
                "uninstall", *_target(known), *([] if known.get("skipAwait") and not known.get("atomic") else waits)
            )
        except HelmError as error:
            raise Failure(str(error)) from error

    def _reachable(self, verb: str) -> None:
        reason = self._cluster.unreachable()
        if reason:
            raise Failure(f"can't {verb} Helm Release with unreachable cluster: {reason}")

    def _state(self, inputs: Properties) -> Properties:
        """Returns inputs together with helm's data of the release. Raises HelmError."""
        return self._described(inputs)[0]

    def _described(self, inputs: Properties) -> tuple[Properties, list[Properties]]:
        metadata = self._helm.json("get", "metadata", *_target(inputs))
        made = _documents(self._helm.run("get", "manifest", *_target(inputs)))
        told = ("appVersion", "chart", "name", "namespace", "revision", "status", "version")
        state = inputs | {"resourceNames": _names(made), "status": {key: metadata[key] for key in told}}
        return state, made

    def _failed(self, id_: str, inputs: Properties, story: str, error: HelmError) -> Exception:
        """Returns InitFailure if the release exists, so that it goes into the state with the error; else Failure."""
        try:
            state, made = self._described(inputs)
        except HelmError:
            return Failure(str(error))
        cause = f"failed to become available within allocated timeout. Error: Helm Release {id_}: {error}"
        return InitFailure(
            id_, objects.unready(state, inputs), [f"{story}: {cause}", *self._unready(made, inputs["namespace"])]
        )

    def _unready(self, made: list[Properties], namespace: str) -> list[str]:
        found: list[str] = []
        try:
            for obj in made:
                obj.setdefault("metadata", {}).setdefault("namespace", namespace)
                check = readiness.check_for(obj)
                if check is None:
                    continue
                live = self._cluster.get(obj)
                if not check(live, self._cluster).ready:
                    found += [
                        f"{obj['kind']} {obj['metadata']['name']}: {text}"
                        for text in readiness.reasons(live, self._cluster)
                    ]
        except (ApiError, NoMatch, Unreachable) as error:
            found.append(f"what is not ready could not be read: {error}")
        return found


def _target(inputs: Mapping[str, Any]) -> list[str]:
    return [str(inputs["name"]), "--namespace", str(inputs["namespace"])]


def _chart(inputs: Mapping[str, Any]) -> list[str]:
    """Returns the chart and its flags: `repositoryOpts.repo` counts unless the chart is an OCI address."""
    repository = inputs.get("repositoryOpts") or {}
    chart, flags = str(inputs["chart"]), []
    repo = str(repository.get("repo") or "")
    if repo and "://" in repo and not chart.startswith("oci://"):
        flags += ["--repo", repo]
    elif repo and "/" not in chart:
        chart = f"{repo}/{chart}"
    if inputs.get("version"):
        flags += ["--version", str(inputs["version"])]
    for key, flag in _REPOSITORY_FLAGS.items():
        if repository.get(key):
            flags += [flag, str(repository[key])]
    return [chart, *flags, *_given(inputs, {"devel": "--devel"})]


def _given(inputs: Mapping[str, Any], flags: Mapping[str, str]) -> list[str]:
    return [flag for key, flag in flags.items() if inputs.get(key)]


def _waiting(inputs: Mapping[str, Any]) -> list[str]:
    flags = ["--timeout", f"{inputs.get('timeout') or DEFAULT_TIMEOUT}s"]
    if inputs.get("description"):
        flags += ["--description", str(inputs["description"])]
    if not inputs.get("skipAwait"):
        flags += ["--wait", *_given(inputs, {"waitForJobs": "--wait-for-jobs"})]
    return flags


def _foreseen(inputs: Properties) -> Properties:
    return inputs | dict.fromkeys(_COMPUTED, UNKNOWN)


def _field(text: str, key: str) -> str:
    import yaml

    return str(yaml.safe_load(text)[key])


def _documents(manifest: str) -> list[dict[str, Any]]:
    import yaml

    return [item for item in yaml.safe_load_all(manifest) if isinstance(item, dict)]


def _names(documents: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Returns names by `Kind/version`, as the official provider lists them: `Deployment.apps/apps/v1` -> `namespace/name`."""
    names: dict[str, list[str]] = {}
    for item in documents:
        version = str(item["apiVersion"])
        group = kinds.group(item)
        key = f"{item['kind']}.{group}/{version}" if group else f"{item['kind']}/{version}"
        names.setdefault(key, []).append(objects.object_id(item))
    return {key: sorted(value) for key, value in sorted(names.items())}
