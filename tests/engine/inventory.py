"""Everything a cluster holds, by asking it what kinds there are: to compare before and after."""

import time
from http import HTTPStatus
from typing import Any

from kubernetes.client.exceptions import ApiException

from stacks.kube.api import Api
from tests.engine.waiting import PATIENCE

#: Resources that come and go by themselves: reports, heartbeats, and the machines with theirs.
CHURN = {"events", "leases", "nodes", "componentstatuses"}
#: On an APIService: made by the API server for a CRD, and gone with it.
AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"

Inventory = dict[str, dict[str, Any]]


def inventory(api: Api) -> Inventory:
    """Every object of every resource, by `resource.group namespace/name`, without its status and version."""
    found: Inventory = {}
    for collection in _collections(api):
        path, _, resource = collection.rpartition("/")
        group = path.removeprefix("/apis/").rpartition("/")[0] if path != "/api/v1" else "core"
        for item in _items(api, collection):
            metadata = item["metadata"]
            if AUTOMANAGED in metadata.get("labels", {}):
                continue
            for key in ("managedFields", "resourceVersion"):
                metadata.pop(key, None)
            item.pop("status", None)
            found[f"{resource}.{group} {metadata.get('namespace', '')}/{metadata['name']}"] = item
    return found


def steady(api: Api) -> Inventory:
    """The inventory once two in a row are equal and no namespace is on its way out.

    Controllers go on for a moment after an `up`, and tests may leave their namespaces to themselves.
    """
    deadline = time.monotonic() + PATIENCE
    before: Inventory = {}
    while True:
        after = inventory(api)
        moving = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
        moving += [key for key, item in after.items() if "deletionTimestamp" in item["metadata"]]
        if not moving:
            return after
        assert time.monotonic() < deadline, f"still changing after {PATIENCE:.0f} s: {moving}"
        before = after
        time.sleep(0.5)


def _items(api: Api, collection: str) -> list[dict[str, Any]]:
    while True:
        try:
            return api.items(collection)
        except ApiException as error:
            if error.status != HTTPStatus.TOO_MANY_REQUESTS:  # a kind that was defined a moment ago
                raise
            time.sleep(0.2)


def _collections(api: Api) -> list[str]:
    """Paths of all collections, each group in the version it prefers."""
    groups = (api.get("/apis") or {})["groups"]
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    return [
        f"{root}/{resource['name']}"
        for root in roots
        for resource in (api.get(root) or {}).get("resources", ())
        if "list" in resource["verbs"] and resource["name"] not in CHURN
    ]
