"""Patch resources: a few fields of an object that the program does not own, under a field manager of their own.

As in the official provider: a server-side apply creates the object if it does not exist, and a field that is given back on delete
is removed, not set to its earlier value. Owns the differences to a normal object; `resources` has the rest, and every message.
"""
# ruff: noqa: ARG002 - the signatures are the protocol's

import threading
from collections.abc import Mapping
from dataclasses import replace

from rehearsal.plugins.kube import kinds
from rehearsal.plugins.kube.client import ApiError, Cluster, NoMatch, Unreachable
from rehearsal.plugins.kube.resources import KubernetesObjects, manager_of
from rehearsal.plugins.kube.settings import Settings
from rehearsal.plugins.plugin import Engine, Failure
from rehearsal.plugins.provider import Properties, Resource

SUFFIX = "Patch"
_IDENTITY: tuple[kinds.Path, ...] = (("metadata", "name"), ("metadata", "namespace"))


class Patches(KubernetesObjects):
    """The Patch resources of one provider, `kubernetes:<group>/<version>:<Kind>Patch`."""

    def __init__(self, settings: Settings, cluster: Cluster, engine: Engine, cancelled: threading.Event):
        super().__init__(settings, cluster, engine, cancelled)
        self.writer = replace(self.writer, upsert=True, adopts=False)

    def check(
        self, resource: Resource, old: Properties, new: Properties, name: str
    ) -> tuple[Properties, Mapping[str, str]]:
        if not resource.type.endswith(f":{new.get('kind')}{SUFFIX}"):
            raise Failure(
                f"{resource.type} is a kind whose own name ends in {SUFFIX}, which the offline stand-in for the kubernetes "
                "plugin takes for a Patch resource: use the official plugin"
            )
        if not (new.get("metadata") or {}).get("name"):
            raise Failure("patch resources require the `.metadata.name` field to be set")
        return super().check(resource, old, new, name)

    def force_new(self, new: Properties) -> list[kinds.Path]:
        return list(_IDENTITY)

    def create(self, resource: Resource, new: Properties, timeout: float, preview: bool) -> tuple[str, Properties]:
        if preview:
            return "", new  # the official provider asks no server either
        return super().create(resource, new, timeout, preview)

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
        updated = super().update(resource, id_, new, state, timeout=timeout, preview=preview, ignore=ignore)
        before, after = manager_of({}, state), manager_of(new, state)
        if before != after and not preview:
            self.writer.relinquish(updated, before)
        return updated

    def delete(self, resource: Resource, id_: str, inputs: Properties, state: Properties, timeout: float) -> None:
        if self.gone_with_cluster(resource):
            return
        try:
            self.writer.relinquish(state, manager_of(inputs, state))
        except NoMatch:
            return
        except ApiError as error:
            required = [
                row["field"] for row in error.details.get("causes") or [] if row["reason"] == "FieldValueRequired"
            ]
            if not required:
                raise Failure(str(error)) from error
            raise Failure(
                "this Patch resource is currently managing a required field, so it can't be deleted directly. Either set the "
                f"`retainOnDelete` resource option, or transfer ownership of the field before deleting: {required[0]}"
            ) from error
        except Unreachable as error:
            raise Failure(f"configured Kubernetes cluster is unreachable: {error}") from error
