"""Writing objects to the API server the way the official provider does: create, server-side apply, delete.

Owns conflicts and retries. `managers` has the owners of fields, `waiting` the waits, `resources` the messages.
"""

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.plugins.kube import managers
from rehearsal.plugins.kube.client import ApiError, Cluster, NoMatch
from rehearsal.plugins.kube.objects import annotated, annotation

PATCH_FORCE = "pulumi.com/patchForce"
PATCH_MANAGER = "pulumi.com/patchFieldManager"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"
CREATOR = "pulumi-kubernetes"  # the field manager of a plain create

# Seconds between tries of a create whose kind or namespace does not exist yet. 63 s in all, as the official provider; the first
# ones are shorter than its 1 s, since a kind is usually served within a few milliseconds of its CRD.
RETRY_PAUSES = (0.1, 0.2, 0.7, 2.0, 4.0, 8.0, 16.0, 32.0)
#: Tries of a change that names the version of its object: a controller can write the status in between.
ADOPT_TRIES = 10

_CONFLICT_HELP = (
    "server-side apply field conflict detected, see https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources for troubleshooting help"
)
_EXISTS_HELP = """

The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use `pulumi import`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create."""

Object = dict[str, Any]


class Refused(Exception):
    """The API server refused the object; the message has the reason and what the user can do."""

    def __init__(self, message: str, cause: ApiError):
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Writer:
    """Writes to one cluster under the provider's settings.

    `upsert`: a create can take over an existing object. `adopts`: an update takes over the fields of plain creates and of
    kubectl.
    """

    cluster: Cluster
    upsert: bool
    force: bool
    cancelled: threading.Event
    adopts: bool = True

    def create(self, obj: Object, manager: str, *, preview: bool, tell: Callable[[str], None]) -> Object:
        """Returns the created object. Raises Refused, NoMatch, Unreachable; tries again for a minute for prerequisites."""
        for attempt, pause in enumerate((*RETRY_PAUSES, 0.0)):
            try:
                return self._create(obj, manager, preview)
            except (ApiError, NoMatch) as error:
                transient = isinstance(error, NoMatch) or error.code == 404
                last = preview or not transient or attempt == len(RETRY_PAUSES)
                if last or self.cancelled.wait(pause):
                    if isinstance(error, NoMatch):
                        raise
                    raise _refused(error, manager) from error
                tell(f"Retry #{attempt}; creation failed: {error}")
        raise AssertionError("the last attempt raises")

    def _create(self, obj: Object, manager: str, preview: bool) -> Object:
        if self.upsert:
            return self._apply(obj, manager, force=self._forced(obj) or preview, preview=preview)
        query = {"fieldManager": CREATOR} | _dry_run(preview)
        return self.cluster.request("POST", self.cluster.path(obj, named=False), obj, query)

    def update(self, obj: Object, manager: str, ignore: Sequence[str], *, preview: bool) -> Object:
        """Returns the updated object. Raises Refused; ApiError with code 404 if the object does not exist."""
        live = self.cluster.get(obj) if preview or not self.adopts else self._adopted(obj, manager)
        force = self._forced(obj) or (preview and managers.created_plainly(live))
        wanted = copy.deepcopy(obj)
        for path in ignore:
            managers.respect(wanted, live, path, manager)
        try:
            return self._apply(wanted, manager, force=force, preview=preview)
        except ApiError as error:
            raise _refused(error, manager) from error

    def relinquish(self, obj: Mapping[str, Any], manager: str) -> None:
        """Gives back every field of `manager`; one without another owner is removed. Raises ApiError, NoMatch and Unreachable."""
        metadata = {key: value for key, value in obj["metadata"].items() if key in ("name", "namespace")}
        bare = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
        self._apply(bare, manager, force=False, preview=False)

    def delete(self, obj: Object, inputs: Mapping[str, Any]) -> None:
        """Requests the deletion; no error if the object does not exist. Raises ApiError and NoMatch."""
        policy = {"orphan": "Orphan", "background": "Background"}.get(
            annotation(inputs, PROPAGATION).lower(), "Foreground"
        )
        try:
            self.cluster.request("DELETE", self.cluster.path(obj), {"propagationPolicy": policy})
        except ApiError as error:
            if error.code != 404:
                raise

    def _forced(self, obj: Object) -> bool:
        return self.force or annotated(obj, PATCH_FORCE)

    def _apply(self, obj: Object, manager: str, *, force: bool, preview: bool) -> Object:
        query = {"fieldManager": manager, "force": str(force).lower()} | _dry_run(preview)
        return self.cluster.request("PATCH", self.cluster.path(obj), obj, query, "application/apply-patch+yaml")

    def _adopted(self, obj: Object, manager: str) -> Object:
        """Returns the live object after moving its fields of plain creates and of kubectl to our manager."""
        for _ in range(ADOPT_TRIES - 1):
            try:
                return self._adopt_fields(self.cluster.get(obj), manager)
            except ApiError as error:
                if error.reason != "Conflict":
                    raise
        return self._adopt_fields(self.cluster.get(obj), manager)

    def _adopt_fields(self, live: Object, manager: str) -> Object:
        """Moves the fields of plain creates and of kubectl to `manager`: otherwise fields that the program drops would stay."""
        entries = managers.adopted(live["metadata"].get("managedFields") or [], manager)
        if entries is None:
            return live
        patch = [
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
        ]
        return self.cluster.request("PATCH", self.cluster.path(live), patch, content_type="application/json-patch+json")


def _dry_run(preview: bool) -> dict[str, str]:
    return {"dryRun": "All"} if preview else {}


def _refused(error: ApiError, manager: str) -> Refused:
    if error.reason == "Conflict":
        cause = f'The resource managed by field manager "{manager}" had an apply conflict: {error}'
        return Refused(f"{_CONFLICT_HELP}\n{cause}", error)
    if error.reason == "AlreadyExists":
        return Refused(f"{error}{_EXISTS_HELP}", error)
    return Refused(str(error), error)
