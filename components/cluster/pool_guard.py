"""What keeps a destroy from taking nodes away under pods of other stacks, on a cluster that stays.

Nodes that a stack makes in a cluster of many are anybody's to run on: the scheduler knows no owners. Nobody refuses to delete a
node pool under pods, and what goes with it serves. So the last thing such a stack makes is a resource whose deletion, the first
of a destroy, looks (docs/adr/0014, 0020).
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pulumi
from pulumi.dynamic import CreateResult, Resource

from components.cluster.guard import ClusterInUseError, GuardProvider, anyway, foreign, namespaces_of
from components.kube_client import Api

FINISHED = ("Succeeded", "Failed")


class PoolGuardProvider(GuardProvider):
    """Does nothing but look, on delete. Pickled into the stack's state by name, so it has to stay importable."""

    forbidden = "have somebody destroy it who may list nodes, and the pods of all namespaces"

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=", ".join(props["pools"]), outs=props)

    def look(self, api: Api, props: Mapping[str, Any]) -> None:
        """Refuses while pods of other stacks run on the nodes."""
        others = [*_others(api, props)]
        if others:
            why = f"pods of other stacks run on their nodes: {', '.join(others)}"
            raise self.kept(props, why, f"destroy those first, or {anyway(props)}")

    def silence(self, why: str) -> str:
        return f"the cluster does not say whose pods run on their nodes ({why})"

    def kept(self, props: Mapping[str, Any], why: str, fix: str) -> ClusterInUseError:
        pools = f"node pools {' and '.join(props['pools'])}"
        return ClusterInUseError(f"{pools} are not deleted, because {why}; {fix}. Nothing of this stack was deleted.")


def _others(api: Api, props: Mapping[str, Any]) -> Iterator[str]:
    """The other stacks with pods on nodes of these pools, and how many."""
    selector = quote(f"{props['label']} in ({','.join(props['pools'])})")
    found = (api.read(f"/api/v1/nodes?labelSelector={selector}") or {"items": []})["items"]
    nodes = {node["metadata"]["name"] for node in found}
    for holder, namespace in foreign(namespaces_of(api), props["owner"]) if nodes else ():
        pods = (api.read(f"/api/v1/namespaces/{namespace}/pods") or {"items": []})["items"]
        count = sum(pod["spec"].get("nodeName") in nodes and _runs(pod) for pod in pods)
        if count:
            yield f"{count} of {holder} (namespace {namespace})"


def _runs(pod: Mapping[str, Any]) -> bool:
    return pod.get("status", {}).get("phase") not in FINISHED


class PoolGuard(Resource, module="cluster", name="PoolGuard"):
    """Made after everything else, so that a destroy asks it before anything is gone.

    Plain: the names of the `pools`, and the `label` by which their nodes say so; the stack that is their `owner`; `deleteInUse`,
    and the `section` of the stack file that says so. Wired: the `kubeconfig`, a path or as text, with a `context`.
    """

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PoolGuardProvider(), name, dict(props), opts)
