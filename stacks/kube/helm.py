"""Helm's own records of a release: what they say of its owner, and what an interrupted run left in them.

Helm keeps one Secret per revision, the record in it as base64 of gzip of JSON. A run that is cut off before it could write
its end (the API server gone, a CLI killed) leaves a revision that looks as if Helm were still at work, and every later run
refuses: "another operation is in progress".
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

#: Statuses of a revision at which Helm is at work, or was.
UNDERWAY = {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}
#: Statuses of a revision whose description is Helm's own, whatever its maker wrote.
UNFINISHED = UNDERWAY | {"failed"}


def revisions(api: Api, namespace: str, name: str) -> list[Object]:
    """The Secrets of a release's revisions."""
    return api.items(f"/api/v1/namespaces/{namespace}/secrets?{selector(name)}")


def selector(name: str) -> str:
    """The query that finds the Secrets of a release's revisions in its namespace."""
    return f"labelSelector=owner%3Dhelm%2Cname%3D{name}"


def foreign(secrets: Sequence[Object], owner: str) -> str | None:
    """What a release that is not this stack's says of itself, by its newest revision; None for ours.

    Ours is one that carried our description once: a rollback or an upgrade by hand has another. So is one that never
    got anywhere, as our own first try may have left it; if it is somebody else's after all, helm refuses the name.
    """
    found = descriptions(secrets)
    return None if not found or owner in found else found[-1]


def descriptions(secrets: Sequence[Object]) -> list[str]:
    """What a release's revisions say of themselves, oldest first, without those that are unfinished."""
    finished = [secret for secret in _by_age(secrets) if _status(secret) not in UNFINISHED]
    return [_record(secret).get("info", {}).get("description") or "" for secret in finished]


def state(secrets: Sequence[Object]) -> str:
    """A release's newest revision and its status: `revision 2, deployed`."""
    newest = _by_age(secrets)[-1]
    return f"revision {newest['metadata']['labels']['version']}, {_status(newest)}"


def unfinished(secrets: Sequence[Object]) -> bool:
    """Whether a release never got anywhere, so that none of its revisions says whose it is."""
    return bool(secrets) and all(_status(secret) in UNFINISHED for secret in secrets)


def made_with(secrets: Sequence[Object], version: str | None, values: Mapping[str, Any]) -> bool:
    """Whether a release's newest revision is of this version of its chart and, unless it failed, has just these values.

    One that failed may have done so for its values, and have others since.
    """
    newest = _by_age(secrets)[-1]
    record = _record(newest)
    found = record.get("chart", {}).get("metadata", {}).get("version") or ""
    # A chart may be published as v1.1.0 and call itself 1.1.0.
    same = version is None or found.removeprefix("v") == version.removeprefix("v")
    return same and (_status(newest) == "failed" or (record.get("config") or {}) == values)


def interrupted(secrets: Sequence[Object]) -> Object | None:
    """The Secret of the newest revision if Helm was at work on it, else None."""
    newest = _by_age(secrets)[-1:]
    return newest[0] if newest and _status(newest[0]) in UNDERWAY else None


def as_failed(secret: Object) -> Object:
    """The change that makes a revision a failed one, as Helm would have written had it been able to: a merge patch."""
    record, was = _record(secret), _status(secret)
    record["info"] = record.get("info", {}) | {
        "status": "failed",
        "description": f"interrupted while {was}; marked failed by llmd-pd",
    }
    # With the version it was read at: a Helm that is at work after all is not overwritten.
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
