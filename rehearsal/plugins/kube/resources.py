"""Kubernetes objects of every kind as Pulumi resources: the operations and their messages.

The messages are the official provider's. `patches` has Patch resources. Left out, with an error: List resources.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.plugins.kube import diff, kinds, objects, readiness, waiting
from rehearsal.plugins.kube.apply import PATCH_MANAGER, Refused, Writer
from rehearsal.plugins.kube.client import ApiError, Cluster, Kind, NoMatch, Unreachable
from rehearsal.plugins.kube.settings import Settings
from rehearsal.plugins.plugin import Engine, Failure, InitFailure
from rehearsal.plugins.provider import Changes, Lifecycle, Properties, Resource

_FORGET_HELP = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_SERVER_FAILURE = (ApiError, Unreachable, NoMatch, readiness.BadExpression)


class KubernetesObjects(Lifecycle):
    """The lifecycle of one provider's objects."""

    def __init__(self, settings: Settings, cluster: Cluster, engine: Engine, cancelled: threading.Event):
        self.settings = settings
        self.cluster = cluster
        self.engine = engine
        self.cancelled = cancelled
        self.writer = Writer(
            cluster, settings.enabled("upsertExistingObjects"), settings.enabled("enablePatchForce"), cancelled
        )

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        inputs = objects.to_object(new)
        kind = str(inputs.get("kind", ""))
        if not kind or not inputs.get("apiVersion"):
            raise Failure(f"{resource.type} is not a kind of object that the stand-in for the kubernetes plugin offers")
        if kind.endswith("List"):
            raise Failure(
                "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly. "
                "Use the underlying resource type instead"
            )
        inputs = objects.named(inputs, old, name)
        if not inputs["metadata"].get("namespace") and self._namespaced(inputs):
            inputs["metadata"]["namespace"] = self.settings.default_namespace
        return inputs, {}

    def _namespaced(self, inputs: Mapping[str, Any]) -> bool:
        """Whether the kind is namespaced; yes if only the server knows and does not answer yet, which a create corrects."""
        known = kinds.known_scope(inputs)
        if known is not None:
            return known
        kind = self._kind(inputs)
        return kind is None or kind.namespaced

    def diff(self, resource: Resource, old: Properties, new: Properties, state: Properties) -> Changes:
        before = objects.to_object(objects.applied(old, state))
        changes = diff.detailed(before, objects.to_object(new), self.force_new(new))
        before, after = state.get("metadata") or old["metadata"], new["metadata"]
        same = all(before.get(key) == after.get(key) for key in ("name", "namespace"))
        changes.delete_first = bool(changes.replaces) and same and not objects.annotated(new, objects.AUTONAMED)
        return changes

    def force_new(self, new: Properties) -> list[kinds.Path]:
        """Returns the paths whose change needs a new object."""
        switch = kinds.mutable_switch(new)
        return kinds.force_new(new, content_mutable=switch is not None and self.settings.enabled(switch))

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        self._reachable(preview)
        if preview and self._kind(new) is None:
            return "", new
        obj = self._in_scope(objects.to_object(new))
        manager = manager_of(obj, {})
        tell = self._tell(resource)
        try:
            live = self.writer.create(obj, manager, preview=preview, tell=tell)
        except NoMatch as error:
            kind = f"{new['apiVersion']}/{new['kind']}"
            raise Failure(
                f'creation of resource "{resource.urn}" with kind {kind} failed because the Kubernetes API server reported '
                "that the apiVersion for this resource does not exist. Verify that any required CRDs have been created: "
                f"{error}"
            ) from error
        except Unreachable as error:
            raise Failure(f"configured Kubernetes cluster is unreachable: {error}") from error
        except Refused as error:
            if preview and _expected_in_preview(error.cause):
                return "", new
            raise Failure(
                f'resource "{resource.urn}" was not successfully created by the Kubernetes API server: {error}'
            ) from error
        if preview:
            live.pop("status", None)
            return "", objects.to_state(live, manager)
        story = (
            f'resource "{resource.urn}" was successfully created, but the Kubernetes API server reported that it failed to '
            "fully initialize or become live"
        )
        live = self._wait(live, obj, manager, timeout, story, tell)
        return objects.object_id(live), objects.to_state(live, manager)

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
        self._reachable(preview)
        if preview and self._kind(new) is None:
            return new
        obj = self._in_scope(objects.to_object(new))
        manager = manager_of(obj, state)
        story = f'the Kubernetes API server reported that "{id_}" failed to fully initialize or become live'
        try:
            live = self.writer.update(obj, manager, ignore, preview=preview)
        except NoMatch as error:
            raise Failure(
                f'update of resource "{resource.urn}" failed because the Kubernetes API server reported that the apiVersion for '
                f"this resource does not exist. Verify that any required CRDs have been created: {error}"
            ) from error
        except Unreachable as error:
            raise Failure(f"configured Kubernetes cluster is unreachable: {error}") from error
        except Refused as error:
            raise self._failed(obj, manager, f"{story}: {error}") from error
        except ApiError as error:
            raise Failure(
                f'update of resource "{resource.urn}" failed: {error}\nunable to get cluster state: {error}'
                + (
                    "\nit was deleted outside of Pulumi: `pulumi up --refresh` creates it again"
                    if error.code == 404
                    else ""
                )
            ) from error
        if preview:
            return objects.to_state(live, manager)
        return objects.to_state(self._wait(live, obj, manager, timeout, story, self._tell(resource)), manager)

    def read(
        self, resource: Resource, id_: str, inputs: Properties, state: Properties
    ) -> tuple[str, Properties, Properties] | None:
        reason = self.cluster.unreachable()
        if reason:
            self.engine.warn(resource.urn, f"configured Kubernetes cluster is unreachable: {reason}")
            if self.settings.enabled("deleteUnreachable"):
                return None
            raise Failure(f"failed to read resource state due to unreachable cluster. {_FORGET_HELP}")
        namespace, name = objects.split_id(id_)
        stated = next((given for given in (inputs, state) if given.get("apiVersion")), None)
        known = stated or _of_type(resource.type)
        identity = {"apiVersion": known["apiVersion"], "kind": known["kind"]}
        if stated is not None and self._namespaced(identity):
            # As the official provider: the id's namespace counts only for a read that states neither `apiVersion` nor `kind`.
            namespace = (stated.get("metadata") or {}).get("namespace") or ""
        if not namespace and self._namespaced(identity):
            namespace = self.settings.default_namespace
        metadata = {"name": name, "namespace": namespace}
        try:
            live = self.cluster.get({**identity, "metadata": metadata})
        except NoMatch:
            return None
        except ApiError as error:
            if error.code == 404:
                return None
            raise Failure(f"resource {id_} could not be read: {error}") from error
        manager = manager_of(inputs, state)
        current = objects.inputs_of(live, objects.to_object(inputs)) if inputs else objects.import_inputs(live)
        if inputs:
            self._still_ready(live, id_, current, manager)
        return id_, current, objects.to_state(live, manager)

    def _still_ready(self, live: Properties, id_: str, inputs: Properties, manager: str) -> None:
        """A refresh does not wait, but keeps an object that is not ready marked as such."""
        check = readiness.check_for(inputs)
        if check is None:
            return
        if not check(live, self.cluster).ready:
            story = f"Resource '{live['metadata']['name']}' was created but failed to initialize"
            details = readiness.reasons(live, self.cluster)
            raise InitFailure(id_, objects.to_state(live, manager), [story, *details], inputs)

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        if self.gone_with_cluster(resource):
            return
        namespace, name = objects.split_id(id_)
        obj = {
            "apiVersion": state["apiVersion"],
            "kind": state["kind"],
            "metadata": {"name": name, "namespace": namespace},
        }
        obj["metadata"]["uid"] = (state.get("metadata") or {}).get("uid")
        try:
            self.writer.delete(obj, inputs)
            if objects.annotated(inputs, readiness.SKIP_AWAIT):
                return
            waiting.until_gone(
                obj,
                self.cluster,
                timeout=waiting.timeout_of(timeout, inputs),
                cancelled=self.cancelled,
                tell=self._tell(resource),
            )
        except NoMatch:
            return
        except waiting.NotReady as error:
            raise InitFailure(id_, state, [str(error), *error.details]) from error
        except (ApiError, Unreachable) as error:
            raise Failure(f'deletion of resource "{resource.urn}" failed: {error}') from error

    def gone_with_cluster(self, resource: Resource) -> bool:
        """Whether the cluster is unreachable and its objects are to be forgotten; raises Failure if they are not."""
        reason = self.cluster.unreachable()
        if reason is None:
            return False
        if not self.settings.enabled("deleteUnreachable"):
            raise Failure(f"configured Kubernetes cluster is unreachable: {reason}. {_FORGET_HELP}")
        self.engine.warn(
            resource.urn, f"configured Kubernetes cluster is unreachable: {reason}. Removed from the state only"
        )
        return True

    def _wait(
        self,
        live: Properties,
        inputs: Properties,
        manager: str,
        timeout: float,
        story: str,
        tell: Callable[[str], None],
    ) -> Properties:
        try:
            check = readiness.check_for(inputs)
            if check is None:
                return live
            return waiting.until_ready(
                live,
                check,
                self.cluster,
                timeout=waiting.timeout_of(timeout, inputs),
                cancelled=self.cancelled,
                tell=tell,
            )
        except waiting.NotReady as error:
            state = objects.unready(objects.to_state(error.live, manager), inputs)
            raise InitFailure(objects.object_id(live), state, [f"{story}: {error}", *error.details]) from error
        except _SERVER_FAILURE as error:
            state = objects.unready(objects.to_state(live, manager), inputs)
            raise InitFailure(objects.object_id(live), state, [f"{story}: {error}"]) from error

    def _failed(self, obj: Properties, manager: str, story: str) -> Exception:
        try:
            live = self.cluster.get(obj)
        except _SERVER_FAILURE as error:
            return Failure(f"{story}\nunable to get cluster state: {error}")
        state = objects.unready(objects.to_state(live, manager), obj)
        return InitFailure(objects.object_id(live), state, [story])

    def _reachable(self, preview: bool) -> None:
        reason = None if preview else self.cluster.unreachable()
        if reason:
            raise Failure(f"configured Kubernetes cluster is unreachable: {reason}")

    def _kind(self, obj: Mapping[str, Any]) -> Kind | None:
        """Returns how the server serves a kind; None if it does not, or does not answer."""
        try:
            return self.cluster.kind(obj["apiVersion"], obj["kind"])
        except (NoMatch, Unreachable):
            return None

    def _in_scope(self, obj: Properties) -> Properties:
        """Removes the namespace that `check` can have guessed for a cluster-wide custom resource."""
        kind = self._kind(obj)
        if kind is not None and not kind.namespaced:
            obj["metadata"].pop("namespace", None)
        return obj

    def _tell(self, resource: Resource) -> Callable[[str], None]:
        return lambda message: self.engine.status(resource.urn, message)


def _expected_in_preview(error: ApiError) -> bool:
    """Whether a dry run fails only because earlier steps of the same update were not made."""
    return error.reason in ("AlreadyExists", "Forbidden") or error.namespace_missing


def manager_of(inputs: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """Returns the field manager: the program's, the earlier one, or a new one."""
    said = objects.annotation(inputs, PATCH_MANAGER) or state.get(objects.FIELD_MANAGER)
    return str(said or f"pulumi-kubernetes-{os.urandom(4).hex()}")


def _of_type(type_: str) -> dict[str, str]:
    """Returns apiVersion and kind of a type token: `kubernetes:core/v1:Namespace` is v1, other groups are as they are."""
    _, api_version, kind = type_.split(":")
    return {"apiVersion": api_version.removeprefix("core/"), "kind": kind}
