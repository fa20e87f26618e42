"""The guards on a cluster and on node pools: they stop a destroy while other stacks use them, or while it would leave resources.

A cluster's controllers delete load balancers, endpoint groups and disks of the cloud some time after the objects for which they
were made. If the cluster is deleted before that, they stay and cost money, and its network cannot be deleted. So before the nodes
are deleted, the deletion of a dynamic resource checks and waits (like the guard on a Gateway: docs/adr/0014, 0020).
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.kube_client import Api, Object
from components.kube_errors import refusing
from hardware.render.namespace import OWNER

#: Google deletes most of them within two minutes; reports say ten at most.
SECONDS, PAUSE = 600, 5
#: The official Kubernetes provider's variable: unreachable objects count as deleted.
GONE = "PULUMI_K8S_DELETE_UNREACHABLE"
#: The fix if the cluster does not answer.
UNREACHABLE = (
    f"check the network and your credentials, or, if the cluster is gone for good, set {GONE}=true; and destroy again"
)
#: Prefixes of GKE's own namespaces.
GKES = ("kube-", "gke-", "gmp-")


class ClusterInUseError(Exception):
    """Other stacks use the cluster, resources of the cloud would be left behind, or the cluster does not answer."""


@dataclass(frozen=True)
class Kind:
    """A kind of objects for which the cloud has `made` a resource; `holds` says for which of them.

    `going`: whether the object is being deleted, or will be without a user's action.
    """

    name: str
    path: str
    made: str
    holds: Callable[[Mapping[str, Any]], bool]
    going: Callable[[Mapping[str, Any]], bool]


def _every(_: Mapping[str, Any]) -> bool:
    return True


def _deleted(obj: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _load_balancer(service: Mapping[str, Any]) -> bool:
    return bool(service["spec"].get("type") == "LoadBalancer")


def _not_gkes(obj: Mapping[str, Any]) -> bool:
    return not str(obj["metadata"].get("namespace")).startswith(GKES)


def _taken_back(volume: Mapping[str, Any]) -> bool:
    return bool(volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete")


def _claimed_no_more(volume: Mapping[str, Any]) -> bool:
    return volume.get("status", {}).get("phase") not in ("Bound", "Available") or _deleted(volume)


KINDS = (
    Kind("Service", "/api/v1/services", "a load balancer", _load_balancer, _deleted),
    Kind("Ingress", "/apis/networking.k8s.io/v1/ingresses", "a load balancer", _every, _deleted),
    Kind("Gateway", "/apis/gateway.networking.k8s.io/v1/gateways", "a load balancer", _every, _deleted),
    Kind(
        "ServiceNetworkEndpointGroup", "/apis/networking.gke.io/v1beta1/servicenetworkendpointgroups",
        "an endpoint group", _not_gkes, _every,
    ),
    Kind("PersistentVolume", "/api/v1/persistentvolumes", "a disk", _taken_back, _claimed_no_more),
)  # fmt: skip


class GuardProvider(ResourceProvider):
    """Checks and waits on delete and does nothing else. Pickled by name into the stack's state: it has to stay importable."""

    #: It holds no secret; an encrypted text would change with every state.
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=props["cluster"], outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = any(_olds.get(key) != _news.get(key) for key in {*_olds, *_news})
        return DiffResult(changes=changed, replaces=[], delete_before_replace=False)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(outs=_news)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Checks for other stacks, and waits until the cloud's resources are deleted, unless `deleteInUse` permits the deletion.

        Raises:
            ClusterInUseError: other stacks use it, the wait took too long, or the cluster does not answer.
        """
        if _props.get("deleteInUse"):
            return
        from urllib3.exceptions import HTTPError

        def refusal(why: str, forbidden: bool) -> ClusterInUseError:
            fix = f"{self.forbidden}, or {anyway(_props)}" if forbidden else UNREACHABLE
            return self.kept(_props, self.silence(why), fix)

        with refusing(refusal):
            try:
                self.look(Api(_props["kubeconfig"], _props.get("context")), _props)
            except HTTPError:
                if os.environ.get(GONE, "").lower() != "true":
                    raise

    #: The fix if the user may not list these.
    forbidden = "have somebody destroy it who may list namespaces, Services and volumes of the whole cluster"

    def look(self, api: Api, props: Mapping[str, Any]) -> None:
        """Returns when nothing prevents the deletion. Raises like `delete`, and what `api` raises."""
        namespaces = namespaces_of(api)
        others = [f"{holder} (namespace {name})" for holder, name in foreign(namespaces, props["owner"])]
        if others:
            why, fix = f"other stacks serve on it: {', '.join(others)}", f"destroy them first, or {anyway(props)}"
            raise self.kept(props, why, fix)
        deadline = time.monotonic() + SECONDS
        clouds = {one["metadata"]["name"] for one in namespaces if _of_the_cloud(one, props.get("namespaces"))}
        while found := [*_left(api, clouds)]:
            if staying := [name for name, going in found if not going]:
                why, fix = f"it would leave what bills: {', '.join(staying)}", f"delete them first, or {anyway(props)}"
                raise self.kept(props, why, fix)
            if time.monotonic() > deadline:
                names = ", ".join(name for name, _ in found)
                what = f"after {SECONDS // 60} minutes it still has {names}"
                fix = f"see why with `kubectl describe`, and destroy again, or {anyway(props)}"
                raise self.kept(props, what, fix)
            time.sleep(PAUSE)

    def silence(self, why: str) -> str:
        """Returns the reason if the cluster does not answer."""
        return f"it does not say who lives in it ({why})"

    def kept(self, props: Mapping[str, Any], why: str, fix: str) -> ClusterInUseError:
        """Returns the refusal."""
        return ClusterInUseError(
            f"cluster {props['cluster']} is not deleted, because {why}; {fix}. It and its networks are still there."
        )


def namespaces_of(api: Api) -> Sequence[Object]:
    """Returns all namespaces of the cluster."""
    found: Sequence[Object] = (api.read("/api/v1/namespaces") or {"items": []})["items"]
    return found


def foreign(namespaces: Sequence[Object], owner: str) -> Iterator[tuple[str, str]]:
    """Yields the other stacks that own one of these namespaces, with the namespace's name.

    A cloud's own namespaces belong to no stack and are never among them.
    """
    for namespace in namespaces:
        holder = (namespace["metadata"].get("annotations") or {}).get(OWNER, owner)
        if holder != owner and not _deleted(namespace):
            yield holder, namespace["metadata"]["name"]


def _of_the_cloud(namespace: Object, label: Sequence[str] | None) -> bool:
    """Returns whether a namespace has the label (key and value) of namespaces that the cloud manages itself."""
    if not label:
        return False
    key, value = label
    return (namespace["metadata"].get("labels") or {}).get(key) == value


def _place(obj: Object) -> str | None:
    """Returns an object's namespace, or the namespace from which a volume was claimed."""
    claim = obj.get("spec", {}).get("claimRef") or {}
    found: str | None = obj["metadata"].get("namespace") or claim.get("namespace")
    return found


def _left(api: Api, clouds: Collection[str]) -> Iterator[tuple[str, bool]]:
    """Yields objects for which the cloud has made resources, and whether they are being deleted.

    Objects in `clouds`, the namespaces that the cloud manages itself, are left out.
    """
    for kind in KINDS:
        for obj in (api.read(kind.path) or {"items": []})["items"]:  # a cluster may lack the kind
            if kind.holds(obj) and _place(obj) not in clouds:
                metadata = obj["metadata"]
                place = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
                yield f"{kind.name} {place} ({kind.made})", kind.going(obj)


def anyway(props: Mapping[str, Any]) -> str:
    """Returns the fix that permits the deletion."""
    return f"write `deleteInUse: true` under `llmd-pd:{props['section']}`, run `pulumi up`, and destroy again"


class ClusterGuard(Resource, module="cluster", name="Guard"):
    """Made before everything that serves, so that a destroy asks it after that is deleted; in a platform stack made last.

    Plain: the `cluster`'s name, the stack that is its `owner`, `deleteInUse` and the `section` of the stack file with that key,
    and the label of the cloud's own `namespaces` if it has some. Wired: the `kubeconfig`, as text, or a path with a `context`.
    """

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(GuardProvider(), name, dict(props), opts)


FINISHED = ("Succeeded", "Failed")


class PoolGuardProvider(GuardProvider):
    """Checks the pods on the pools' nodes on delete. Pickled by name into the stack's state: it has to stay importable."""

    forbidden = "have somebody destroy it who may list nodes, and the pods of all namespaces"

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=", ".join(props["pools"]), outs=props)

    def look(self, api: Api, props: Mapping[str, Any]) -> None:
        """Raises ClusterInUseError if pods of other stacks run on the nodes."""
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
    """Yields the other stacks with pods on nodes of these pools, and the number of pods."""
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
    """Made after everything else, so that a destroy asks it before anything is deleted.

    Plain: the names of the `pools`, and the `label` of their nodes with that name; the stack that is their `owner`;
    `deleteInUse`, and the `section` of the stack file with that key. Wired: the `kubeconfig`, a path or text, with a `context`.
    """

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(PoolGuardProvider(), name, dict(props), opts)
