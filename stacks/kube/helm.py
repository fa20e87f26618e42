"""Helm's own records of a release: who owns it, and whether Helm was interrupted.

Helm keeps one Secret per revision. The record in it is JSON, gzipped, then base64. A run that is killed, or loses the API server,
before it writes its result leaves a revision that looks as if Helm were still at work, and every later run refuses: "another
operation is in progress".
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from releases.charts import HelmRelease
from stacks.kube.api import Api, Object

#: Helm releases, each with the Secrets of its revisions.
Releases = Sequence[tuple[HelmRelease, Sequence[Object]]]

#: Statuses of a revision on which Helm is at work, or was interrupted.
UNDERWAY = {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}
#: Statuses of a revision in which the description is Helm's own and not the one that was given to it.
UNFINISHED = UNDERWAY | {"failed"}


def revisions(api: Api, namespace: str, name: str) -> list[Object]:
    """Returns the Secrets of a release's revisions."""
    return api.items(f"/api/v1/namespaces/{namespace}/secrets?{selector(name)}")


def selector(name: str) -> str:
    """Returns the query for the Secrets of a release's revisions in its namespace."""
    return f"labelSelector=owner%3Dhelm%2Cname%3D{name}"


def foreign(secrets: Sequence[Object], owner: str) -> str | None:
    """Returns the newest description of a release that this stack does not own; None if it owns the release.

    A stack owns a release if any revision has the stack's description: a rollback or an upgrade by hand writes another one. It
    also counts as owner of a release without a finished revision, because its own first try may have left that; if the release
    has another owner after all, helm refuses the name.
    """
    found = descriptions(secrets)
    return None if not found or owner in found else found[-1]


def descriptions(secrets: Sequence[Object]) -> list[str]:
    """Returns the descriptions of a release's finished revisions, oldest first."""
    finished = [secret for secret in _by_age(secrets) if _status(secret) not in UNFINISHED]
    return [_record(secret).get("info", {}).get("description") or "" for secret in finished]


def state(secrets: Sequence[Object]) -> str:
    """Returns a release's newest revision and its status: `revision 2, deployed`."""
    newest = _by_age(secrets)[-1]
    return f"revision {newest['metadata']['labels']['version']}, {_status(newest)}"


def unfinished(secrets: Sequence[Object]) -> bool:
    """Whether no revision of a release was ever finished, so that none names its owner."""
    return bool(secrets) and all(_status(secret) in UNFINISHED for secret in secrets)


def made_with(secrets: Sequence[Object], version: str | None, values: Mapping[str, Any]) -> bool:
    """Whether a release's newest revision has this version of its chart and, unless it failed, exactly these values.

    A failed revision may have failed because of its values, which may have changed since.
    """
    newest = _by_age(secrets)[-1]
    record = _record(newest)
    found = record.get("chart", {}).get("metadata", {}).get("version") or ""
    # A chart may be published as v1.1.0 and call itself 1.1.0.
    same = version is None or found.removeprefix("v") == version.removeprefix("v")
    return same and (_status(newest) == "failed" or (record.get("config") or {}) == values)


def interrupted(secrets: Sequence[Object]) -> Object | None:
    """Returns the Secret of the newest revision if Helm was at work on it, else None."""
    newest = _by_age(secrets)[-1:]
    return newest[0] if newest and _status(newest[0]) in UNDERWAY else None


def as_failed(secret: Object) -> Object:
    """Returns the merge patch that marks a revision as failed, as Helm does it itself."""
    record, was = _record(secret), _status(secret)
    record["info"] = record.get("info", {}) | {
        "status": "failed",
        "description": f"interrupted while {was}; marked failed by llmd-pd",
    }
    # With the resourceVersion that was read, so that a Helm that is at work after all is not overwritten.
    metadata = {"resourceVersion": secret["metadata"]["resourceVersion"], "labels": {"status": "failed"}}
    return {"metadata": metadata, "data": {"release": _stored(record)}}


def _by_age(secrets: Sequence[Object]) -> list[Object]:
    return sorted(secrets, key=lambda secret: int(secret["metadata"]["labels"]["version"]))


def _status(secret: Object) -> str:
    return str(secret["metadata"]["labels"].get("status"))


def _record(secret: Object) -> Object:
    import gzip  # late: no check needs it

    # Decoded twice: a Secret adds its own base64.
    record: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    return record


def _stored(record: Object) -> str:
    import gzip

    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
