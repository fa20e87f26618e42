"""Leftovers: what remains of a stack in its cluster after a destroy or, before one, what a destroy has to delete.

Read-only. Pulumi's state is not asked, because leftovers are what that state has lost. The stack's marks tell what it owns:
the annotation of a node pool or of a namespace (for everything in it), and the description of a Helm release. A pool with the
stack's name and without a mark is listed too, because it bills.

Objects that are deleted with their namespace, do not bill and hold no node are left out: the namespace is listed instead.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from hardware.fit import quantities
from releases.charts import HelmRelease
from releases.gateway_api import API as GATEWAY_API
from releases.gateway_api import CRDS as GATEWAY_CRDS
from releases.gateway_api import GROUP as GATEWAY_GROUP
from stacks.blueprint import Blueprint, ServingBlueprint
from stacks.findings import Problem, StackFileError
from stacks.kube import helm as helm_records
from stacks.kube.api import Api, Object
from stacks.kube.context import Context
from stacks.kube.errors import asking
from stacks.kube.leftover import Leftover, Leftovers, Search, ending
from stacks.kube.owner import owner_text
from stacks.kube.rules import CLUSTER
from stacks.serving.gateway import GatewayPlan

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: Groups of the CRDs that every release of the guide brings.
INFERENCE_GROUPS = frozenset({"inference.networking.k8s.io", "inference.networking.x-k8s.io"})
#: Phases in which a pod no longer holds devices.
FINISHED = ("Succeeded", "Failed")


def find_leftovers(plan: Blueprint, stack: str) -> Leftovers:
    """Returns what remains of the stack of this name: from its cloud if the cloud's API knows all of it, else from its cluster.

    Raises:
        StackFileError: the cloud or the cluster cannot be asked.
    """
    namespace = plan.spec.namespace if plan.serving else None
    if plan.request is not None and (found := plan.cloud.leftovers(plan.request, plan.cluster, namespace)) is not None:
        return found
    if not isinstance(plan.cluster.reached_by, Context):
        _refuse(plan, None)
    at = plan.spec.cluster.at
    with asking(at, partial(_refuse, plan)):
        search = Search(Api(at.kubeconfig, at.context), stack)
        return search.result(_everything(search, plan))


def _refuse(plan: Blueprint, problem: Problem | None) -> None:
    said = plan.cloud.unreachable(plan.cluster, problem)
    if said is None:
        what, why = "nothing leads to the cluster", "the stack file names no context of a kubeconfig"
        fix = "name one that leads to the stack's cluster"
        said = CLUSTER.problem(at=("cluster", "context"), what=what, why=why, fix=fix)
    raise StackFileError([said])


def _everything(search: Search, plan: Blueprint) -> Iterator[Leftover]:
    yield from plan.cloud.left_in_cluster(search, plan.cluster)
    if plan.serving is not None:
        yield from _Serving(search, plan.serving).everything()


@dataclass
class _Serving:
    """The part of the search for what serves and all it needs except nodes."""

    search: Search
    plan: ServingBlueprint

    def everything(self) -> Iterator[Leftover]:
        name = self.plan.spec.namespace
        namespace = self.search.read(f"namespace {name}", f"/api/v1/namespaces/{name}")
        if namespace is not None and not self.search.ours(namespace):
            self.search.others.append(
                f"namespace {name} exists and belongs to {owner_text(namespace)}, so nothing in it is this stack's, "
                "nor a volume claimed from it"
            )
        else:
            yield from self._volumes_and(namespace)
        if self.plan.gateway is not None:
            yield from self._implementation(self.plan.gateway)
        yield from self._crds()

    def _volumes_and(self, namespace: Object | None) -> Iterator[Leftover]:
        """Yields leftovers in the stack's namespace, and volumes that were claimed from there."""
        claims: list[Object] = []
        if namespace is not None:
            name = self.plan.spec.namespace
            yield Leftover("Namespace", name, f"of {owner_text(namespace)}{ending(namespace)}")
            claims = self.search.items(f"PersistentVolumeClaims of {name}", self._path("persistentvolumeclaims"))
            yield from self._in_namespace(claims)
        claimed = {claim.get("spec", {}).get("volumeName") for claim in claims}
        for volume in self.search.items("PersistentVolumes", "/api/v1/persistentvolumes"):
            claim = volume["spec"].get("claimRef") or {}
            # A volume is billed once: if its claim exists, the claim is listed.
            if claim.get("namespace") == self.plan.spec.namespace and volume["metadata"]["name"] not in claimed:
                yield Leftover("PersistentVolume", volume["metadata"]["name"], _volume(volume, claim), bills=True)

    def _in_namespace(self, claims: Iterable[Object]) -> Iterator[Leftover]:
        namespace = self.plan.spec.namespace
        for service in self.search.items(f"Services of {namespace}", self._path("services")):
            if service["spec"].get("type") == "LoadBalancer":
                ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
                at = _addresses([row.get("ip") or row.get("hostname") for row in ingress])
                yield Leftover("Service", _full(service), f"load balancer, {at}{ending(service)}", bills=True)
        for claim in claims:
            volume = claim.get("spec", {}).get("volumeName")
            what = f"{_size(claim)}, on volume {volume}" if volume else "without a volume yet"
            yield Leftover("PersistentVolumeClaim", _full(claim), f"{what}{ending(claim)}", bills=volume is not None)
        for pod in self.search.items(f"Pods of {namespace}", self._path("pods")):
            devices = _devices(pod["spec"])
            if devices and pod.get("status", {}).get("phase") not in FINISHED:
                node = pod["spec"].get("nodeName")
                where = f"holds node {node}" if node else "waits for a node"
                yield Leftover("Pod", _full(pod), f"{where}: {devices}{ending(pod)}", bills=node is not None)
        gateway = self.plan.gateway
        if gateway is not None and gateway.objects:
            path = f"{GATEWAY_API}/namespaces/{gateway.namespace}/gateways/{gateway.name}"
            live = self.search.read(f"Gateway {gateway.namespace}/{gateway.name}", path)
            if live is not None:
                addresses = [row.get("value") for row in live.get("status", {}).get("addresses") or []]
                what = f"{_addresses(addresses)}{ending(live)}"
                yield Leftover("Gateway", _full(live), what, bills=bool(addresses))
        yield from self._release(self.plan.router)

    def _path(self, plural: str) -> str:
        return f"/api/v1/namespaces/{self.plan.spec.namespace}/{plural}"

    def _records(self, release: HelmRelease) -> list[Object]:
        query = helm_records.selector(release.name)
        what = f"Secrets of {release.namespace} (Helm's records of {release.name})"
        return self.search.items(what, f"/api/v1/namespaces/{release.namespace}/secrets?{query}")

    def _release(self, release: HelmRelease) -> Iterator[Leftover]:
        records = self._records(release)
        if records:
            yield Leftover("Helm release", f"{release.namespace}/{release.name}", helm_records.state(records))

    def _implementation(self, gateway: GatewayPlan) -> Iterator[Leftover]:
        """Yields the Helm releases of the gateway's implementation if this stack installed them. Others may share their
        namespaces.
        """
        for release in gateway.implementation:
            records = self._records(release)
            said = helm_records.descriptions(records)
            if records and (not said or any(text.endswith(self.search.mark) for text in said)):
                retained = gateway.stated.retain
                why = "; other Gateways may live from it" if retained else ""
                yield Leftover(
                    "Helm release",
                    f"{release.namespace}/{release.name}",
                    f"{helm_records.state(records)}{why}",
                    on_purpose=retained,
                )

    def _crds(self) -> Iterator[Leftover]:
        """Yields CRDs of the groups that the stack installs. Which stack created them is unknown and does not matter."""
        ours = self.plan.spec.crds.manage
        gateway = not set(GATEWAY_CRDS).isdisjoint(self.plan.crd_files)
        groups = {*(INFERENCE_GROUPS if ours else ()), *((GATEWAY_GROUP,) if gateway else ())}
        if not groups:
            return
        for crd in self.search.items("CustomResourceDefinitions", CRDS):
            if crd["spec"]["group"] in groups:
                yield Leftover("CRD", crd["metadata"]["name"], "other stacks may use it", on_purpose=True)


def _full(obj: Object) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _volume(volume: Object, claim: Mapping[str, Any]) -> str:
    spec, phase = volume["spec"], volume.get("status", {}).get("phase", "Unknown")
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    size = spec.get("capacity", {}).get("storage", "size unknown")
    return f"{size}, {phase}, {policy}, claimed by {claim['namespace']}/{claim.get('name')}{ending(volume)}"


def _size(claim: Object) -> str:
    given: str | None = (claim.get("status", {}).get("capacity") or {}).get("storage")
    asked: str | None = (claim["spec"].get("resources", {}).get("requests") or {}).get("storage")
    return given or asked or "size unknown"


def _addresses(found: list[str | None]) -> str:
    known = [address for address in found if address]
    return f"at {', '.join(known)}" if known else "without an address"


def _devices(pod: Object) -> str:
    """Returns the accelerators of a pod as text: extended resources (their names have a `/`) or claims; empty without any."""
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
