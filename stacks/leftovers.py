"""What of a stack is still in its cluster: after a destroy, what was left; before one, what would have to go.

Read-only, and from the cluster alone: Pulumi's state is not asked, because what it lost is what nobody looks for any more.
What is the stack's is told by its mark: the annotation of a pool or of the namespace all else is in, the description of a Helm
release. A pool of the stack's name without any mark is listed too, because it bills somebody.
Leaves out what goes with its namespace and neither bills nor holds a node: that the namespace is there says it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hardware import quantities
from hardware.namespace import OWNER
from releases.gateway_api import API as GATEWAY_API
from releases.gateway_api import CRDS as GATEWAY_CRDS
from releases.gateway_api import GROUP as GATEWAY_GROUP
from stacks import coreweave, helm_records
from stacks.cluster_problems import asking, not_kubernetes
from stacks.fields import PROJECT
from stacks.gateway import GatewayPlan
from stacks.kube_api import Api, Object
from stacks.plan import Plan
from stacks.problems import Problem, StackFileError
from stacks.router import HelmRelease

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: Groups of the CRDs that every release of the guide brings.
INFERENCE_GROUPS = frozenset({"inference.networking.k8s.io", "inference.networking.x-k8s.io"})
#: Phases of a pod that holds nothing any more.
FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Leftover:
    """One thing of a stack's that is there. `bills`: it costs money for as long as it is; `on_purpose`: a destroy leaves it."""

    kind: str
    name: str
    what: str
    bills: bool = False
    on_purpose: bool = False


@dataclass(frozen=True)
class Leftovers:
    """What a look brought: what is there; what has a name of the stack's but is somebody else's; what may not be read.

    Where something may not be read, nothing can be said of the rest.
    """

    found: tuple[Leftover, ...]
    others: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def left(self) -> list[Leftover]:
        """What should be gone after a destroy."""
        return [one for one in self.found if not one.on_purpose]

    @property
    def on_purpose(self) -> list[Leftover]:
        """What stays, because others may use it."""
        return [one for one in self.found if one.on_purpose]


def look_for_leftovers(plan: Plan, stack: str) -> Leftovers:
    """Everything of the stack of that name that is in its cluster.

    Raises:
        StackFileError: the cluster cannot be asked.
    """
    with asking(plan.spec.cluster, _refuse):
        look = _Look(Api(plan.spec.cluster.kubeconfig, plan.spec.cluster.context), plan, f"/{PROJECT}/{stack}")
        found = tuple(look.everything())
    return Leftovers(found, tuple(look.others), tuple(look.unread))


def _refuse(problem: Problem) -> None:
    raise StackFileError([problem])


@dataclass
class _Look:
    """One look. `mark` is how the full name of the stack ends, whatever its organization."""

    api: Api
    plan: Plan
    mark: str
    others: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def everything(self) -> Iterator[Leftover]:
        if self.plan.spec.cluster.provider == "coreweave":
            yield from self._pools()
        name = self.plan.spec.namespace
        namespace = self._read(f"namespace {name}", f"/api/v1/namespaces/{name}")
        if namespace is not None and not self._ours(namespace):
            self.others.append(
                f"namespace {name} is there and belongs to {_whose(namespace)}, so nothing in it is this stack's, "
                "nor a volume claimed from it"
            )
        else:
            yield from self._volumes_and(namespace)
        if self.plan.gateway is not None:
            yield from self._implementation(self.plan.gateway)
        yield from self._crds()

    def _read(self, what: str, path: str) -> Object | None:
        """What is there, None where there is nothing; and None, and `unread`, where we may not look."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.api.read(path)
        except ApiException as error:
            if error.status != 403:
                raise
            self.unread.append(what)
            return None

    def _items(self, what: str, path: str, missing: Problem | None = None) -> list[Object]:
        """The items of a kind that the cluster has to have; none, and `unread`, where we may not look.

        Raises:
            StackFileError: with what is `missing`, or that no API server is without the kind. "Nothing is left" would be said of
                another place than the one that bills.
        """
        found = self._read(what, path)
        if found is None and what not in self.unread:
            raise StackFileError([missing or not_kubernetes(f"knows no {what}")])
        items: list[Object] = (found or {}).get("items") or []
        return items

    def _ours(self, obj: Object) -> bool:
        return (_holder(obj) or "").endswith(self.mark)

    def _pools(self) -> Iterator[Leftover]:
        """The stack's by their mark, or by their name where they have none at all."""
        named = {pool.name for pool in self.plan.pools}
        for pool in self._items("NodePools", coreweave.API, NO_POOLS):
            name, holder = pool["metadata"]["name"], _holder(pool)
            if self._ours(pool) or (name in named and holder is None):
                unmarked = "" if holder else "; it is not marked as any stack's"
                yield Leftover("NodePool", name, f"{_nodes(pool)}{unmarked}{_ending(pool)}", bills=_current(pool) > 0)
            elif name in named:
                self.others.append(f"NodePool {name} is there and belongs to {_whose(pool)}")

    def _volumes_and(self, namespace: Object | None) -> Iterator[Leftover]:
        """What is in the stack's namespace, and the volumes that were claimed from it."""
        claims: list[Object] = []
        if namespace is not None:
            name = self.plan.spec.namespace
            yield Leftover("Namespace", name, f"of {_whose(namespace)}{_ending(namespace)}")
            claims = self._items(f"PersistentVolumeClaims of {name}", self._path("persistentvolumeclaims"))
            yield from self._in_namespace(claims)
        claimed = {claim.get("spec", {}).get("volumeName") for claim in claims}
        for volume in self._items("PersistentVolumes", "/api/v1/persistentvolumes"):
            claim = volume["spec"].get("claimRef") or {}
            # A volume is billed once: where its claim is there, that says it.
            if claim.get("namespace") == self.plan.spec.namespace and volume["metadata"]["name"] not in claimed:
                yield Leftover("PersistentVolume", volume["metadata"]["name"], _volume(volume, claim), bills=True)

    def _in_namespace(self, claims: Iterable[Object]) -> Iterator[Leftover]:
        namespace = self.plan.spec.namespace
        for service in self._items(f"Services of {namespace}", self._path("services")):
            if service["spec"].get("type") == "LoadBalancer":
                ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
                at = _addresses([row.get("ip") or row.get("hostname") for row in ingress])
                yield Leftover("Service", _full(service), f"load balancer, {at}{_ending(service)}", bills=True)
        for claim in claims:
            volume = claim.get("spec", {}).get("volumeName")
            what = f"{_size(claim)}, on volume {volume}" if volume else "without a volume yet"
            yield Leftover("PersistentVolumeClaim", _full(claim), f"{what}{_ending(claim)}", bills=volume is not None)
        for pod in self._items(f"Pods of {namespace}", self._path("pods")):
            devices = _devices(pod["spec"])
            if devices and pod.get("status", {}).get("phase") not in FINISHED:
                node = pod["spec"].get("nodeName")
                where = f"holds node {node}" if node else "waits for a node"
                yield Leftover("Pod", _full(pod), f"{where}: {devices}{_ending(pod)}", bills=node is not None)
        gateway = self.plan.gateway
        if gateway is not None and gateway.objects:
            path = f"{GATEWAY_API}/namespaces/{gateway.namespace}/gateways/{gateway.name}"
            live = self._read(f"Gateway {gateway.namespace}/{gateway.name}", path)
            if live is not None:
                addresses = [row.get("value") for row in live.get("status", {}).get("addresses") or []]
                what = f"{_addresses(addresses)}{_ending(live)}"
                yield Leftover("Gateway", _full(live), what, bills=bool(addresses))
        yield from self._release(self.plan.router)

    def _path(self, plural: str) -> str:
        return f"/api/v1/namespaces/{self.plan.spec.namespace}/{plural}"

    def _records(self, release: HelmRelease) -> list[Object]:
        query = helm_records.selector(release.name)
        what = f"Secrets of {release.namespace} (Helm's records of {release.name})"
        return self._items(what, f"/api/v1/namespaces/{release.namespace}/secrets?{query}")

    def _release(self, release: HelmRelease) -> Iterator[Leftover]:
        records = self._records(release)
        if records:
            yield Leftover("Helm release", f"{release.namespace}/{release.name}", helm_records.state(records))

    def _implementation(self, gateway: GatewayPlan) -> Iterator[Leftover]:
        """The releases that make Gateways work, where this stack installed them: their namespaces are anybody's."""
        for release in gateway.implementation:
            records = self._records(release)
            said = helm_records.descriptions(records)
            if records and (not said or any(text.endswith(self.mark) for text in said)):
                retained = gateway.stated.retain
                why = "; other Gateways may live from it" if retained else ""
                yield Leftover(
                    "Helm release",
                    f"{release.namespace}/{release.name}",
                    f"{helm_records.state(records)}{why}",
                    on_purpose=retained,
                )

    def _crds(self) -> Iterator[Leftover]:
        """CRDs of the groups the stack installs; which of them it made itself cannot be told, nor does it matter."""
        ours = self.plan.spec.crds.manage
        gateway = not set(GATEWAY_CRDS).isdisjoint(self.plan.crd_files)
        groups = {*(INFERENCE_GROUPS if ours else ()), *((GATEWAY_GROUP,) if gateway else ())}
        if not groups:
            return
        for crd in self._items("CustomResourceDefinitions", CRDS):
            if crd["spec"]["group"] in groups:
                yield Leftover("CRD", crd["metadata"]["name"], "other stacks may use it", on_purpose=True)


NO_POOLS = Problem(
    "CLUSTER", "llmd-pd:cluster.provider", "the cluster knows no NodePools", "it is no CKS cluster",
    "check that the context leads to the stack's cluster",
)  # fmt: skip


def _holder(obj: Object) -> str | None:
    holder: str | None = (obj["metadata"].get("annotations") or {}).get(OWNER)
    return holder


def _whose(obj: Object) -> str:
    holder = _holder(obj)
    return f"stack {holder}" if holder else "somebody else"


def _full(obj: Object) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _current(pool: Object) -> int:
    return int(pool.get("status", {}).get("currentNodes") or 0)


def _nodes(pool: Object) -> str:
    spec, current = pool["spec"], _current(pool)
    if current:
        return f"{current} {'node' if current == 1 else 'nodes'} of {spec['instanceType']}, billed per node"
    return f"no node of {spec['instanceType']} now, {spec.get('targetNodes', 0)} wanted"


def _volume(volume: Object, claim: Mapping[str, Any]) -> str:
    spec, phase = volume["spec"], volume.get("status", {}).get("phase", "Unknown")
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    size = spec.get("capacity", {}).get("storage", "size unknown")
    return f"{size}, {phase}, {policy}, claimed by {claim['namespace']}/{claim.get('name')}{_ending(volume)}"


def _size(claim: Object) -> str:
    given: str | None = (claim.get("status", {}).get("capacity") or {}).get("storage")
    asked: str | None = (claim["spec"].get("resources", {}).get("requests") or {}).get("storage")
    return given or asked or "size unknown"


def _addresses(found: list[str | None]) -> str:
    known = [address for address in found if address]
    return f"at {', '.join(known)}" if known else "without an address"


def _devices(pod: Object) -> str:
    """What a pod has of accelerators: extended resources (their names have a `/`), or claims; empty where it has none."""
    totals: dict[str, Decimal] = {}
    for container in pod["containers"]:
        for name, amount in (container.get("resources", {}).get("limits") or {}).items():
            if "/" in name:
                totals[name] = totals.get(name, Decimal(0)) + quantities.parse(amount)
    claims = len(pod.get("resourceClaims") or ())
    devices = [f"{quantities.text(amount)} {name}" for name, amount in totals.items()]
    if claims:
        devices.append("1 resource claim" if claims == 1 else f"{claims} resource claims")
    return ", ".join(devices)


def _ending(obj: Object) -> str:
    """That something is on its way out, and what keeps it."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata:
        return ""
    held = metadata.get("finalizers") or []
    return f"; being deleted, held by {', '.join(held)}" if held else "; being deleted"
