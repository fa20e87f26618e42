"""Helm's records of a release: its owner, and the traces of an interrupted run.

Helm keeps one Secret per revision, the record in it as base64 of gzip of JSON. A run that is interrupted before it writes its
result (API server gone, CLI killed) leaves a revision that looks as if Helm were still at work, and every later run refuses:
"another operation is in progress".
"""

import base64
import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from releases.charts import HelmRelease
from stacks.kube.api import Api, Object

#: Helm releases, each with the Secrets of its revisions.
Releases = Sequence[tuple[HelmRelease, Sequence[Object]]]

#: Statuses of a revision at which Helm is at work, or was interrupted.
UNDERWAY = {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}
#: Statuses of a revision with a description of Helm's instead of its maker's.
UNFINISHED = UNDERWAY | {"failed"}


def revisions(api: Api, namespace: str, name: str) -> list[Object]:
    """Returns the Secrets of a release's revisions."""
    return api.items(f"/api/v1/namespaces/{namespace}/secrets?{selector(name)}")


def selector(name: str) -> str:
    """Returns the query for the Secrets of a release's revisions in its namespace."""
    return f"labelSelector=owner%3Dhelm%2Cname%3D{name}"


def foreign(secrets: Sequence[Object], owner: str) -> str | None:
    """Returns the newest description of a release that is not this stack's; None: it is this stack's.

    A release is the stack's if a revision has the stack's description: a rollback or an upgrade by hand writes another. So is one
    without a finished revision, because the stack's first try may have left it; if another owner has it, helm refuses the name.
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
    """Returns whether a release has no finished revision, so that no description names its owner."""
    return bool(secrets) and all(_status(secret) in UNFINISHED for secret in secrets)


def made_with(secrets: Sequence[Object], version: str | None, values: Mapping[str, Any]) -> bool:
    """Returns whether a release's newest revision has this version of its chart and, unless it failed, exactly these values.

    A failed one may have failed because of its values, which may have changed since.
    """
    newest = _by_age(secrets)[-1]
    record = _record(newest)
    found = record.get("chart", {}).get("metadata", {}).get("version") or ""
    # A chart may be published as v1.1.0 and call itself 1.1.0.
    same = version is None or found.removeprefix("v") == version.removeprefix("v")
    return same and (_status(newest) == "failed" or (record.get("config") or {}) == values)


def interrupted(secrets: Sequence[Object]) -> Object | None:
    """Returns the Secret of the newest revision if Helm was interrupted at it, else None."""
    newest = _by_age(secrets)[-1:]
    return newest[0] if newest and _status(newest[0]) in UNDERWAY else None


def as_failed(secret: Object) -> Object:
    """Returns the merge patch that marks a revision as failed, as Helm would have done."""
    record, was = _record(secret), _status(secret)
    record["info"] = record.get("info", {}) | {
        "status": "failed",
        "description": f"interrupted while {was}; marked failed by llmd-pd",
    }
    # With the version that was read: a Helm process that still works is not overwritten.
    metadata = {"resourceVersion": secret["metadata"]["resourceVersion"], "labels": {"status": "failed"}}
    return {"metadata": metadata, "data": {"release": _stored(record)}}


def _by_age(secrets: Sequence[Object]) -> list[Object]:
    return sorted(secrets, key=lambda secret: int(secret["metadata"]["labels"]["version"]))


def _status(secret: Object) -> str:
    return str(secret["metadata"]["labels"].get("status"))


def _record(secret: Object) -> Object:
    # base64 again: it is a Secret.
    record: Object = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    return record


def _stored(record: Object) -> str:
    return base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
