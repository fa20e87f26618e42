"""GKE's node pools as simulated nodes of the fleet, and the objects that GKE brings: DeviceClasses, and CRDs of its networks.

The fleet stands for the one cluster. Nodes are marked as those of a pool (`rehearsal.fleet.live`), so that the fleet keeps them.
"""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hardware.machines import GKE_POOLS, Machine
from rehearsal.clouds.gke.messages import no_machine_type
from rehearsal.clouds.gke.pool_machine import POOL_LABEL, NoSuchMachineError, machine_of, node_count, zone_of
from rehearsal.fleet.live import NODES, OF_A_POOL, LiveNodes
from rehearsal.fleet.nodes import device_class_objects, node_objects
from rehearsal.parts import cluster_crds
from rehearsal.parts.standins.crds import MULTI_NETWORKING
from rehearsal.plugins.plugin import Failure
from stacks.clouds.gke.laws.view import name_of
from stacks.clouds.gke.versions import at_least
from stacks.clouds.naming import shortened
from stacks.clouds.resource import Arguments
from stacks.kube.api import Api, Object

CLASSES = "/apis/resource.k8s.io/v1/deviceclasses"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#: GKE's own DeviceClasses, from the first version with managed DRANET; the GPUs' class comes with the driver's chart.
GKES_CLASSES = ("mrdma.google.com", "netdev.google.com")
_DRANET_SINCE = GKE_POOLS["gke-a3-ultragpu-8g-dra"].since["dranet"]
READY_SECONDS = 30


class Fleet:
    """The nodes of GKE's pools on one API server."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._nodes = LiveNodes(api)

    def bring(self, version: str, cluster: Arguments) -> None:
        """Creates the objects that a cluster of this version brings."""
        if at_least(version, _DRANET_SINCE):
            for device_class in device_class_objects(GKES_CLASSES):
                self._api.create(CLASSES, device_class)
        if cluster.get("enable_multi_networking"):
            for kind in cluster_crds.kept(MULTI_NETWORKING):
                self._api.create(CRDS, kind.object)

    def take(self) -> None:
        """Removes the objects that a cluster brought."""
        for name in GKES_CLASSES:
            self._api.delete(f"{CLASSES}/{name}")
        for kind in MULTI_NETWORKING:
            self._api.delete(f"{CRDS}/{kind.name}")

    def settle(self, pool: Arguments, cluster: Arguments) -> list[str]:
        """Makes a pool's nodes match its arguments, and waits until they are Ready; returns their names.

        Raises:
            Failure: they cannot be simulated, or did not become Ready; then no node of a new pool is left.
        """
        try:
            machine = machine_of(pool, cluster)
        except NoSuchMachineError as error:
            why = "the pretend cloud knows the machines of `hardware.machines`"
            said = no_machine_type(str(error), zone_of(pool))
            raise Failure(f"nodeConfig.machineType: {said} ({why})") from None
        names = [_node_name(pool, index) for index in range(node_count(pool))]
        there = {node["metadata"]["name"]: node for node in self._of(pool)}
        for name in there.keys() - set(names):
            self._nodes.remove(name)
        for name in names:
            live = there.get(name)
            if live is not None and self._same_shape(live, machine):
                self._nodes.change(live, machine)
                continue
            if live is not None:
                self._nodes.remove(name)  # GKE makes the nodes anew, one after the other
            self._nodes.create(machine, name, pool=_place(pool))
        if late := self._nodes.wait(names, READY_SECONDS):
            if not there:
                self.remove(pool)
            raise Failure(f"the simulated nodes {', '.join(late)} are not Ready after {READY_SECONDS} s")
        return names

    def remove(self, pool: Arguments) -> None:
        """Removes a pool's nodes."""
        for node in self._of(pool):
            self._nodes.remove(node["metadata"]["name"])

    def _of(self, pool: Arguments) -> list[Object]:
        label = quote(f"{POOL_LABEL}={name_of(pool.get('name'))}")
        nodes = self._api.items(f"{NODES}?labelSelector={label}")
        return [node for node in nodes if (node["metadata"].get("annotations") or {}).get(OF_A_POOL) == _place(pool)]

    def _same_shape(self, live: Object, machine: Machine) -> bool:
        name = live["metadata"]["name"]
        wanted, *slices = node_objects(machine, name)
        type_label = "node.kubernetes.io/instance-type"
        return (
            {obj["metadata"]["name"] for obj in slices} == {obj["metadata"]["name"] for obj in self._nodes.slices(name)}
            and live["metadata"]["labels"].get(type_label) == wanted["metadata"]["labels"][type_label]
            and _devices(live["status"].get("capacity") or {}) == _devices(wanted["status"]["capacity"])
        )


def _place(pool: Arguments) -> str:
    """Returns the full name of a pool."""
    return "/".join(name_of(pool.get(key)) for key in ("project", "location", "cluster", "name"))


def _node_name(pool: Arguments, index: int) -> str:
    """Returns a node's name of GKE's form, with a digest in place of its random part."""
    digest = hashlib.sha256(_place(pool).encode()).hexdigest()
    stem = shortened(f"gke-{name_of(pool.get('cluster'))}-{name_of(pool.get('name'))}", 49)
    return f"{stem}-{digest[:8]}-{index:04d}"


def _devices(shown: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in shown.items() if "/" in key}
